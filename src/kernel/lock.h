// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether someone holds a lock: then what it protects may be half done.
#ifndef VMI_KERNEL_LOCK_H
#define VMI_KERNEL_LOCK_H

#include "src/kernel/kernel.h"

enum lock_state {
	LOCK_FREE,
	LOCK_HELD,    // someone is at it: broken is what it may be
	LOCK_UNKNOWN, // can't be read, or not of the kind that tells (PREEMPT_RT)
};
const char *lock_state_text(enum lock_state s);

// Whether this kernel's locks are of the common kind: not those of PREEMPT_RT and 32-bit ARM.
bool k_locks_tell(const struct kernel *k);

// A spinlock's word. include/asm-generic/qspinlock_types.h: zero if nobody has it or waits.
enum lock_state k_spinlock(struct kernel *k, uint64_t va);
// The writer's byte of a rwlock_t. include/asm-generic/qrwlock_types.h
enum lock_state k_rwlock_writer(struct kernel *k, uint64_t va);

#endif
