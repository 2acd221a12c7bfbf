// SPDX-License-Identifier: LGPL-2.1-or-later
// Words of locks.
#include "src/kernel/lock.h"

const char *lock_state_text(enum lock_state s)
{
	return s == LOCK_FREE ? "free" : s == LOCK_HELD ? "held" : "unknown";
}

bool k_locks_tell(const struct kernel *k)
{
	return k_has(k, F(qspinlock, val)) && !k_has(k, F(rwbase_rt, readers));
}

static enum lock_state state_of(struct kernel *k, uint64_t va, uint32_t mask)
{
	uint32_t word;

	if (!va || !k_locks_tell(k) || !k_u32(k, va, &word))
		return LOCK_UNKNOWN;
	return word & mask ? LOCK_HELD : LOCK_FREE;
}

enum lock_state k_spinlock(struct kernel *k, uint64_t va)
{
	return state_of(k, va, UINT32_MAX);
}

enum lock_state k_rwlock_writer(struct kernel *k, uint64_t va)
{
	return state_of(k, va, 0xff);
}
