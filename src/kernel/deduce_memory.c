// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory of the machine: nodes, which their zones point back to; counters, whose global ones are
// the sums of theirs; areas of swap.
#include "src/kernel/deduce.h"

enum {
	MAX_NODES = 1024,
	MAX_COUNTERS = 128,
	MAX_SWAPFILES = 32,
	SWP_IN_USE = 3, // SWP_USED | SWP_WRITEOK, include/linux/swap.h
	SWP_FLAGS = 0xffff,
	S_IFMT_ = 0170000,
	S_IFBLK_ = 0060000,
	S_IFREG_ = 0100000,
};
#define SWAP_USAGE_BITS ((1ULL << 62) - 1) // the highest ones are flags since 6.13

static uint64_t zone_at(const struct kernel *k, uint64_t node, size_t i)
{
	const struct field_place *zones = &k->field[F(pglist_data, node_zones)];

	return node + zones->off + i * zones->elem_size;
}

static bool is_node(struct kernel *k, uint64_t va)
{
	size_t n = k->field[F(pglist_data, node_zones)].n_elem;

	for (size_t i = 0; i < n; i++)
		if (k_or0(k, zone_at(k, va, i), F(zone, zone_pgdat)) != va)
			return false;
	return n > 0;
}

// Without NUMA there is one node, in the image; its zones' pointers back lie in it, too.
void see_node(struct deduction *d, const struct word *w)
{
	struct kernel *k = d->k;
	uint64_t id;

	if (!w->part->writable || !k_has(k, F(zone, zone_pgdat)) ||
	    !k_has(k, F(pglist_data, node_zones)))
		return;
	if (w->at == zone_at(k, w->value, 0) + k->field[F(zone, zone_pgdat)].off &&
	    is_node(k, w->value))
		deduce_set(d, S(contig_page_data), w->value);
	else if (!k->symbol[S(node_data)] && deduce_is_direct(d, w->value) && w->value % 64 == 0 &&
		 is_node(k, w->value) && k_get(k, w->value, F(pglist_data, node_id), &id) &&
		 id < MAX_NODES)
		deduce_set(d, S(node_data), w->at - id * 8);
}

// --- counters ---

struct sums {
	uint64_t managed, reserve, zone[MAX_COUNTERS], node[MAX_COUNTERS];
	size_t n_nodes;
};

static size_t n_counters(const struct kernel *k, enum field f)
{
	size_t n = k_has(k, f) ? k->field[f].n_elem : 0;

	return n < MAX_COUNTERS ? n : MAX_COUNTERS;
}

static void add_counters(struct kernel *k, uint64_t base, enum field f, uint64_t *sum)
{
	uint64_t v;

	for (size_t i = 0; i < n_counters(k, f); i++)
		if (k_u64(k, k_field_va(k, base, f) + i * 8, &v))
			sum[i] += v;
}

static void add_node(struct kernel *k, uint64_t node, struct sums *s)
{
	s->n_nodes++;
	s->reserve += k_or0(k, node, F(pglist_data, totalreserve_pages));
	add_counters(k, node, F(pglist_data, vm_stat), s->node);
	for (size_t i = 0; i < k->field[F(pglist_data, node_zones)].n_elem; i++) {
		s->managed += k_or0(k, zone_at(k, node, i), F(zone, managed_pages));
		add_counters(k, zone_at(k, node, i), F(zone, vm_stat), s->zone);
	}
}

// The array of global counters is where the sums stand one after the other.
static void find_counters(struct deduction *d, enum symbol s, const uint64_t *sum, size_t n)
{
	uint8_t bytes[MAX_COUNTERS * 8];

	for (size_t i = 0; i < n * 8; i++)
		bytes[i] = (uint8_t)(sum[i / 8] >> i % 8 * 8);
	uint64_t at = n >= 4 ? deduce_find_bytes(d, bytes, n * 8, 8) : 0;
	if (at)
		deduce_set(d, s, at);
}

void deduce_counters(struct deduction *d)
{
	struct kernel *k = d->k;
	struct sums s = {0};
	uint64_t node, nodes = k->symbol[S(node_data)];

	for (size_t i = 0; nodes && i < MAX_NODES; i++)
		if (k_u64(k, nodes + i * 8, &node) && node && is_node(k, node))
			add_node(k, node, &s);
		else if (s.n_nodes)
			break;
	if (!nodes && k->symbol[S(contig_page_data)])
		add_node(k, k->symbol[S(contig_page_data)], &s);
	if (!s.n_nodes)
		return;
	deduce_value(d, S(_totalram_pages), s.managed);
	if (k_has(k, F(pglist_data, totalreserve_pages)))
		deduce_value(d, S(totalreserve_pages), s.reserve);
	find_counters(d, S(vm_zone_stat), s.zone, n_counters(k, F(zone, vm_stat)));
	find_counters(d, S(vm_node_stat), s.node, n_counters(k, F(pglist_data, vm_stat)));
}

// --- swap ---

static bool is_swap_info(struct kernel *k, uint64_t si)
{
	uint64_t flags = k_or0(k, si, F(swap_info_struct, flags));

	if ((flags & SWP_IN_USE) != SWP_IN_USE || flags > SWP_FLAGS)
		return false;
	uint64_t pages = k_or0(k, si, F(swap_info_struct, pages));
	uint64_t max = k_or0(k, si, F(swap_info_struct, max));
	uint64_t used = k_or0(k, si, F(swap_info_struct, inuse_pages)) & SWAP_USAGE_BITS;
	uint64_t file = k_or0(k, si, F(swap_info_struct, swap_file));
	uint64_t inode = k_or0(k, file, F(file, f_inode));
	uint64_t kind = k_or0(k, inode, F(inode, i_mode)) & S_IFMT_;
	uint64_t dentry = k_or0(k, k_field_va(k, file, F(file, f_path)), F(path, dentry));

	return pages > 0 && pages < max && used <= pages &&
	       (kind == S_IFBLK_ || kind == S_IFREG_) &&
	       k_or0(k, dentry, F(dentry, d_inode)) == inode;
}

// An element of swap_info[].
void see_swap_info(struct deduction *d, const struct word *w)
{
	uint64_t type;

	if (!w->part->writable || d->swap_info || !k_has(d->k, F(swap_info_struct, swap_file)) ||
	    !deduce_is_direct(d, w->value) || w->value % 8 != 0 || !is_swap_info(d->k, w->value) ||
	    !k_get(d->k, w->value, F(swap_info_struct, type), &type) || type >= MAX_SWAPFILES)
		return;
	d->swap_info = w->at - type * 8;
}

// total_swap_pages and nr_swap_pages are sums over all areas; no area is an answer, too.
void deduce_swap(struct deduction *d)
{
	uint64_t total = 0, used = 0, si;

	if (!d->swap_info && !d->whole)
		return;
	for (uint64_t i = 0; d->swap_info && i < MAX_SWAPFILES; i++)
		if (k_u64(d->k, d->swap_info + i * 8, &si) && deduce_is_direct(d, si) &&
		    is_swap_info(d->k, si)) {
			total += k_or0(d->k, si, F(swap_info_struct, pages));
			used += k_or0(d->k, si, F(swap_info_struct, inuse_pages)) & SWAP_USAGE_BITS;
		}
	deduce_value(d, S(total_swap_pages), total);
	deduce_value(d, S(nr_swap_pages), total - used);
}
