// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's account of its memory: fs/proc/meminfo.c, from the global counters that it prints
// (what CPUs have counted but not yet added to them is not in /proc/meminfo either).
#include "src/walk/system.h"

enum { MAX_INODES = 1 << 22, WMARK_LOW = 1 };
// swapper_spaces has one for each swap file and 64 MiB of it (mm/swap_state.c).
enum { MAX_SWAPFILES = 23, MAX_SPACES = 1 << 16 };

// A number of pages, or unknown.
struct pages {
	bool known;
	int64_t n;
};

static struct pages plus(struct pages a, struct pages b)
{
	return (struct pages){a.known && b.known, (int64_t)((uint64_t)a.n + (uint64_t)b.n)};
}

static struct pages minus(struct pages a, struct pages b)
{
	return (struct pages){a.known && b.known, (int64_t)((uint64_t)a.n - (uint64_t)b.n)};
}

static struct pages at_least_0(struct pages p)
{
	return (struct pages){p.known, p.n < 0 ? 0 : p.n};
}

static struct opt_int in_bytes(const struct walk *w, struct pages p)
{
	return p.known ? some_int((int64_t)((uint64_t)p.n << w->k->page_shift))
		       : (struct opt_int){0};
}

// A long, or an atomic_long_t.
static struct pages long_at(struct walk *w, uint64_t va)
{
	int64_t v;

	return va && k_long(w->k, va, &v) ? (struct pages){true, v} : (struct pages){0};
}

static struct pages variable(struct walk *w, enum symbol s)
{
	const struct deduced *d = &w->k->deduced[s];

	if (!w->k->symbol[s])
		return (struct pages){d->known, (int64_t)d->value};
	return long_at(w, w->k->symbol[s]);
}

// global_zone_page_state() or global_node_page_state(): an element of an array of atomic_long_t.
static struct pages counter(struct walk *w, enum symbol array, const char *item)
{
	uint64_t va = w->k->symbol[array];
	int64_t i;

	if (!va || !k_enum(w->k, item, &i) || i < 0 || i > 4096)
		return (struct pages){0};
	return at_least_0(long_at(w, va + (uint64_t)i * w->k->word));
}

static struct pages node_counter(struct walk *w, const char *item)
{
	return counter(w, S(vm_node_stat), item);
}

struct opt_int system_total_memory(struct walk *w)
{
	return in_bytes(w, variable(w, S(_totalram_pages)));
}

// nr_blockdev_pages(): the page cache of all inodes of the bdev file system.
static struct pages buffers(struct walk *w)
{
	uint64_t sb = 0, node, n = 0;
	struct list_iter it;

	if (!k_variable(w->k, S(blockdev_superblock), w->k->word, &sb) || !sb)
		return (struct pages){0};
	list_begin(&it, w->k, k_field_va(w->k, sb, F(super_block, s_inodes)), MAX_INODES);
	while (list_next(&it, &node)) {
		uint64_t inode = k_container(w->k, node, F(inode, i_sb_list));
		uint64_t mapping = k_or0(w->k, inode, F(inode, i_mapping));
		n += k_or0(w->k, mapping, F(address_space, nrpages));
	}
	walk_check_end(w, TABLE_memory_info, 0, sb, it.end, "the list of block devices");
	return (struct pages){it.end == ITER_END, (int64_t)n};
}

// total_swapcache_pages() before NR_SWAPCACHE (5.12): the page cache of the swap areas, each an
// array of address_space.
static struct pages old_swap_cache(struct walk *w)
{
	uint64_t spaces = w->k->symbol[S(swapper_spaces)], space, n = 0;
	uint64_t counts = w->k->symbol[S(nr_swapper_spaces)],
		 size = k_sizeof(w->k, "address_space");
	uint32_t count;

