// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes kallsyms as scripts/kallsyms.c does, but for the choice of tokens.
#include "tests/unit/kallsyms_builder.h"

#include <criterion/criterion.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct kb_layout kb_layouts[] = {
	{"5.10", true, false, 8, KALLSYMS_BASE_PERCPU, false, 8},
	{"5.10, absolute addresses", true, false, 8, KALLSYMS_ABSOLUTE, false, 8},
	{"5.10, one CPU", true, false, 8, KALLSYMS_BASE, false, 8},
	{"6.1", true, false, 8, KALLSYMS_BASE_PERCPU, true, 8},
	{"6.1.y and 6.2", true, true, 8, KALLSYMS_BASE_PERCPU, true, 8},
	{"6.4", false, true, 8, KALLSYMS_BASE_PERCPU, true, 8},
	{"6.4, absolute addresses", false, true, 8, KALLSYMS_ABSOLUTE, true, 8},
	{"6.15", false, true, 8, KALLSYMS_BASE, true, 8},
	{"7.0", false, true, 4, KALLSYMS_PLACE, true, 8},
	{"5.10, 32 bits", true, false, 4, KALLSYMS_BASE, false, 4},
	{"5.10, 32 bits, absolute addresses", true, false, 4, KALLSYMS_ABSOLUTE_32, false, 4},
	{"6.1.y, 32 bits", true, true, 4, KALLSYMS_BASE, true, 4},
	{"6.12, 32 bits", false, true, 4, KALLSYMS_BASE, true, 4},
	{"6.10, 32 bits, absolute addresses", false, true, 4, KALLSYMS_ABSOLUTE_32, true, 4},
	{0},
};

static char tokens[256][16];

static void fill_tokens(void)
{
	static const char *const common[] = {"fn_", "Tfn_", "init", "_call", "linux_", "tas", "k"};
	size_t next = 0;

	for (int c = 0; c < 256; c++) {
		if (isalnum(c) || c == '_' || c == '.')
			(void)snprintf(tokens[c], sizeof(tokens[c]), "%c", c);
		else if (next < sizeof(common) / sizeof(common[0]))
			(void)snprintf(tokens[c], sizeof(tokens[c]), "%s", common[next++]);
		else
			(void)snprintf(tokens[c], sizeof(tokens[c]), "?%02X?", c);
	}
}

static void add(struct kallsyms_builder *b, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		vec_push(&b->bytes, (uint8_t)(v >> 8 * i));
}

static void align(struct kallsyms_builder *b, uint64_t to)
{
	while (b->bytes.n % to)
		add(b, 0, 1);
}

// As `label:` behind `.balign`: where it is.
static uint64_t label(struct kallsyms_builder *b)
{
	align(b, b->layout->align);
	return b->bytes.n;
}

static void add_noise(struct kallsyms_builder *b, size_t n)
{
	uint32_t v = 12345;

	for (size_t i = 0; i < n; i++)
		add(b, (v = v * 1664525 + 1013904223) >> 24, 1);
}

static int longest_token(const char *s)
{
	int best = (unsigned char)*s;

	for (int t = 0; t < 256; t++)
		if (strncmp(s, tokens[t], strlen(tokens[t])) == 0 &&
		    strlen(tokens[t]) > strlen(tokens[best]))
			best = t;
	return best;
}

static void add_name(struct kallsyms_builder *b, const struct kb_symbol *symbol)
{
	char text[sizeof(symbol->name) + 1];
	uint8_t out[sizeof(text)];
	uint32_t n = 0;

	(void)snprintf(text, sizeof(text), "%c%s", symbol->type, symbol->name);
	for (const char *s = text; *s; s += strlen(tokens[out[n - 1]]))
		out[n++] = (uint8_t)longest_token(s);
	if (n < 128 || !b->layout->long_lengths)
		add(b, n, 1);
	else
		add(b, (n & 0x7f) | 0x80 | n >> 7 << 8, 2);
	for (uint32_t i = 0; i < n; i++)
		add(b, out[i], 1);
}

static void add_names(struct kallsyms_builder *b)
{
	uint32_t markers[KB_SYMBOLS / 256 + 1];

	b->places.num_syms = label(b);
	add(b, KB_SYMBOLS, 4);
	b->places.names = label(b);
	for (uint32_t i = 0; i < KB_SYMBOLS; i++) {
		if (i % 256 == 0)
			markers[i / 256] = (uint32_t)(b->bytes.n - b->places.names);
		add_name(b, &b->symbols[i]);
	}
	b->places.names_end = b->bytes.n;
	b->places.markers = label(b);
	for (size_t i = 0; i < sizeof(markers) / sizeof(markers[0]); i++)
		add(b, markers[i], 4);
}

static void add_tokens(struct kallsyms_builder *b)
{
	uint64_t at[256];

	b->places.token_table = label(b);
	for (int t = 0; t < 256; t++) {
		at[t] = b->bytes.n - b->places.token_table;
		for (size_t i = 0; i <= strlen(tokens[t]); i++)
			add(b, (uint8_t)tokens[t][i], 1);
	}
	b->places.token_index = label(b);
	for (int t = 0; t < 256; t++)
		add(b, at[t], 2);
}

