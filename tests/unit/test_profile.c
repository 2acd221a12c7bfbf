// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables of symbols and profiles: what they answer, and bytes that lie.
#include "src/base/mem.h"
#include "symbols/btf.h"
#include "symbols/btf_write.h"
#include "symbols/profile.h"
#include "symbols/symtab.h"

#include <criterion/criterion.h>

#include <string.h>

enum { KEY = 42 };

static void add(struct symtab *t, const char *name, uint64_t va, char type)
{
	cr_assert(symtab_add(t, name, strlen(name), va, type));
}

static struct symtab *small_table(void)
{
	struct symtab *t = symtab_new();

	add(t, "late", 0x3000, 'd');
	add(t, "twice", 0x2000, 't');
	add(t, "twice", 0x2800, 'D');
	add(t, "first", 0x1000, 'T');
	add(t, "alias", 0x1000, 'T');
	symtab_sort(t);
	return t;
}

static struct profile *small_profile(void)
{
	struct profile *p = profile_new();
	struct btf_writer w = {0};
	size_t n;

	struct btf_write_member m = {"pid", btf_write_int(&w, "int", 4, true), 64, 0};
	btf_write_struct(&w, "task_struct", false, 16, &m, 1);
	uint8_t *bytes = btf_write_end(&w, &n);
	btf_write_fini(&w);
	cr_assert_null(profile_set_btf(p, bytes, n));
	p->build_id = mem_strdup("c0ffee");
	p->types_source = mem_strdup("DWARF of here");
	p->symbols = small_table();
	return p;
}

Test(symtab, resolves_by_rank)
{
	struct symtab *t = small_table();
	struct symbol_want wants[] = {{.name = "twice"}, {.name = "none"}, {.name = "first"}};

	symtab_resolve(t, wants, 3);
	cr_assert(wants[0].found && wants[0].va == 0x2800 && wants[0].count == 2);
	cr_assert_not(wants[1].found);
	cr_assert(wants[2].found && wants[2].type == 'T');
	symtab_free(t);
}

Test(symtab, names_addresses)
{
	struct symtab *t = small_table();
	const char *name;
	uint64_t off;

	cr_assert_not(symtab_name_at(t, 0xfff, &name, &off));
	cr_assert(symtab_name_at(t, 0x1010, &name, &off));
	cr_assert_str_eq(name, "first");
	cr_assert_eq(off, 0x10);
	cr_assert(symtab_name_at(t, UINT64_MAX, &name, &off));
	cr_assert_str_eq(name, "late");
	symtab_free(t);
}

Test(symtab, refuses_what_is_no_name)
{
	struct symtab *t = symtab_new();
	char longest[SYMTAB_NAME];

	memset(longest, 'x', sizeof(longest));
	cr_assert_not(symtab_add(t, "", 0, 1, 'T'));
	cr_assert_not(symtab_add(t, "a\0b", 3, 1, 'T'));
	cr_assert_not(symtab_add(t, longest, sizeof(longest), 1, 'T'));
	cr_assert(symtab_add(t, longest, sizeof(longest) - 1, 1, 'T'));
	symtab_free(t);
}

Test(profile, survives_its_bytes)
{
	struct profile *p = small_profile(), *q = NULL;
	struct btf_field f;
	size_t n;
	uint8_t *bytes = profile_write(p, KEY, &n);
	struct err *e = profile_read(bytes, n, KEY, &q);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert(btf_member(q->btf, "task_struct", "pid", &f) && f.off == 8);
	cr_assert_eq(symtab_count(q->symbols), 5);
	cr_assert_str_eq(q->build_id, "c0ffee");
	cr_assert_str_eq(q->types_source, "DWARF of here");
	cr_assert_null(q->banner);
	mem_free(bytes);
	profile_free(p);
	profile_free(q);
}

Test(profile, of_another_key_is_no_use)
{
	struct profile *p = small_profile(), *q = NULL;
	size_t n;
	uint8_t *bytes = profile_write(p, KEY, &n);
	struct err *e = profile_read(bytes, n, KEY + 1, &q);

	cr_assert(e && e->code == ERR_NOT_FOUND);
	mem_free(bytes);
	profile_free(p);
}

// Cut anywhere it is refused; with any byte changed it is refused, or answers within bounds.
Test(profile, lies_are_harmless)
{
	struct profile *p = small_profile(), *q = NULL;
	size_t n;
	uint8_t *bytes = profile_write(p, KEY, &n);

	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = memcpy(mem_alloc(cut), bytes, cut);
		cr_assert_not_null(profile_read(exact, cut, KEY, &q));
		mem_free(exact);
	}
	for (size_t at = 0; at < n; at++)
		for (int bit = 0; bit < 8; bit++) {
			struct symbol_want want = {.name = "twice"};
			bytes[at] ^= (uint8_t)(1 << bit);
			if (!profile_read(bytes, n, KEY, &q)) {
				if (q->symbols)
					symtab_resolve(q->symbols, &want, 1);
				profile_free(q);
			}
			bytes[at] ^= (uint8_t)(1 << bit);
		}
	mem_free(bytes);
	profile_free(p);
}
