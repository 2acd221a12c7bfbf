// SPDX-License-Identifier: LGPL-2.1-or-later
// Routes of IPv4: net/ipv4/fib_trie.c. A table is a trie of keys, a leaf a list of aliases:
// prefixes of that key, longest first. The tables local and main may share one trie.
#include "src/walk/net_route.h"

#include "src/base/bytes.h"

enum {
	BUCKETS = 256,	   // FIB_TABLE_HASHSZ with IP_MULTIPLE_TABLES,
	BUCKETS_PLAIN = 2, // and without
	KEY_BITS = 32,
	MAX_ALIASES = 1 << 16, // of one key
};

static struct opt_text destination(struct walk *w, uint64_t key, uint64_t bits)
{
	uint32_t mask = bits ? ~0U << (KEY_BITS - bits) : 0;
	uint32_t net = (uint32_t)key & mask;
	uint8_t bytes[4] = {(uint8_t)(net >> 24), (uint8_t)(net >> 16), (uint8_t)(net >> 8),
			    (uint8_t)net};

	return ip_text(w, KAF_INET, bytes);
}

static void emit_alias(struct routes *r, uint64_t key, uint64_t alias)
{
	struct walk *w = r->w;
	struct kernel *k = w->k;
	uint64_t info = k_or0(k, alias, F(fib_alias, fa_info)), unset;
	uint64_t bits = KEY_BITS - k_or0(k, alias, F(fib_alias, fa_slen));

	if (!info || bits > KEY_BITS) {
		walk_problem(w, WARNING, TABLE_routes, 0, alias, "a route that can't be one");
		return;
	}
	struct route route = {
		.family = KAF_INET,
		.kind = k_or0(k, alias, F(fib_alias, fa_type)),
		.metrics = k_or0(k, info, F(fib_info, fib_metrics)),
		.nexthop = k_or0(k, info, F(fib_info, nh)),
		.hops = k_field_va(k, info, F(fib_info, fib_nh)),
		.n_hops = k_or0(k, info, F(fib_info, fib_nhs)),
		.hop_size = k_sizeof(k, "fib_nh"),
	};
	route.row = (struct row_routes){
		.destination = destination(w, key, bits),
		.netmask = some_int((int64_t)bits),
		.flags = col_int(w, info, F(fib_info, fib_flags)),
		.metric = col_int(w, info, F(fib_info, fib_priority)),
		.table_id = col_int(w, alias, F(fib_alias, tb_id)),
		.protocol = col_int(w, info, F(fib_info, fib_protocol)),
		.route_addr = some_addr(info),
	};
	if (k_get(k, info, F(fib_info, fib_prefsrc), &unset) && unset)
		route.row.source = ip_col(w, KAF_INET, info, F(fib_info, fib_prefsrc));
	route_emit(r, &route);
}

static void walk_leaf(struct routes *r, uint64_t leaf)
{
	struct kernel *k = r->w->k;
	uint64_t key = k_or0(k, leaf, F(key_vector, key)), node;
	struct chain_iter it;

	chain_begin(&it, k, k_or0(k, leaf, F(key_vector, leaf)), 0, MAX_ALIASES);
	while (chain_next(&it, &node) && route_spend(r, leaf))
		emit_alias(r, key, k_container(k, node, F(fib_alias, fa_list)));
	if (it.end != ITER_MORE)
		walk_check_end(r->w, TABLE_routes, 0, leaf, it.end, "the routes of a key");
}

// A node decides `bits` bits of the key above `pos`; those of its children lie below, so that every
// way down comes to an end.
static void walk_node(struct routes *r, uint64_t node, uint64_t above)
{
	struct kernel *k = r->w->k;
	uint64_t bits, pos, child, children = k_field_va(k, node, F(key_vector, tnode));

	if (!route_spend(r, node))
		return;
	if (!k_get(k, node, F(key_vector, bits), &bits) ||
	    !k_get(k, node, F(key_vector, pos), &pos) || (bits && pos + bits > above)) {
		walk_problem(r->w, ERROR, TABLE_routes, 0, node,
			     "a node of a routing table that can't be one");
		return;
	}
	if (bits == 0) {
		walk_leaf(r, node);
		return;
	}
	if (1ULL << bits > r->slots) {
		walk_problem(r->w, ERROR, TABLE_routes, 0, node,
			     "a node of a routing table that has more children than can be true");
		return;
	}
	r->slots -= 1ULL << bits;
	for (uint64_t i = 0; i < 1ULL << bits && r->budget; i++) {
		if (!k_ptr(k, children + i * k->word, &child))
			return; // one page of a large node; the fault is reported
		if (child)
			walk_node(r, child, pos);
	}
}

// Whether the table is the one whose trie is to be walked: without rules, local's data is main's.
static bool owns_trie(struct routes *r, uint64_t table, uint64_t *trie)
{
	struct kernel *k = r->w->k;
	uint64_t own = k_field_va(k, table, F(fib_table, data));

	return k_get(k, table, F(fib_table, tb_data), trie) && *trie == own;
}

// The root has one child, in its first slot.
static void walk_trie(struct routes *r, uint64_t table)
{
	struct kernel *k = r->w->k;
	uint64_t trie, root, child;

	if (!owns_trie(r, table, &trie))
		return;
	root = k_field_va(k, trie, F(trie, kv));
	if (k_ptr(k, k_field_va(k, root, F(key_vector, tnode)), &child) && child)
		walk_node(r, child, KEY_BITS);
}

void route_walk_inet(struct routes *r)
{
	struct kernel *k = r->w->k;
	size_t n = k_has(k, F(net, fib_main)) ? BUCKETS : BUCKETS_PLAIN;

	route_each_table(r, k_or0(k, r->net->addr, F(net, fib_table_hash)), n,
			 F(fib_table, tb_hlist), walk_trie);
}