static void add_address(struct kallsyms_builder *b, uint64_t va)
{
	switch (b->layout->encoding) {
	case KALLSYMS_ABSOLUTE:
		add(b, va, 8);
		break;
	case KALLSYMS_ABSOLUTE_32:
		add(b, va, 4);
		break;
	case KALLSYMS_BASE_PERCPU:
		add(b, va < b->text_va ? va : b->text_va - 1 - va, 4);
		break;
	case KALLSYMS_BASE:
		add(b, va - b->text_va, 4);
		break;
	case KALLSYMS_PLACE:
		add(b, va - (b->window_va + b->bytes.n), 4);
		break;
	}
}

static void add_addresses(struct kallsyms_builder *b)
{
	bool based =
		b->layout->encoding == KALLSYMS_BASE || b->layout->encoding == KALLSYMS_BASE_PERCPU;

	b->places.addresses = label(b);
	for (uint32_t i = 0; i < KB_SYMBOLS; i++)
		add_address(b, b->symbols[i].va);
	b->places.relative_base = based ? label(b) : KALLSYMS_UNKNOWN;
	if (based)
		add(b, b->text_va, (int)b->layout->word);
}

static void add_seqs(struct kallsyms_builder *b)
{
	if (!b->layout->seqs)
		return;
	align(b, b->layout->align);
	add_noise(b, (size_t)KB_SYMBOLS * 3);
}

static void name(struct kb_symbol *s, const char *text, char type)
{
	(void)snprintf(s->name, sizeof(s->name), "%s", text);
	s->type = type;
}

static void fill_symbols(struct kallsyms_builder *b)
{
	bool percpu = b->layout->encoding == KALLSYMS_BASE_PERCPU ||
		      b->layout->encoding == KALLSYMS_ABSOLUTE;
	struct kb_symbol *s = b->symbols = mem_zalloc(KB_SYMBOLS, sizeof(*s));

	for (uint64_t i = 0; i < KB_SYMBOLS; i++) {
		(void)snprintf(s[i].name, sizeof(s[i].name), "fn_%llu_call", (unsigned long long)i);
		s[i].type = 'T';
		// Pairs share an address, as aliases do.
		s[i].va = percpu && i < KB_PERCPU ? i / 2 * 0x40
						  : b->text_va + (i / 2 - KB_PERCPU / 2) * 0x4000;
		if (!percpu)
			s[i].va += (uint64_t)KB_PERCPU / 2 * 0x4000;
		if (s[i].va < b->text_va)
			s[i].type = 'A';
	}
	memset(s[KB_LONG].name, 'x', sizeof(s[KB_LONG].name) - 1);
	name(&s[KB_PERCPU], "_text", 'T');
	name(&s[600], "twice", 't');
	name(&s[650], "twice", 'd');
	name(&s[651], "twice", 'd');
	name(&s[801], "twice", 'T');
	name(&s[901], "twice", 'D');
	name(&s[1299], "linux_banner", 'D');
	s[1299].va = b->window_va + KB_BANNER;
	for (int i = 1300; i < KB_SYMBOLS; i++)
		s[i].va = b->window_va + 0x400000 + (uint64_t)(i / 2) * 0x100;
	name(&s[1400], "init_task", 'D');
}

void kb_build(struct kallsyms_builder *b, const struct kb_layout *layout)
{
	static const char banner[] = "Linux version 9.9.9 (nobody@nowhere) #1 SMP\n";

	uint64_t mask = layout->word == 4 ? UINT32_MAX : UINT64_MAX;

	b->layout = layout;
	b->window_va = KB_WINDOW_VA & mask;
	b->text_va = KB_TEXT_VA & mask;
	b->places.encoding = layout->encoding;
	b->places.long_lengths = layout->long_lengths;
	fill_tokens();
	fill_symbols(b);
	add_noise(b, 0x2345);
	memcpy(b->bytes.at + KB_BANNER, banner, sizeof(banner));
	memcpy(b->bytes.at + 0x80, banner, sizeof(banner)); // the one that nobody uses
	align(b, 8);
	if (layout->old_order)
		add_addresses(b);
	add_names(b);
	if (layout->old_order)
		add_seqs(b);
	add_tokens(b);
	if (!layout->old_order) {
		add_addresses(b);
		add_seqs(b);
	}
	add_noise(b, 0x1000);
}

uint8_t *kb_window(const struct kallsyms_builder *b, size_t n)
{
	uint8_t *window = mem_zalloc(1, n);

	memcpy(window, b->bytes.at, n < b->bytes.n ? n : b->bytes.n);
	return window;
}

void kb_fini(struct kallsyms_builder *b)
{
	vec_fini(&b->bytes);
	mem_free(b->symbols);
	*b = (struct kallsyms_builder){0};
}
