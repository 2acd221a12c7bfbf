// SPDX-License-Identifier: LGPL-2.1-or-later
// Program headers of an ELF core -> runs of physical memory.
//
// Overlap is normal. A paging dump of QEMU (dump-guest-memory -p) has a header for each virtual
// mapping, so the same physical page comes up thousands of times, always at the same file offset;
// a vmcore has the kernel's text once for itself and once inside RAM, at two offsets with the same
// bytes. Of overlapping parts the one that starts lower, then the longer, is taken.
#include "formats/elfcore.h"

#include <stdlib.h>

enum {
	BATCH = 4096,
	// Four times what a paging dump of a large guest has; QEMU needs hours to write more.
	MAX_HEADERS = 1 << 22,
	MOST_VIEWS = 4, // of one part of the file at several physical addresses
};

// x86-64 has at most 52 physical address bits; what is beyond is a virtual address, or -1.
static const uint64_t PHYS_LIMIT = UINT64_C(1) << 52;

static void take_note(struct elfcore_map *m, const Elf64_Phdr *p)
{
	if (m->n_notes < ELFCORE_MAX_NOTE_SEGMENTS)
		m->notes[m->n_notes++] = *p;
}

static void add_run(struct elfcore_map *m, uint64_t pa, uint64_t size, uint64_t off)
{
	struct mem_run *last = m->runs.n ? &m->runs.at[m->runs.n - 1] : NULL;

	if (last && pa == last->pa + last->size && off == last->off + last->size)
		last->size += size;
	else
		vec_push(&m->runs, ((struct mem_run){pa, size, off, MEM_PRESENT}));
}

// Only what the file has; what was promised beyond its end is remembered.
static void take_load(struct elfcore_map *m, const Elf64_Phdr *p, uint64_t file_size)
{
	uint64_t end;

	if (p->p_filesz == 0)
		return;
	m->n_loads++;
	m->n_at_zero += p->p_paddr == 0;
	m->n_linear += p->p_paddr == 0 || p->p_paddr == p->p_vaddr;
	if (p->p_paddr >= PHYS_LIMIT) {
		m->n_virtual++;
		return;
	}
	if (p->p_filesz > PHYS_LIMIT - p->p_paddr) {
		m->n_impossible++;
		return;
	}
	if (__builtin_add_overflow(p->p_offset, p->p_filesz, &end))
		end = UINT64_MAX;
	if (end > m->promised_end)
		m->promised_end = end;
	if (p->p_offset < file_size)
		add_run(m, p->p_paddr, (end < file_size ? end : file_size) - p->p_offset,
			p->p_offset);
}

static struct err *map_batch(const struct elf_file *f, struct elfcore_map *m, uint64_t first,
			     Elf64_Phdr *batch, size_t n)
{
	size_t got;

	TRY(elf_phdrs(f, first, batch, n, &got));
	m->headers_cut |= got < n;
	for (size_t i = 0; i < got; i++) {
		if (batch[i].p_type == PT_NOTE)
			take_note(m, &batch[i]);
		else if (batch[i].p_type == PT_LOAD)
			take_load(m, &batch[i], f->io->size);
	}
	return NULL;
}

// No more at once than the file can have, and one to see that it ends.
static size_t batch_size(const struct elf_file *f)
{
	uint64_t most = f->io->size / sizeof(Elf32_Phdr) + 1;

	if (most > f->n_phdrs)
		most = f->n_phdrs;
	return most < BATCH ? (size_t)most : BATCH;
}

struct err *elfcore_map(const struct elf_file *f, struct elfcore_map *m)
{
	size_t room = batch_size(f);
	_cleanup_free_ Elf64_Phdr *batch = mem_alloc(room * sizeof(*batch));

	if (f->n_phdrs > MAX_HEADERS)
		return err_new(ERR_LIMIT, "it has %llu program headers; %d are read at most",
			       (unsigned long long)f->n_phdrs, MAX_HEADERS);
	for (uint64_t i = 0; i < f->n_phdrs && !m->headers_cut; i += room) {
		uint64_t left = f->n_phdrs - i;
		TRY(map_batch(f, m, i, batch, left < room ? (size_t)left : room));
	}
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	const struct mem_run *x = a, *y = b;

	if (x->pa != y->pa)
		return x->pa < y->pa ? -1 : 1;
	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

void elfcore_settle(struct elfcore_map *m)
{
	size_t n = m->runs.n;
	uint64_t covered = 0; // every run from here on starts at or above the one before it

	if (n > 0)
		qsort(m->runs.at, n, sizeof(*m->runs.at), by_address);
	m->runs.n = 0;
	for (size_t i = 0; i < n; i++) {
		struct mem_run r = m->runs.at[i];
		uint64_t end = r.pa + r.size, skip = r.pa < covered ? covered - r.pa : 0;
		if (skip >= r.size)
			continue;
		add_run(m, r.pa + skip, r.size - skip, r.off + skip);
		covered = end;
	}
}

// Two headers may show one part of the file at two places (the text of a vmcore), but not many.
struct err *elfcore_check_size(const struct elfcore_map *m, uint64_t file_size)
{
	uint64_t claimed = 0;

	for (size_t i = 0; i < m->runs.n; i++)
		if (__builtin_add_overflow(claimed, m->runs.at[i].size, &claimed))
			claimed = UINT64_MAX;
	if (claimed / MOST_VIEWS <= file_size)
		return NULL;
	return err_new(ERR_FORMAT, "its segments claim %llu bytes of a file of %llu",
		       (unsigned long long)claimed, (unsigned long long)file_size);
}
