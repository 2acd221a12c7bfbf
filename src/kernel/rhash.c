// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizable hash tables: lib/rhashtable.c. A bucket is a tagged pointer to a chain that ends in an
// odd address; a table being resized has a second one behind future_tbl; a large one is nested.
#include "src/kernel/iter.h"

enum { MAX_TABLES = 8, MAX_BUCKETS = 1 << 24 };

static enum iter_end scan_chain(struct kernel *k, uint64_t first, uint64_t max, uint64_t *seen,
				void (*visit)(void *, uint64_t), void *arg)
{
	struct chain_iter it;
	uint64_t head;

	chain_begin(&it, k, first, k->field[F(rhash_head, next)].off, max - *seen);
	while (chain_next(&it, &head))
		visit(arg, head);
	*seen += it.n;
	return it.end;
}

static enum iter_end scan_table(struct kernel *k, uint64_t tbl, uint64_t max,
				void (*visit)(void *, uint64_t), void *arg)
{
	uint64_t size, buckets = k_field_va(k, tbl, F(bucket_table, buckets)), seen = 0;
	enum iter_end worst = ITER_END;

	if (!buckets || !k_get(k, tbl, F(bucket_table, size), &size) || size > MAX_BUCKETS)
		return ITER_FAULT;
	if (k_or0(k, tbl, F(bucket_table, nest)))
		return ITER_LIMIT; // nested tables appear only where memory was too short for a
				   // flat one
	for (uint64_t i = 0; i < size; i++) {
		uint64_t first;
		if (!k_u64(k, buckets + i * 8, &first))
			return ITER_FAULT;
		// bit 0 of a bucket is its lock (since 5.2); an empty one is NULL or holds a marker
		first &= ~1ULL;
		if (!k_plausible(first) || first == buckets + i * 8)
			continue;
		enum iter_end e = scan_chain(k, first, max, &seen, visit, arg);
		if (e != ITER_END)
			worst = e;
	}
	return worst;
}

enum iter_end rhash_scan(struct kernel *k, uint64_t table, uint64_t max,
			 void (*visit)(void *, uint64_t), void *arg)
{
	uint64_t tbl = k_or0(k, table, F(rhashtable, tbl));
	enum iter_end worst = ITER_END;

	if (!tbl)
		return ITER_FAULT;
	for (int i = 0; i < MAX_TABLES && tbl; i++) {
		enum iter_end e = scan_table(k, tbl, max, visit, arg);
		if (e != ITER_END)
			worst = e;
		tbl = k_or0(k, tbl, F(bucket_table, future_tbl));
	}
	return tbl ? ITER_CYCLE : worst;
}
