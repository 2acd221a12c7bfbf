// SPDX-License-Identifier: LGPL-2.1-or-later
// kallsyms in every layout that Linux has had.
#include "symbols/kallsyms.h"
#include "tests/unit/kallsyms_builder.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

// What a test does with each layout.
struct at_hand {
	const struct kb_layout *layout;
	struct kallsyms_builder b;
	uint8_t *window;
	struct kallsyms *ks;
	uint64_t bias; // what addresses lack of virtual ones, while they are relative
};

static void each_layout(void (*test)(struct at_hand *t))
{
	for (const struct kb_layout *layout = kb_layouts; layout->what; layout++) {
		struct at_hand t = {.layout = layout};
		kb_build(&t.b, layout);
		t.window = kb_window(&t.b, t.b.bytes.n);
		struct err *e =
			kallsyms_open(t.window, t.b.bytes.n, KALLSYMS_UNKNOWN, layout->word, &t.ks);
		cr_assert_null(e, "%s: %s", layout->what, e ? e->msg : "");
		if (kallsyms_is_relative(t.ks))
			t.bias = t.b.window_va;
		test(&t);
		kallsyms_close(t.ks);
		mem_free(t.window);
		kb_fini(&t.b);
	}
}

static void same_layout(struct at_hand *t)
{
	const struct kallsyms_layout *l = kallsyms_layout(t->ks), *e = &t->b.places;

	cr_assert_eq(l->encoding, e->encoding, "%s", t->layout->what);
	cr_assert_eq(l->long_lengths, e->long_lengths, "%s", t->layout->what);
	cr_assert_eq(l->num_syms, e->num_syms, "%s", t->layout->what);
	cr_assert_eq(l->names, e->names, "%s", t->layout->what);
	cr_assert_eq(l->names_end, e->names_end, "%s", t->layout->what);
	cr_assert_eq(l->markers, e->markers, "%s", t->layout->what);
	cr_assert_eq(l->token_table, e->token_table, "%s", t->layout->what);
	cr_assert_eq(l->token_index, e->token_index, "%s", t->layout->what);
	cr_assert_eq(l->addresses, e->addresses, "%s", t->layout->what);
	cr_assert_eq(l->relative_base, e->relative_base, "%s", t->layout->what);
}

Test(kallsyms, finds_each_table)
{
	each_layout(same_layout);
}

static void all_symbols(struct at_hand *t)
{
	char name[KALLSYMS_NAME], type;
	uint64_t va;

	cr_assert_eq(kallsyms_count(t->ks), KB_SYMBOLS);
	for (uint32_t i = 0; i < KB_SYMBOLS; i++) {
		const struct kb_symbol *s = &t->b.symbols[i];
		cr_assert(kallsyms_at(t->ks, i, name, sizeof(name), &va, &type));
		cr_assert_str_eq(name, s->name);
		cr_assert_eq(type, s->type);
		cr_assert_eq(va + t->bias, s->va, "%s: %s", t->layout->what, s->name);
	}
	cr_assert_not(kallsyms_at(t->ks, KB_SYMBOLS, name, sizeof(name), &va, &type));
}

Test(kallsyms, gives_each_symbol)
{
	each_layout(all_symbols);
}

static void some_by_name(struct at_hand *t)
{
	struct symbol_want wants[] = {
		{.name = "_text"}, {.name = "init_task"}, {.name = "twice"},
		{.name = "ext"},   {.name = "init_tas"},  {.name = "init_task2"},
		{.name = ""},	   {.name = "T_text"},	  {.name = "fn_77_call"},
		{.name = "_text"}, {.name = NULL}};

	wants[10].name = t->b.symbols[KB_LONG].name;
	kallsyms_resolve(t->ks, wants, sizeof(wants) / sizeof(wants[0]));
	cr_assert(wants[0].found && wants[0].va + t->bias == t->b.symbols[KB_PERCPU].va);
	cr_assert_eq(wants[0].type, 'T');
	cr_assert_eq(wants[0].count, 1);
	cr_assert(wants[1].found && wants[1].va + t->bias == t->b.symbols[1400].va);
	cr_assert(wants[2].found && wants[2].va + t->bias == t->b.symbols[901].va);
	cr_assert(wants[2].count == 5 && wants[2].type == 'D');
	for (int i = 3; i <= 7; i++)
		cr_assert(!wants[i].found && wants[i].va == 0 && wants[i].count == 0, "%d", i);
	cr_assert(wants[8].found && wants[8].va + t->bias == t->b.symbols[77].va);
	cr_assert(wants[9].found && wants[9].va == wants[0].va);
	cr_assert(wants[10].found && wants[10].va + t->bias == t->b.symbols[KB_LONG].va);
}

Test(kallsyms, finds_by_name)
{
	each_layout(some_by_name);
}

