// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizable hash tables: lib/rhashtable.c. A bucket is a tagged pointer to a chain that ends in an
// odd address; a table being resized has a second one behind future_tbl; a large one is nested.
#include "src/kernel/iter.h"

enum { MAX_TABLES = 4, MAX_BUCKETS = 1 << 20, PART = PAGE_SIZE / 8 /* buckets */ };

struct rhash {
	struct kernel *k;
	uint64_t left; // nodes that may still come
	void (*visit)(void *arg, uint64_t rhash_head);
	void *arg;
	enum iter_end worst;
};

// False if the walk must end.
static bool scan_chain(struct rhash *h, uint64_t first)
{
	struct chain_iter it;
	uint64_t head;

	chain_begin(&it, h->k, first, h->k->field[F(rhash_head, next)].off, h->left);
	it.odd_ends = true;
	while (chain_next(&it, &head))
		h->visit(h->arg, head);
	h->left -= it.n < h->left ? it.n : h->left;
	if (it.end != ITER_END)
		h->worst = it.end;
	return it.end != ITER_LIMIT;
}

// n buckets from va on.
static bool scan_part(struct rhash *h, uint64_t va, size_t n)
{
	uint8_t part[PAGE_SIZE];
	size_t word = h->k->word;

	if (!k_read(h->k, va, part, n * word)) {
		h->worst = ITER_FAULT;
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		// bit 0 of a bucket is its lock (since 5.2); an empty one is NULL or holds a marker
		uint64_t raw = k_ptr_in(h->k, part + i * word), first = raw & ~1ULL;
		bool empty = first == 0 || first == va + i * word ||
			     (raw & 1 && !k_plausible(h->k, first));
		if (!empty && !scan_chain(h, first))
			return false;
	}
	return true;
}

static bool scan_table(struct rhash *h, uint64_t tbl)
{
	struct kernel *k = h->k;
	uint64_t size, buckets = k_field_va(k, tbl, F(bucket_table, buckets));

	if (!buckets || !k_get(k, tbl, F(bucket_table, size), &size) || size > MAX_BUCKETS) {
		h->worst = ITER_FAULT;
		return true;
	}
	if (k_or0(k, tbl, F(bucket_table, nest))) {
		h->worst = ITER_LIMIT; // only where memory was too short for a flat one
		return true;
	}
	for (uint64_t i = 0; i < size; i += PART)
		if (!scan_part(h, buckets + i * k->word,
			       size - i < PART ? (size_t)(size - i) : PART))
			return false;
	return true;
}

static bool was_scanned(const uint64_t *tables, size_t n, uint64_t tbl)
{
	for (size_t i = 0; i < n; i++)
		if (tables[i] == tbl)
			return true;
	return false;
}

enum iter_end rhash_scan(struct kernel *k, uint64_t table, uint64_t max,
			 void (*visit)(void *, uint64_t), void *arg)
{
	struct rhash h = {k, max, visit, arg, ITER_END};
	uint64_t tables[MAX_TABLES], tbl = k_or0(k, table, F(rhashtable, tbl));

	if (!tbl)
		return ITER_FAULT;
	for (size_t n = 0; tbl; n++) {
		if (n == MAX_TABLES || was_scanned(tables, n, tbl))
			return ITER_CYCLE;
		tables[n] = tbl;
		if (!scan_table(&h, tbl))
			break;
		tbl = k_or0(k, tbl, F(bucket_table, future_tbl));
	}
	return h.worst;
}
