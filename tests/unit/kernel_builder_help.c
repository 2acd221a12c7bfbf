// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests of a few pages, laid out by hand.
#include "tests/unit/kernel_builder.h"

#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

#define SIZE	    ((uint64_t)GUEST_PAGES * PAGE_SIZE)
#define ADDR	    0x000ffffffffff000ULL
#define DIRECT_MAP4 0xffff888000000000ULL
#define DIRECT_MAP5 0xff11000000000000ULL

static struct err *guest_read(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			      void *buf, size_t n, size_t *got)
{
	struct guest *g = (struct guest *)src;
	uint64_t pa = run->pa + delta;

	cr_assert(pa + n <= SIZE);
	g->reads++;
	*got = 0;
	while (*got < n && !g->absent[(pa + *got) / PAGE_SIZE]) {
		size_t part = PAGE_SIZE - (pa + *got) % PAGE_SIZE;
		part = part < n - *got ? part : n - *got;
		memcpy((uint8_t *)buf + *got, g->bytes + pa + *got, part);
		*got += part;
	}
	return NULL;
}

static const struct mem_run all = {.size = SIZE, .state = MEM_PRESENT};

struct guest *guest_new(unsigned levels)
{
	struct guest *g = mem_zalloc(1, sizeof(*g));

	g->source.read = guest_read;
	g->levels = levels;
	kernel_set_arch(&g->k, ARCH_X86_64);
	g->bytes = mem_zalloc(SIZE, 1);
	g->absent = mem_zalloc(GUEST_PAGES, sizeof(*g->absent));
	g->next = PAGE_SIZE;
	g->root = guest_page(g);
	cr_assert_null(physmem_new(&g->source, &all, 1, &g->k.mem));
	guest_map(g, guest_va(g, 0), 0, SIZE, 2 << 20, GUEST_RW);
	return g;
}

void guest_free(struct guest *g)
{
	physmem_free(g->k.mem);
	mem_free(g->bytes);
	mem_free(g->absent);
	mem_free(g);
}

// --- memory ---

uint64_t guest_va(const struct guest *g, uint64_t pa)
{
	return pa + (g->levels == 5 ? DIRECT_MAP5 : DIRECT_MAP4);
}

uint64_t guest_pa(const struct guest *g, uint64_t va)
{
	cr_assert(va >= guest_va(g, 0) && va < guest_va(g, SIZE));
	return va - guest_va(g, 0);
}

uint64_t guest_alloc(struct guest *g, size_t n)
{
	uint64_t pa = (g->next + 255) & ~255ULL;

	cr_assert(n <= SIZE - pa);
	g->next = pa + n;
	return guest_va(g, pa);
}

uint64_t guest_page(struct guest *g)
{
	uint64_t pa = (g->next + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);

	cr_assert(pa + PAGE_SIZE <= SIZE);
	g->next = pa + PAGE_SIZE;
	return pa;
}

// What was read may be in a cache; the first change after a read empties them all.
static void forget(struct guest *g)
{
	if (!g->k.mem)
		return;
	if (g->reads || !g->k.as.mem) {
		cr_assert_null(physmem_move(g->k.mem, &all, 1));
		aspace_init(&g->k.as, g->k.mem, g->root, paging_x86_64(g->levels));
	}
	g->reads = 0;
}

void guest_drop(struct guest *g, uint64_t pa)
{
	g->absent[pa / PAGE_SIZE] = true;
	forget(g);
}

static void put_pa(struct guest *g, uint64_t pa, const void *bytes, size_t n)
{
	cr_assert(pa < SIZE && n <= SIZE - pa);
	memcpy(g->bytes + pa, bytes, n);
	forget(g);
}

void guest_put(struct guest *g, uint64_t va, const void *bytes, size_t n)
{
	put_pa(g, guest_pa(g, va), bytes, n);
}

void put_u64(struct guest *g, uint64_t va, uint64_t v)
{
	guest_put(g, va, &v, sizeof(v)); // this host is little-endian, as the guest
}

void put_u32(struct guest *g, uint64_t va, uint32_t v)
{
	guest_put(g, va, &v, sizeof(v));
}

void put_links(struct guest *g, uint64_t node, uint64_t next, uint64_t prev)
{
	put_u64(g, node, next);
	put_u64(g, node + 8, prev);
}

void put_ring(struct guest *g, const uint64_t *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_links(g, nodes[i], nodes[(i + 1) % n], nodes[(i + n - 1) % n]);
}

// --- page tables ---

