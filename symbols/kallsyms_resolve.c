// SPDX-License-Identifier: LGPL-2.1-or-later
// Many names in one pass over all symbols, nearly none of which is expanded: what a name can't
// begin with, contain or end with rules out almost every pair of symbol and name.
#include "symbols/kallsyms_impl.h"

#include <string.h>

// Bit i % 64 of a mask stands for wants[i].
enum { BITS = 64 };

struct filter {
	uint64_t first[KALLSYMS_TOKENS];  // names that may begin with this token (behind its type)
	uint64_t inside[KALLSYMS_TOKENS]; // names that have it somewhere
	uint64_t last[KALLSYMS_TOKENS];	  // names that may end with it
};

static bool begins(const char *name, const struct kallsyms_token *t)
{
	return t->len > 0 && strncmp(name, t->text + 1, t->len - 1) == 0;
}

static bool contains(const char *name, size_t len, const struct kallsyms_token *t)
{
	return memmem(name, len, t->text, t->len) != NULL;
}

static bool ends(const char *name, size_t len, const struct kallsyms_token *t)
{
	if (t->len == len + 1) // the whole, type included
		return memcmp(name, t->text + 1, len) == 0;
	return t->len > 0 && t->len <= len && memcmp(name + len - t->len, t->text, t->len) == 0;
}

static void fill_filter(const struct kallsyms *ks, const struct symbol_want *wants, size_t n,
			struct filter *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < n; i++) {
		uint64_t bit = 1ULL << i % BITS;
		size_t len = strlen(wants[i].name);
		for (uint32_t t = 0; t < KALLSYMS_TOKENS; t++) {
			f->first[t] |= begins(wants[i].name, &ks->token[t]) ? bit : 0;
			f->inside[t] |= contains(wants[i].name, len, &ks->token[t]) ? bit : 0;
			f->last[t] |= ends(wants[i].name, len, &ks->token[t]) ? bit : 0;
		}
	}
}

static bool is_named(const struct kallsyms *ks, struct kallsyms_entry e, const char *name)
{
	for (uint32_t i = 0; i < e.n; i++) {
		struct kallsyms_token t = ks->token[e.tokens[i]];
		uint32_t skip = i == 0 && t.len > 0; // the type
		if (strncmp(name, t.text + skip, t.len - skip) != 0)
			return false;
		name += t.len - skip;
	}
	return *name == '\0';
}

int symbol_rank(char type)
{
	bool global = type >= 'A' && type <= 'Z';

	return global * 2 + (strchr("abdgrsvABDGRSV", type) != NULL);
}

static void take(const struct kallsyms *ks, struct kallsyms_entry e, uint32_t i,
		 struct symbol_want *want)
{
	const struct kallsyms_token *first = &ks->token[e.tokens[0]];
	char type = '?';

	if (first->len > 0)
		type = first->text[0];
	want->count++;
	if (want->found && symbol_rank(type) <= symbol_rank(want->type))
		return;
	want->found = true;
	want->type = type;
	want->va = kallsyms_address(ks, i);
}

// The names that this symbol may have.
static uint64_t candidates(const struct filter *f, struct kallsyms_entry e)
{
	uint64_t mask = f->first[e.tokens[0]] & f->last[e.tokens[e.n - 1]];

	for (uint32_t i = 1; mask != 0 && i + 1 < e.n; i++)
		mask &= f->inside[e.tokens[i]];
	return mask;
}

static void try_all(const struct kallsyms *ks, struct kallsyms_entry e, uint32_t i, uint64_t mask,
		    struct symbol_want *wants, size_t n)
{
	for (; mask != 0; mask &= mask - 1)
		for (size_t w = (size_t)__builtin_ctzll(mask); w < n; w += BITS)
			if (is_named(ks, e, wants[w].name))
				take(ks, e, i, &wants[w]);
}

void kallsyms_resolve(const struct kallsyms *ks, struct symbol_want *wants, size_t n)
{
	const uint8_t *p = ks->window + ks->layout.names, *end = ks->window + ks->layout.names_end;
	bool long_lengths = ks->layout.long_lengths;
	struct kallsyms_entry e;
	struct filter f;

	for (size_t i = 0; i < n; i++)
		wants[i] = (struct symbol_want){.name = wants[i].name};
	fill_filter(ks, wants, n, &f);
	for (uint32_t i = 0; i < ks->count; i++) {
		if (!kallsyms_step(&p, end, long_lengths, &e))
			return;
		uint64_t mask = candidates(&f, e);
		if (mask != 0)
			try_all(ks, e, i, mask, wants, n);
	}
}
