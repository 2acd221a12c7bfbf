// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory nodes and their zones.
#include "src/walk/system.h"

enum { MAX_NODES = 1024 };

// node_states[N_ONLINE], or 0. nodemask_t is an anonymous struct: its size is that of a member.
static uint64_t online_nodes(struct walk *w)
{
	uint64_t states = w->k->symbol[S(node_states)];
	int64_t i;

	if (!states || !k_enum(w->k, "N_ONLINE", &i) || i < 0 || i > 16)
		return 0;
	return states + (uint64_t)i * w->k->field[F(task_struct, mems_allowed)].size;
}

// Where the mask is not known, nodes are those of the direct map whose zones point back to them.
static bool is_node(struct walk *w, uint64_t node)
{
	uint64_t zone = k_field_va(w->k, node, F(pglist_data, node_zones));

	return node - w->k->page_offset < physmem_end(w->k->mem) &&
	       k_or0(w->k, zone, F(zone, zone_pgdat)) == node;
}

static bool each_known_node(struct walk *w, bool (*visit)(void *arg, uint64_t node), void *arg)
{
	uint64_t nodes = w->k->symbol[S(node_data)], node;
	size_t i = 0;

	for (; i < MAX_NODES; i++)
		if (!k_ptr(w->k, nodes + i * w->k->word, &node) || !is_node(w, node))
			break;
		else if (!visit(arg, node))
			return false;
	return i > 0;
}

static bool each_online_node(struct walk *w, uint64_t mask, bool (*visit)(void *arg, uint64_t node),
			     void *arg)
{
	uint64_t nodes = w->k->symbol[S(node_data)], node;
	size_t n = (size_t)w->k->field[F(task_struct, mems_allowed)].size * 8;
	bool online;

	for (size_t i = 0; i < n && i < MAX_NODES; i++) {
		if (!k_bit(w->k, mask, i, &online))
			return false;
		if (online && (!k_ptr(w->k, nodes + i * w->k->word, &node) || !visit(arg, node)))
			return false;
	}
	return true;
}

bool system_each_node(struct walk *w, bool (*visit)(void *arg, uint64_t node), void *arg)
{
	uint64_t only = w->k->symbol[S(contig_page_data)], mask = online_nodes(w);

	if (!w->k->symbol[S(node_data)]) // no NUMA
		return only && visit(arg, only);
	return mask ? each_online_node(w, mask, visit, arg) : each_known_node(w, visit, arg);
}

struct zone_visitor {
	struct walk *w;
	void (*visit)(void *arg, uint64_t zone);
	void *arg;
};

static bool visit_zones(void *arg, uint64_t node)
{
	const struct zone_visitor *v = arg;
	const struct field_place *zones = &v->w->k->field[F(pglist_data, node_zones)];

	for (size_t i = 0; i < zones->n_elem; i++)
		v->visit(v->arg, node + zones->off + i * zones->elem_size);
	return true;
}

void system_each_zone(struct walk *w, void (*visit)(void *arg, uint64_t zone), void *arg)
{
	struct zone_visitor v = {w, visit, arg};

	(void)system_each_node(w, visit_zones, &v);
}
