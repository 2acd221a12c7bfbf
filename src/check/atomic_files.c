// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptor tables: who uses them, and that their bitmap goes with their slots. fs/file.c
#include "src/check/atomicity.h"

#include <inttypes.h>

enum { WORD = 64, MAX_FDS = 1 << 20 };

// 64 bits of the bitmap and the slots that they are about.
struct fd_word {
	uint64_t bits, filled, file[WORD];
};

static bool read_word(struct kernel *k, uint64_t fdt, uint64_t i, struct fd_word *word)
{
	uint64_t slots = k_or0(k, fdt, F(fdtable, fd)), open = k_or0(k, fdt, F(fdtable, open_fds));
	uint8_t raw[WORD * 8];
	size_t size = (size_t)WORD * k->word;

	if (!slots || !open || !k_u64(k, open + i * 8, &word->bits) ||
	    !k_read(k, slots + i * size, raw, size))
		return false;
	word->filled = 0;
	for (size_t bit = 0; bit < WORD; bit++) {
		word->file[bit] = k_ptr_in(k, raw + bit * k->word);
		word->filled |= (uint64_t)(word->file[bit] != 0) << bit;
	}
	return true;
}

static void check_word(struct atomicity *a, struct violation v, uint64_t i,
		       const struct fd_word *word)
{
	v.rule = INV_file_bits;
	if (word->filled & ~word->bits)
		rule_broken(a, &v, "fds=%" PRIu64 ".. open_fds=0x%" PRIx64 " files=0x%" PRIx64,
			    i * WORD, word->bits, word->filled);
	else
		rule_holds(a, v.rule);
	v.rule = INV_file_slots;
	v.lock = LOCK_FREE;
	v.task = NULL; // legal between alloc_fd() and fd_install()
	if (word->bits & ~word->filled)
		rule_broken(a, &v, "fds=%" PRIu64 ".. open_fds=0x%" PRIx64 " files=0x%" PRIx64,
			    i * WORD, word->bits, word->filled);
	else
		rule_holds(a, v.rule);
}

// Since 6.13 the count is that of references beside the first, and negative if there is none.
static bool has_references(struct kernel *k, uint64_t file, uint64_t *count)
{
	if (k_has(k, F(file, f_ref)))
		return k_get(k, file, F(file, f_ref), count) && (int64_t)*count >= 0;
	return k_get(k, file, F(file, f_count), count) && (int64_t)*count > 0;
}

static void check_file(struct atomicity *a, const struct task *t, uint64_t file)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_file_refs, .task = t, .class = "attribute-changed"};
	uint64_t path = k_field_va(k, file, F(file, f_path)), count = 0, inode, own;
	uint64_t dentry = path ? k_or0(k, path, F(path, dentry)) : 0;

	if (!k_plausible(k, file) || !u64map_add(&a->files_seen, file, 0))
		return;
	vec_push(&a->files, file);
	if (!k_get(k, file, F(file, f_inode), &inode) ||
	    !k_get(k, dentry, F(dentry, d_inode), &own))
		rule_unevaluable(a, v.rule);
	else if (has_references(k, file, &count) && inode == own)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v,
			    "file=0x%016" PRIx64 " count=%" PRId64 " f_inode=0x%016" PRIx64
			    " d_inode=0x%016" PRIx64,
			    file, (int64_t)count, inode, own);
}

static void check_table(struct atomicity *a, const struct task *t, uint64_t files)
{
	struct kernel *k = a->w->k;
	uint64_t fdt = k_or0(k, files, F(files_struct, fdt)), max = 0;
	struct violation v = {
		.lock = k_spinlock(k, k_field_va(k, files, F(files_struct, file_lock))),
		.task = t,
		.class = "attribute-changed"};
	struct fd_word word;

	if (!fdt || !k_get(k, fdt, F(fdtable, max_fds), &max) || max > MAX_FDS)
		rule_unevaluable(a, INV_file_bits);
	for (uint64_t i = 0; i < max / WORD && max <= MAX_FDS && a->budget; i++, a->budget--) {
		if (!read_word(k, fdt, i, &word)) {
			rule_unevaluable(a, INV_file_bits);
			return;
		}
		if (word.bits | word.filled)
			check_word(a, v, i, &word);
		for (size_t bit = 0; word.filled && bit < WORD; bit++)
			check_file(a, t, word.file[bit]);
	}
}

static void check_users(struct atomicity *a, const struct task *t, uint64_t files, uint64_t users)
{
	struct violation v = {.rule = INV_file_counts, .task = t, .class = "attribute-changed"};
	uint64_t count;

	if (k_get(a->w->k, files, F(files_struct, count), &count))
		rule_at_least(a, &v, "files.count", count, "tasks", users);
	else
		rule_unevaluable(a, v.rule);
}

static uint64_t own_files(struct atomicity *a, const struct task *t)
{
	return k_or0(a->w->k, t->addr, F(task_struct, files));
}

void atomicity_of_files(struct atomicity *a)
{
	struct u64map users = {0}, done = {0};
	const struct task *t;

	vec_foreach (t, &a->w->tasks->all) {
		uint64_t files = own_files(a, t);
		if (files && !u64map_add(&users, files, 1))
			++*u64map_get(&users, files);
	}
	vec_foreach (t, &a->w->tasks->all) {
		uint64_t files = own_files(a, t);
		if (!files || !u64map_add(&done, files, 0))
			continue;
		check_users(a, t, files, *u64map_get(&users, files));
		check_table(a, t, files);
	}
	u64map_fini(&users);
	u64map_fini(&done);
}
