// SPDX-License-Identifier: LGPL-2.1-or-later
// iptables: reads the tables of IPv4's rules, net/ipv4/netfilter/ip_tables.c. A table is one block
// of rules of different lengths, one after the other; chains are stretches of it.
#include "src/walk/net_iptables.h"

#include "src/walk/net.h"

#include <string.h>

enum {
	MAX_PARTS = 1 << 21, // rules, and what they consist of
	MAX_NAME = 32,	     // XT_TABLE_MAXNAMELEN
	MAX_CHAIN_NAME = 30, // XT_FUNCTION_MAXNAMELEN
};

// include/uapi/linux/netfilter.h, NF_INET_*
static const char *const hook_names[NF_HOOKS] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						 "POSTROUTING"};

bool iptables_spend(struct iptables *t, uint64_t n)
{
	if (t->budget == 0)
		return false;
	if (t->budget > n && !walk_is_full(t->x.w, TABLE_iptables)) {
		t->budget -= n;
		return true;
	}
	t->budget = 0;
	walk_problem(t->x.w, ERROR, TABLE_iptables, 0, t->table,
		     "more rules than can be true; the rest is left out");
	return false;
}

static bool wrong(struct iptables *t, uint64_t addr, const char *what)
{
	walk_problem(t->x.w, ERROR, TABLE_iptables, 0, addr, "a table of rules: %s", what);
	return false;
}

const char *iptables_extension(struct iptables *t, uint64_t va, enum xt_place pointer,
			       enum xt_place name)
{
	uint64_t extension;

	if (!k_ptr(t->x.w->k, va + t->x.off[pointer], &extension) || !extension)
		return NULL;
	const uint64_t *known = u64map_get(&t->name_of, extension);
	if (known)
		return (const char *)(uintptr_t)*known;
	const char *text =
		k_string(t->x.w->k, &t->names, extension + t->x.off[name], XT_EXTENSION_NAME);
	(void)u64map_add(&t->name_of, extension, (uint64_t)(uintptr_t)text);
	return text;
}

// --- chains ---

static void begin_chain(struct iptables *t, const char *name, int hook, uint32_t start)
{
	(void)u64map_add(&t->by_start, start, t->chains.n);
	vec_push(&t->chains, ((struct ipt_chain){name, hook, start, t->rules.n}));
}

static void begin_hook(struct iptables *t, uint32_t at)
{
	for (int h = 0; h < NF_HOOKS; h++) {
		if (!(t->hooks >> h & 1) || t->hook_entry[h] != at)
			continue;
		begin_chain(t, hook_names[h], h, at);
		return;
	}
}

// A chain of the user's begins with a rule whose target is ERROR, with the chain's name; such a
// rule is the end of the table, too.
static bool begins_chain(struct iptables *t, const struct ipt_rule *r)
{
	uint64_t target = r->va + r->target;
	const char *name = iptables_extension(t, target, XT_ENTRY_TARGET, XT_TARGET_NAME);

	if (!name || strcmp(name, "ERROR") != 0)
		return false;
	if (r->target + XT_EXTENSION + MAX_CHAIN_NAME <= r->next)
		name = k_string(t->x.w->k, &t->names, target + XT_EXTENSION, MAX_CHAIN_NAME);
	begin_chain(t, name, -1, r->at + r->next);
	return true;
}

// --- rules ---

static bool read_rule(struct iptables *t, uint32_t at, struct ipt_rule *r)
{
	uint8_t offsets[4];

	*r = (struct ipt_rule){.va = t->entries + at, .at = at};
	if (t->size - at < IPT_ENTRY ||
	    !k_read(t->x.w->k, r->va + IPT_OFFSETS, offsets, sizeof(offsets)))
		return wrong(t, r->va, "a rule can't be read");
	r->target = le16(offsets);
	r->next = le16(offsets + 2);
	if (r->target < IPT_ENTRY || r->target + XT_EXTENSION > r->next || r->next > t->size - at)
		return wrong(t, r->va, "a rule has parts that lie outside of it");
	return true;
}

static bool add_rule(struct iptables *t, const struct ipt_rule *r)
{
	begin_hook(t, r->at);
	if (begins_chain(t, r))
		return true;
	if (t->chains.n == 0)
		return wrong(t, r->va, "a rule that belongs to no chain");
	vec_push(&t->rules, *r);
	return true;
}

// What could be read stays, whatever comes then.
static void read_rules(struct iptables *t)
{
	struct ipt_rule r;
	uint32_t at = 0, n = 0;

	for (; at < t->size; at += r.next, n++)
		if (!iptables_spend(t, 1) || !read_rule(t, at, &r) || !add_rule(t, &r))
			return;
	if (n != t->number)
		(void)wrong(t, t->table, "it has not as many rules as it says");
}

// --- tables ---

static bool read_hooks(struct iptables *t, uint64_t info)
{
	struct kernel *k = t->x.w->k;
	const uint32_t *off = t->x.off;

	for (size_t h = 0; h < NF_HOOKS; h++)
		if (!k_u32(k, info + off[XT_INFO_HOOK_ENTRY] + 4 * h, &t->hook_entry[h]) ||
		    !k_u32(k, info + off[XT_INFO_UNDERFLOW] + 4 * h, &t->underflow[h]))
			return false;
	return k_u32(k, t->table + off[XT_TABLE_HOOKS], &t->hooks);
}

static bool read_head(struct iptables *t)
{
	struct kernel *k = t->x.w->k;
	const uint32_t *off = t->x.off;
	uint64_t info;

	t->filter_name = k_string(k, &t->names, t->table + off[XT_TABLE_NAME], MAX_NAME);
	if (!k_ptr(k, t->table + off[XT_TABLE_PRIVATE], &info) || !k_plausible(k, info) ||
	    !k_u32(k, info + off[XT_INFO_SIZE], &t->size) ||
	    !k_u32(k, info + off[XT_INFO_NUMBER], &t->number) || !read_hooks(t, info))
		return wrong(t, t->table, "it can't be read");
	t->entries = info + off[XT_INFO_ENTRIES];
	return true;
}

static void forget_table(struct iptables *t)
{
	t->rules.n = t->chains.n = 0;
	u64map_fini(&t->by_start);
	u64map_fini(&t->name_of);
	arena_reset(&t->names);
}

static bool walk_table(void *arg, uint64_t table)
{
	struct iptables *t = arg;

	t->table = table;
	if (!iptables_spend(t, 1))
		return false;
	if (u64map_add(&t->seen, table, 0) && read_head(t)) {
		read_rules(t);
		iptables_emit(t);
	}
	forget_table(t);
	return true;
}

static void run(struct walk *w)
{
	struct iptables t = {.budget = MAX_PARTS};

	if (!xtables_init(&t.x, w, TABLE_iptables))
		return;
	netns_find(w, TABLE_iptables, &t.nets);
	vec_foreach (t.net, &t.nets.all)
		xtables_each(&t.x, t.net->addr, walk_table, &t);
	xtables_check(&t.x);
	vec_fini(&t.rules);
	vec_fini(&t.chains);
	u64map_fini(&t.seen);
	arena_fini(&t.names);
	netns_fini(&t.nets);
}

const struct extractor walk_net_iptables = {
	.name = "net_iptables",
	.tables = {TABLE_iptables},
	.n_tables = 1,
	.needs = {F(net, dev_base_head), F(net, list)},
	.n_needs = 2,
	.run = run,
};