// More than there are bits in the filter.
static void all_by_name(struct at_hand *t)
{
	struct symbol_want *wants = mem_zalloc(KB_SYMBOLS, sizeof(*wants));

	for (uint32_t i = 0; i < KB_SYMBOLS; i++)
		wants[i].name = t->b.symbols[i].name;
	kallsyms_resolve(t->ks, wants, KB_SYMBOLS);
	for (uint32_t i = 0; i < KB_SYMBOLS; i++)
		cr_assert(wants[i].found &&
			  (wants[i].count == 5 || wants[i].va + t->bias == t->b.symbols[i].va));
	mem_free(wants);
}

Test(kallsyms, finds_all_by_name)
{
	each_layout(all_by_name);
}

static void names_of_addresses(struct at_hand *t)
{
	char name[KALLSYMS_NAME];
	uint64_t offset;

	for (uint32_t i = 0; i < KB_SYMBOLS; i++) {
		uint32_t first = i > 0 && t->b.symbols[i - 1].va == t->b.symbols[i].va ? i - 1 : i;
		uint64_t va = t->b.symbols[i].va - t->bias;
		for (uint64_t off = 0; off < 0x20; off += 0x1f) {
			cr_assert(kallsyms_name_at(t->ks, va + off, name, sizeof(name), &offset));
			cr_assert_str_eq(name, t->b.symbols[first].name, "%s: %s is not %s",
					 t->layout->what, name, t->b.symbols[first].name);
			cr_assert_eq(offset, off);
		}
	}
	uint64_t before = t->b.symbols[0].va - 1 - t->bias;
	bool percpu = t->b.symbols[0].va == 0; // then there is none before
	cr_assert(percpu || !kallsyms_name_at(t->ks, before, name, sizeof(name), &offset));
	cr_assert(kallsyms_name_at(t->ks, t->b.symbols[1400].va - t->bias, name, 5, &offset));
	cr_assert_str_eq(name, "init", "cut off at the buffer's end");
}

Test(kallsyms, names_addresses)
{
	each_layout(names_of_addresses);
}

static void window(struct at_hand *t)
{
	struct symbol_want want = {.name = "linux_banner"};
	uint64_t va = 1;

	kallsyms_resolve(t->ks, &want, 1);
	cr_assert(kallsyms_window_va(t->ks, want.va, &va), "%s", t->layout->what);
	cr_assert_eq(va + t->bias, t->b.window_va);
	cr_assert_not(kallsyms_window_va(t->ks, want.va + 8, &va));
	cr_assert_not(kallsyms_window_va(t->ks, 0, &va));
	memset(t->window + KB_BANNER, 'x', 16);
	cr_assert_not(kallsyms_window_va(t->ks, want.va, &va));
}

Test(kallsyms, tells_where_the_window_lies)
{
	each_layout(window);
}

static void moved(struct at_hand *t)
{
	struct symbol_want want = {.name = "init_task"};
	char name[KALLSYMS_NAME];
	uint64_t offset, slide = t->layout->encoding == KALLSYMS_PLACE ? 0x1c00000 : 0;

	kallsyms_rebase(t->ks, t->b.window_va + slide);
	cr_assert_not(kallsyms_is_relative(t->ks));
	kallsyms_resolve(t->ks, &want, 1);
	cr_assert_eq(want.va, t->b.symbols[1400].va + slide, "%s", t->layout->what);
	cr_assert(kallsyms_name_at(t->ks, want.va + 3, name, sizeof(name), &offset));
	cr_assert(strcmp(name, "init_task") == 0 && offset == 3);
}

Test(kallsyms, only_relative_addresses_are_rebased)
{
	each_layout(moved);
}

static void hinted(struct at_hand *t)
{
	uint64_t places[] = {t->b.places.token_index,
			     t->b.places.token_index + 2,
			     0,
			     t->b.bytes.n,
			     t->b.bytes.n - 512,
			     UINT64_MAX - 1};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct kallsyms *again;
		cr_assert_null(
			kallsyms_open(t->window, t->b.bytes.n, places[i], t->layout->word, &again));
		cr_assert_eq(kallsyms_layout(again)->token_index, t->b.places.token_index);
		kallsyms_close(again);
	}
}

Test(kallsyms, hints_may_be_right_or_wrong)
{
	each_layout(hinted);
}

static void any_page(struct at_hand *t)
{
	for (size_t shift = 0; shift < 1024; shift += 24) {
		struct kallsyms *again;
		uint8_t *part = mem_alloc(t->b.bytes.n - shift);
		memcpy(part, t->window + shift, t->b.bytes.n - shift);
		// Tables keep their alignment only if the window begins at a multiple of 8.
		struct err *e = kallsyms_open(part, t->b.bytes.n - shift, KALLSYMS_UNKNOWN,
					      t->layout->word, &again);
		cr_assert_null(e, "%s from %zu on", t->layout->what, shift);
		cr_assert_eq(kallsyms_layout(again)->names, t->b.places.names - shift);
		kallsyms_close(again);
		mem_free(part);
	}
}

Test(kallsyms, begins_anywhere)
{
	each_layout(any_page);
}