	if (!spaces || !counts)
		return (struct pages){0};
	for (size_t i = 0; i < MAX_SWAPFILES; i++) {
		if (!k_ptr(w->k, spaces + i * w->k->word, &space) ||
		    !k_u32(w->k, counts + i * 4, &count))
			return (struct pages){0};
		for (uint32_t j = 0; space && j < count && j < MAX_SPACES; j++)
			n += k_or0(w->k, space + j * size, F(address_space, nrpages));
	}
	return (struct pages){true, (int64_t)n};
}

static struct pages swap_cache(struct walk *w)
{
	struct pages p = node_counter(w, "NR_SWAPCACHE");

	return p.known ? p : old_swap_cache(w);
}

// --- MemAvailable ---

struct watermark_sum {
	struct walk *w;
	struct pages pages;
};

static bool add_watermarks(void *arg, uint64_t node)
{
	struct watermark_sum *sum = arg;
	const struct field_place *zones = &sum->w->k->field[F(pglist_data, node_zones)];
	uint64_t low;

	for (size_t i = 0; i < zones->n_elem; i++) {
		uint64_t zone = node + zones->off + i * zones->elem_size;
		if (!k_get_at(sum->w->k, zone, F(zone, watermark), WMARK_LOW, &low))
			return false;
		low += k_or0(sum->w->k, zone, F(zone, watermark_boost));
		sum->pages = plus(sum->pages, (struct pages){true, (int64_t)low});
	}
	return zones->n_elem != 0;
}

// The sum of low_wmark_pages() over all zones.
static struct pages watermarks(struct walk *w)
{
	struct watermark_sum sum = {w, {true, 0}};

	return system_each_node(w, add_watermarks, &sum) ? sum.pages : (struct pages){0};
}

// What of p can be taken: not its half or the watermarks, whichever is less.
static struct pages takeable(struct pages p, struct pages low)
{
	int64_t kept = p.n / 2 < low.n ? p.n / 2 : low.n;

	return minus(p, (struct pages){low.known, kept});
}

// si_mem_available(), mm/show_mem.c.
static struct pages available(struct walk *w, struct pages free)
{
	struct pages low = watermarks(w);
	struct pages cache =
		plus(node_counter(w, "NR_ACTIVE_FILE"), node_counter(w, "NR_INACTIVE_FILE"));
	struct pages slab = plus(node_counter(w, "NR_SLAB_RECLAIMABLE_B"),
				 node_counter(w, "NR_KERNEL_MISC_RECLAIMABLE"));
	struct pages sum = minus(free, variable(w, S(totalreserve_pages)));

	sum = plus(sum, takeable(cache, low));
	return at_least_0(plus(sum, takeable(slab, low)));
}

static void run(struct walk *w)
{
	struct pages free = counter(w, S(vm_zone_stat), "NR_FREE_PAGES");
	struct pages block = buffers(w), swap = swap_cache(w);
	struct pages cached = minus(minus(node_counter(w, "NR_FILE_PAGES"), swap), block);
	struct row_memory_info row = {
		.memory_total = system_total_memory(w),
		.memory_free = in_bytes(w, free),
		.memory_available = in_bytes(w, available(w, free)),
		.buffers = in_bytes(w, block),
		.cached = in_bytes(w, at_least_0(cached)),
		.swap_cached = in_bytes(w, swap),
		.active = in_bytes(w, plus(node_counter(w, "NR_ACTIVE_ANON"),
					   node_counter(w, "NR_ACTIVE_FILE"))),
		.inactive = in_bytes(w, plus(node_counter(w, "NR_INACTIVE_ANON"),
					     node_counter(w, "NR_INACTIVE_FILE"))),
		.swap_total = in_bytes(w, variable(w, S(total_swap_pages))),
		.swap_free = in_bytes(w, variable(w, S(nr_swap_pages))),
	};
	if (!row.memory_total.set && !row.memory_free.set) {
		walk_unavailable(w, TABLE_memory_info,
				 "the kernel's symbols have no _totalram_pages and vm_zone_stat");
		return;
	}
	WALK_EMIT(w, memory_info, &row);
}

const struct extractor walk_memory = {
	.name = "memory",
	.tables = {TABLE_memory_info},
	.n_tables = 1,
	.run = run,
};
