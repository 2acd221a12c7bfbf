// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the tables of x_tables: net/netfilter/x_tables.c.
//
// Until 5.13 their lists were in struct net. Since then the module keeps them where only it knows,
// in one of the slots that every network namespace has for modules. It is known by its form: as
// many rings of list_heads as there are protocols, one after the other.
#include "src/walk/net_xtables.h"

#include "src/kernel/module_types.h"
#include "src/walk/module.h"

#include <string.h>

enum {
	NFPROTO_IPV4 = 2,
	NFPROTO_NUMPROTO = 11, // since 6.1; 13 before
	MAX_MODULES = 1 << 12, // slots of one namespace; a hundred modules have one
	MAX_SLOTS = 1 << 20,
	MAX_TABLES = 64, // of one namespace; filter, nat, mangle, raw, security
};

// Members, and where they are in 5.10 to 7.3 on machines of 64 and 32 bits: for kernels that keep
// no types of modules. What is found there has to add up.
static const struct place {
	const char *type, *path;
	uint32_t at64, at32;
} places[N_XT_PLACES] = {
	[XT_TABLE_HOOKS] = {.type = "xt_table", "valid_hooks", 16, 8},
	[XT_TABLE_PRIVATE] = {.type = "xt_table", "private", 24, 12},
	[XT_TABLE_NAME] = {.type = "xt_table", "name", 56, 32},
	[XT_INFO_SIZE] = {.type = "xt_table_info", "size", 0, 0},
	[XT_INFO_NUMBER] = {.type = "xt_table_info", "number", 4, 4},
	[XT_INFO_HOOK_ENTRY] = {.type = "xt_table_info", "hook_entry", 12, 12},
	[XT_INFO_UNDERFLOW] = {.type = "xt_table_info", "underflow", 32, 32},
	[XT_INFO_ENTRIES] = {.type = "xt_table_info", "entries", 64, 64},
	[XT_ENTRY_MATCH] = {.type = "xt_entry_match", "u.kernel.match", 8, 4},
	[XT_ENTRY_TARGET] = {.type = "xt_entry_target", "u.kernel.target", 8, 4},
	[XT_MATCH_NAME] = {.type = "xt_match", "name", 16, 8},
	[XT_TARGET_NAME] = {.type = "xt_target", "name", 16, 8},
};

static bool place_by_types(struct xtables *x, const struct module_types *m)
{
	for (size_t i = 0; i < N_XT_PLACES; i++)
		if (!module_offset(m, places[i].type, places[i].path, &x->off[i]))
			return false;
	return true;
}

static void place(struct xtables *x)
{
	struct module_types *m = module_types_open(x->w->k, "x_tables", "xt_table");

	if (!m || !place_by_types(x, m))
		for (size_t i = 0; i < N_XT_PLACES; i++)
			x->off[i] = x->w->k->word == 8 ? places[i].at64 : places[i].at32;
	module_types_close(m);
}

bool xtables_init(struct xtables *x, struct walk *w, enum table_id table)
{
	const struct kernel *k = w->k;
	bool has_slots = k_has(k, F(net, gen)) && k_has(k, F(net_generic, len)) &&
			 k_has(k, F(net_generic, ptr));

	*x = (struct xtables){.w = w, .table = table, .slots = MAX_SLOTS};
	if (!k_has(k, F(net, xt_tables)) && !has_slots) {
		walk_unavailable(w, table, "the kernel's types have no net.gen");
		return false;
	}
	place(x);
	return true;
}

// --- lists ---

// Slots hold data of any kind: that there is nothing behind a word of it is no fault.
static bool peek(struct kernel *k, uint64_t va, uint64_t *v)
{
	uint8_t raw[8];

	if (!k_plausible(k, va) || aspace_read(&k->as, va, raw, k->word) != AS_OK)
		return false;
	*v = k_ptr_in(k, raw);
	return true;
}

static bool is_ring(struct kernel *k, uint64_t head)
{
	uint64_t next, prev, back;

	return peek(k, head, &next) && peek(k, head + k->word, &prev) &&
	       peek(k, next + k->word, &back) && back == head && peek(k, prev, &back) &&
	       back == head;
}

static uint64_t list_of(const struct kernel *k, uint64_t lists, size_t protocol)
{
	return lists + protocol * 2 * k->word;
}

static bool are_lists(struct kernel *k, uint64_t lists)
{
	for (size_t i = 0; i < NFPROTO_NUMPROTO; i++)
		if (!is_ring(k, list_of(k, lists, i)))
			return false;
	return true;
}

static void walk_lists(struct xtables *x, uint64_t lists, bool (*visit)(void *, uint64_t),
		       void *arg)
{
	struct list_iter it;
	uint64_t node;

	list_begin(&it, x->w->k, list_of(x->w->k, lists, NFPROTO_IPV4), MAX_TABLES);
	while (list_next(&it, &node))
		if (!visit(arg, node)) // `list` is the first member of struct xt_table
			return;
	walk_check_list(x->w, x->table, 0, &it, "a list of tables of rules");
}

// struct net_generic: `len` slots, of which the first ones hold the length itself. Whether one of
// them is that of x_tables.
static bool walk_slots(struct xtables *x, uint64_t net, bool (*visit)(void *, uint64_t), void *arg)
{
	struct kernel *k = x->w->k;
	uint64_t gen = k_or0(k, net, F(net, gen)), len = k_or0(k, gen, F(net_generic, len));
	uint64_t ptr = k_field_va(k, gen, F(net_generic, ptr)), data;
	bool found = false;

	if (len == 0 || len > MAX_MODULES || len > x->slots) {
		walk_problem(x->w, ERROR, x->table, 0, net,
			     "what modules keep of a network namespace can't be found");
		return false;
	}
	x->slots -= len;
	for (uint64_t i = 0; i < len; i++)
		if (k_ptr(k, ptr + i * k->word, &data) && are_lists(k, data)) {
			found = true;
			walk_lists(x, data, visit, arg);
		}
	return found;
}

// The lists in struct net: zero until the module makes rings of them.
static bool walk_own(struct xtables *x, uint64_t net, bool (*visit)(void *, uint64_t), void *arg)
{
	uint64_t first, lists = k_field_va(x->w->k, net, F(net, xt_tables));

	if (!k_ptr(x->w->k, lists, &first) || !first)
		return false;
	walk_lists(x, lists, visit, arg);
	return true;
}

void xtables_each(struct xtables *x, uint64_t net, bool (*visit)(void *, uint64_t), void *arg)
{
	bool own = k_has(x->w->k, F(net, xt_tables));

	if (own ? walk_own(x, net, visit, arg) : walk_slots(x, net, visit, arg))
		x->found = true;
	else
		x->without = net;
}

static void note_module(void *arg, uint64_t module, const char *name)
{
	bool *loaded = arg;

	(void)module;
	*loaded |= strcmp(name, "x_tables") == 0;
}

// Where the module is, every network namespace has its lists, be they empty.
void xtables_check(struct xtables *x)
{
	bool loaded = x->found;

	if (x->without && !loaded && k_has_symbol(x->w->k, S(modules)))
		(void)modules_each(x->w, note_module, &loaded);
	if (x->without && loaded)
		walk_problem(x->w, ERROR, x->table, 0, x->without,
			     "a network namespace has no lists of tables of rules");
}
