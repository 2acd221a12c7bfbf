// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds network namespaces; works without a symbol: init_net is that of init_task, and the list is
// a ring through it.
#include "src/walk/net_namespaces.h"

#include "src/walk/tasks.h"

#include <inttypes.h>

enum { MAX_NETNS = 1 << 20 };

// A struct net is told from other memory by its list of devices: the first one's back link leads
// to the head again (it is the head itself where the list is empty).
static bool is_netns(struct walk *w, uint64_t net)
{
	uint64_t next, back, head = k_field_va(w->k, net, F(net, dev_base_head));

	return k_plausible(w->k, net) && k_ptr(w->k, head, &next) && k_plausible(w->k, next) &&
	       k_ptr(w->k, next + w->k->word, &back) && back == head;
}

bool netns_add(struct walk *w, struct netns_set *set, uint64_t net)
{
	if (u64map_get(&set->by_addr, net))
		return true;
	if (!net || set->all.n >= MAX_NETNS || !is_netns(w, net))
		return false;
	(void)u64map_add(&set->by_addr, net, set->all.n);
	vec_push(&set->all, ((struct netns){net, col_int(w, net, F(net, ns_inum))}));
	return true;
}

// The ring holds one node that is no namespace: the bare list_head net_namespace_list.
static void add_ring(struct walk *w, enum table_id table, struct netns_set *set, uint64_t init_net)
{
	struct kernel *k = w->k;
	struct list_iter it;
	uint64_t node = 0, head = k->symbol[S(net_namespace_list)];
	size_t strangers = 0;

	list_begin(&it, k, k_field_va(k, init_net, F(net, list)), MAX_NETNS);
	while (list_next(&it, &node)) {
		if (node == head || netns_add(w, set, k_container(k, node, F(net, list))))
			continue;
		if (strangers++ == 0 && !head)
			continue;
		walk_problem(w, WARNING, table, 0, node,
			     "an entry of the list of network namespaces is none");
	}
	walk_check_end(w, table, 0, it.at, it.end, "the list of network namespaces");
}

static uint64_t net_of_nsproxy(struct walk *w, uint64_t nsproxy)
{
	return k_or0(w->k, nsproxy, F(nsproxy, net_ns));
}

static void add_tasks(struct walk *w, struct netns_set *set)
{
	uint64_t last = 0;

	for (size_t i = 0; w->tasks && i < w->tasks->all.n; i++) {
		uint64_t nsproxy = w->tasks->all.at[i].nsproxy;
		if (nsproxy && nsproxy != last)
			(void)netns_add(w, set, net_of_nsproxy(w, nsproxy));
		last = nsproxy;
	}
}

void netns_find(struct walk *w, enum table_id table, struct netns_set *set)
{
	uint64_t nsproxy = k_or0(w->k, w->k->init_task, F(task_struct, nsproxy));
	uint64_t init_net = net_of_nsproxy(w, nsproxy);

	if (netns_add(w, set, init_net))
		add_ring(w, table, set, init_net);
	else
		walk_problem(w, ERROR, table, w->k->init_task, init_net,
			     "the initial network namespace can't be read");
	add_tasks(w, set);
}

void netns_fini(struct netns_set *set)
{
	vec_fini(&set->all);
	u64map_fini(&set->by_addr);
}

struct opt_text netns_text(struct walk *w, const struct netns_set *set, uint64_t net)
{
	const uint64_t *i = u64map_get(&set->by_addr, net);

	if (!i || !set->all.at[*i].inum.set)
		return (struct opt_text){0};
	return row_printf(w, "%" PRId64, set->all.at[*i].inum.v);
}
