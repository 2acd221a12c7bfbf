// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest's image with bytes changed on their way in: what an attacker inside of it could have
// written. The file itself stays as it is.
//
//	patched_begin();
//	patch_u64(task + tasks_offset, 0);
//	patched_walk();
//	cr_expect(row_log_problem(&patched.log, TABLE_processes, "memory that is not there"));
#ifndef VMI_TESTS_PATCHED_IMAGE_H
#define VMI_TESTS_PATCHED_IMAGE_H

#include "formats/fmt.h"
#include "src/walk/tasks.h"
#include "tests/unit/row_log.h"

struct patch {
	uint64_t pa;
	uint8_t byte;
	bool absent; // the whole page
};

// One a process.
extern struct patched {
	struct image *img;
	struct kernel *k; // found without patches, or by patched_find()
	struct walk w;	  // the last one
	struct row_log log;
	size_t honest[TABLE_COUNT]; // rows without patches
	int64_t ns, find_ns;	    // of the CPU, that the last walk and the last search took
	bool recording;
	VEC(uint64_t) touched; // pages that were read while recording, once each
	struct u64map is_touched;
	VEC(struct patch) patches;
} patched;

// Opens the image of VMISCAN_IMAGE or VMISCAN_SAMPLE, finds its kernel and walks it once. Skips the
// test if neither is set.
void patched_begin(void);
void patched_close(void);

// Changes bytes at a physical, or a kernel virtual address.
void patch_pa(uint64_t pa, const void *bytes, size_t n);
void patch_bytes(uint64_t va, const void *bytes, size_t n);
void patch_u64(uint64_t va, uint64_t v);
void patch_u32(uint64_t va, uint32_t v);
void patch_field(uint64_t base, enum field f, uint64_t v);
// The page of this physical address is not in the image.
void patch_absent(uint64_t pa);
void patch_none(void);
uint64_t patched_pa(uint64_t va);

// All extractors, with what was read before forgotten.
void patched_walk(void);
// The same, and all rows are kept in the log; else those of problems and coverage only.
void patched_walk_kept(void);
// The same as patched_walk(); fails the test if it took long even for one that a sanitizer looks
// at.
void patched_walk_soon(void);
// Looks for the kernel anew, in the patched image. NULL if it was found.
struct err *patched_find(void);

// The table must say that it is not all there, and why.
void patched_expect_partial(enum table_id table, const char *part);

// --- the guest ---

// The address of a field, and what is in it.
#define FIELD_VA(base, type, name) k_field_va(patched.k, base, F(type, name))
#define READ(base, type, name)	   k_or0(patched.k, base, F(type, name))

// The address in the first row of a table whose column has this value. Skips the test if there is
// none.
uint64_t patched_address(enum table_id table, const char *column, const char *value,
			 const char *address);

// The n-th process (from 0) that lives and has memory and files; fails the test if there is none.
struct task patched_process(size_t n);

#endif
