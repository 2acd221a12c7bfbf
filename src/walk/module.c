// SPDX-License-Identifier: LGPL-2.1-or-later
// Loaded modules, as kernel/module/procfs.c prints them.
#include "src/walk/module.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_MODULES = 1 << 16, MAX_USERS = 4096, MAX_TEXT = 4096 };

// enum module_state, include/linux/module.h
enum { STATE_LIVE, STATE_COMING, STATE_GOING, STATE_UNFORMED };

enum iter_end modules_each(struct walk *w,
			   void (*visit)(void *arg, uint64_t module, const char *name), void *arg)
{
	char name[256] = "";
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, w->k->symbol[S(modules)], MAX_MODULES);
	while (list_next(&it, &node)) {
		uint64_t module = k_container(w->k, node, F(module, list));
		size_t n = k_bytes(w->k, module, F(module, name), name, sizeof(name) - 1);
		name[n] = '\0';
		if (k_or0(w->k, module, F(module, state)) != STATE_UNFORMED)
			visit(arg, module, name);
	}
	return it.end;
}

// --- memory of a module ---

// One part of a module's memory: an element of mem[], or one of the two layouts before 6.4.
struct part {
	uint64_t base, size;
};

static size_t count_parts(const struct kernel *k)
{
	return k_has(k, F(module, mem)) ? k->field[F(module, mem)].n_elem : 2;
}

static bool read_part(struct walk *w, uint64_t module, size_t i, struct part *out)
{
	struct kernel *k = w->k;

	if (k_has(k, F(module, mem))) {
		const struct field_place *mem = &k->field[F(module, mem)];
		uint64_t part = module + mem->off + i * mem->elem_size;
		return k_get(k, part, F(module_memory, base), &out->base) &&
		       k_get(k, part, F(module_memory, size), &out->size);
	}
	return k_get(k, module, i ? F(module, init_base) : F(module, core_base), &out->base) &&
	       k_get(k, module, i ? F(module, init_size) : F(module, core_size), &out->size);
}

// module_total_size(); parts that were given back after initialisation have size 0.
static struct opt_int total_size(struct walk *w, uint64_t module)
{
	uint64_t total = 0;
	struct part part;

	for (size_t i = 0; i < count_parts(w->k); i++) {
		if (!read_part(w, module, i, &part))
			return (struct opt_int){0};
		total += part.size;
	}
	return some_int((int64_t)total);
}

static struct opt_text base_address(struct walk *w, uint64_t module)
{
	int64_t text = 0; // MOD_TEXT of enum mod_mem_type; before 6.4 the core layout
	struct part part;

	if (k_has(w->k, F(module, mem)) && !k_enum(w->k, "MOD_TEXT", &text))
		return (struct opt_text){0};
	if (text < 0 || (size_t)text >= count_parts(w->k) ||
	    !read_part(w, module, (size_t)text, &part))
		return (struct opt_text){0};
	return row_printf(w, "0x%016" PRIx64, part.base);
}

// --- columns ---

static struct opt_text state_text(struct walk *w, uint64_t module)
{
	uint64_t state;

	if (!k_get(w->k, module, F(module, state), &state))
		return (struct opt_text){0};
	return some_text(state == STATE_GOING	 ? "Unloading"
			 : state == STATE_COMING ? "Loading"
						 : "Live");
}

// The letters of taint_flags[], kernel/panic.c, by bit; new ones are added at the end.
static struct opt_text taint_text(struct walk *w, uint64_t module)
{
	static const char letters[] = "PFSRMBUDAWCIOELKXTNJ";
	char text[64];
	uint64_t taints;
	size_t n = 0;

	if (!k_get(w->k, module, F(module, taints), &taints))
		return (struct opt_text){0};
	for (unsigned bit = 0; bit < 63; bit++)
		if (taints >> bit & 1)
			text[n++] = (char)(bit < sizeof(letters) - 1 ? letters[bit] : '?');
	text[n] = '\0';
	return row_printf(w, "%s", text);
}

static void add_user(char *users, size_t size, const char *name)
{
	size_t n = strlen(users);

	(void)snprintf(users + n, size - n, "%s%s", n ? "," : "", name);
}

// print_unload_info(), without its last comma.
static struct opt_text used_by(struct walk *w, uint64_t module)
{
	char *users = arena_alloc(&w->row, MAX_TEXT);
	struct list_iter it;
	uint64_t node;

	*users = '\0';
	if (!k_has(w->k, F(module, source_list)))
		return some_text("-");
	list_begin(&it, w->k, k_field_va(w->k, module, F(module, source_list)), MAX_USERS);
	while (list_next(&it, &node)) {
		uint64_t use = k_container(w->k, node, F(module_use, source_list));
		uint64_t user = k_or0(w->k, use, F(module_use, source));
		char *name = k_text(w->k, &w->row, user, F(module, name));
		add_user(users, MAX_TEXT, name ? name : "?");
	}
	walk_check_end(w, TABLE_kernel_modules, 0, module, it.end, "the users of a module");
	if (k_or0(w->k, module, F(module, init)) && !k_or0(w->k, module, F(module, exit)))
		add_user(users, MAX_TEXT, "[permanent]");
	return some_text(*users ? users : "-");
}

// module_refcount(): what is stored is one more than there are users.
static struct opt_int refcount(struct walk *w, uint64_t module)
{
	struct opt_int count = col_int(w, module, F(module, refcnt));

	return count.set ? some_int(count.v - 1) : count;
}

static void emit_module(void *arg, uint64_t module, const char *name)
{
	struct walk *w = arg;
	struct row_kernel_modules row = {
		.name = some_text(name),
		.size = total_size(w, module),
		.used_by = used_by(w, module),
		.status = state_text(w, module),
		.address = base_address(w, module),
		.refcount = refcount(w, module),
		.arguments = module_arguments(w, module),
		.version = col_string(w, module, F(module, version), MAX_TEXT),
		.srcversion = col_string(w, module, F(module, srcversion), MAX_TEXT),
		.taints = taint_text(w, module),
		.module_addr = col_ptr(module),
	};
	WALK_EMIT(w, kernel_modules, &row);
}

static void run(struct walk *w)
{
	uint64_t head = w->k->symbol[S(modules)];

	if (k_has_none(w->k, S(modules)))
		return;
	if (!head) {
		walk_unavailable(w, TABLE_kernel_modules, "the kernel's symbols have no modules");
		return;
	}
	enum iter_end end = modules_each(w, emit_module, w);
	walk_check_end(w, TABLE_kernel_modules, 0, head, end, "the list of modules");
}

const struct extractor walk_modules = {
	.name = "modules",
	.tables = {TABLE_kernel_modules},
	.n_tables = 1,
	.needs = {F(module, list), F(module, name)},
	.n_needs = 2,
	.run = run,
};