static unsigned shift_of(unsigned level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static uint64_t slot_of(uint64_t table, uint64_t va, unsigned level)
{
	return table + (va >> shift_of(level) & 0x1ff) * 8;
}

uint64_t guest_entry(const struct guest *g, uint64_t root, uint64_t va, unsigned level)
{
	uint64_t table = root;

	for (unsigned at = g->levels; at > level; at--) {
		uint64_t entry = le64(g->bytes + slot_of(table, va, at));
		cr_assert(entry & GUEST_PRESENT, "no table below level %u", at);
		table = entry & ADDR;
	}
	return slot_of(table, va, level);
}

void put_entry(struct guest *g, uint64_t entry_pa, uint64_t v)
{
	put_pa(g, entry_pa, &v, sizeof(v));
}

static void map_page(struct guest *g, uint64_t root, uint64_t va, unsigned leaf, uint64_t entry)
{
	uint64_t table = root;

	for (unsigned level = g->levels; level > leaf; level--) {
		uint64_t slot = slot_of(table, va, level);
		if (!(g->bytes[slot] & GUEST_PRESENT))
			put_entry(g, slot, guest_page(g) | GUEST_RW | GUEST_USER);
		table = le64(g->bytes + slot) & ADDR;
	}
	put_entry(g, slot_of(table, va, leaf), entry);
}

void guest_map_in(struct guest *g, uint64_t root, uint64_t va, uint64_t pa, uint64_t size,
		  uint64_t page, uint64_t flags)
{
	unsigned leaf = page == 1 << 30 ? 3 : page == 2 << 20 ? 2 : 1;

	if (leaf > 1)
		flags |= GUEST_LARGE;
	for (uint64_t off = 0; off < size; off += page) {
		bool none = !(flags & GUEST_PRESENT) && (flags & GUEST_PROT_NONE);
		uint64_t frame = (none ? ~(pa + off) : pa + off) & ADDR & ~(page - 1);
		map_page(g, root, va + off, leaf, frame | flags);
	}
}

void guest_map(struct guest *g, uint64_t va, uint64_t pa, uint64_t size, uint64_t page,
	       uint64_t flags)
{
	guest_map_in(g, g->root, va, pa, size, page, flags);
}

// --- fields ---

static void place(struct guest *g, enum field f, struct field_place p)
{
	p.present = true;
	g->k.field[f] = p;
}

void guest_place(struct guest *g, enum field f, uint32_t off, uint32_t size)
{
	guest_place_array(g, f, off, size, 1);
}

void guest_place_signed(struct guest *g, enum field f, uint32_t off, uint32_t size)
{
	place(g, f,
	      (struct field_place){
		      .off = off, .size = size, .elem_size = size, .n_elem = 1, .is_signed = true});
}

void guest_place_array(struct guest *g, enum field f, uint32_t off, uint32_t size, uint32_t n)
{
	place(g, f,
	      (struct field_place){.off = off, .size = size * n, .elem_size = size, .n_elem = n});
}

void guest_place_bits(struct guest *g, enum field f, uint32_t off, unsigned bit, unsigned width)
{
	place(g, f,
	      (struct field_place){.off = off,
				   .size = 4,
				   .elem_size = 4,
				   .n_elem = 1,
				   .bit_off = (uint8_t)bit,
				   .bit_size = (uint8_t)width});
}

void guest_unplace(struct guest *g, enum field f)
{
	g->k.field[f] = (struct field_place){0};
}

uint32_t guest_struct(struct guest *g, const char *type)
{
	size_t n = strlen(type);
	uint32_t off = 0;

	for (size_t f = 0; f < FIELD_COUNT; f++) {
		const char *name = field_name((enum field)f);
		if (strncmp(name, type, n) != 0 || name[n] != '.')
			continue;
		guest_place(g, (enum field)f, off, 8);
		off += 16;
	}
	cr_assert(off > 0, "no field of %s is used", type);
	return off;
}

uint64_t guest_field(const struct guest *g, uint64_t base, enum field f)
{
	cr_assert(g->k.field[f].present, "%s has no place", field_name(f));
	return base + g->k.field[f].off;
}

void guest_set(struct guest *g, uint64_t base, enum field f, uint64_t v)
{
	const struct field_place *p = &g->k.field[f];
	uint64_t va = guest_field(g, base, f);
	size_t n = p->elem_size < 8 ? p->elem_size : 8;

	if (p->bit_size) {
		uint64_t old = le64(g->bytes + guest_pa(g, va));
		uint64_t mask = (p->bit_size == 64 ? 0 : 1ULL << p->bit_size) - 1;
		v = (old & ~(mask << p->bit_off)) | (v & mask) << p->bit_off;
		n = 8;
	}
	guest_put(g, va, &v, n);
}
