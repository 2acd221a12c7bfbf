// SPDX-License-Identifier: LGPL-2.1-or-later
// kallsyms: cut off, damaged, made up to take for ever.
#include "symbols/kallsyms.h"
#include "tests/unit/kallsyms_builder.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

TestSuite(kallsyms_hostile, .timeout = 100);

// Whatever it opens must answer everything.
static void ask_all(struct kallsyms *ks)
{
	struct symbol_want wants[] = {
		{.name = "init_task"}, {.name = "twice"}, {.name = "linux_banner"}};
	char name[64], type;
	uint64_t va, offset;

	kallsyms_resolve(ks, wants, 3);
	(void)kallsyms_window_va(ks, wants[2].va, &va);
	for (uint32_t i = 0; i < kallsyms_count(ks); i += 97)
		if (kallsyms_at(ks, i, name, sizeof(name), &va, &type))
			(void)kallsyms_name_at(ks, va + i, name, sizeof(name), &offset);
	(void)kallsyms_name_at(ks, 0, name, sizeof(name), &offset);
	(void)kallsyms_name_at(ks, UINT64_MAX, name, sizeof(name), &offset);
	kallsyms_rebase(ks, wants[0].va);
	(void)kallsyms_name_at(ks, wants[0].va, name, 1, &offset);
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

// No table may be missing a byte; what follows the last is not needed.
static uint64_t bytes_needed(const struct kallsyms_builder *b)
{
	uint64_t word = b->layout->word;
	uint64_t width = b->layout->encoding == KALLSYMS_ABSOLUTE ? 8 : 4;
	uint64_t end = later(b->places.token_index + 512, b->places.addresses + KB_SYMBOLS * width);

	return b->places.relative_base == KALLSYMS_UNKNOWN
		       ? end
		       : later(end, b->places.relative_base + word);
}

Test(kallsyms_hostile, cut_off)
{
	for (const struct kb_layout *layout = kb_layouts; layout->what; layout++) {
		struct kallsyms_builder b = {0};
		kb_build(&b, layout);
		uint64_t needed = bytes_needed(&b);
		for (size_t n = 0; n < b.bytes.n; n += n + 64 < needed ? 61 : 1) {
			struct kallsyms *ks = NULL;
			uint8_t *window = kb_window(&b, n);
			struct err *e =
				kallsyms_open(window, n, KALLSYMS_UNKNOWN, layout->word, &ks);
			cr_assert_eq(e == NULL, n >= needed, "%s, %zu bytes of %llu", layout->what,
				     n, (unsigned long long)needed);
			kallsyms_close(ks);
			mem_free(window);
		}
		kb_fini(&b);
	}
}

Test(kallsyms_hostile, nothing_there)
{
	static const uint8_t nothing[4096];
	struct kallsyms *ks;

	for (size_t n = 0; n < sizeof(nothing); n += 511) {
		struct err *e = kallsyms_open(nothing, n, KALLSYMS_UNKNOWN, 8, &ks);
		cr_assert_not_null(e);
		cr_assert_eq(e->code, ERR_NOT_FOUND);
	}
}

Test(kallsyms_hostile, tokens_without_names)
{
	struct kallsyms_builder b = {0};
	struct kallsyms *ks;

	kb_build(&b, &kb_layouts[0]);
	b.bytes.at[b.places.names] ^= 1; // the first length
	struct err *e = kallsyms_open(b.bytes.at, b.bytes.n, KALLSYMS_UNKNOWN, 8, &ks);
	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_FORMAT);
	kb_fini(&b);
}

static uint32_t dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

Test(kallsyms_hostile, damaged_at_random)
{
	uint64_t seed = 2;
	size_t opened = 0;

	for (const struct kb_layout *layout = kb_layouts; layout->what; layout++) {
		struct kallsyms_builder b = {0};
		kb_build(&b, layout);
		for (int round = 0; round < 400; round++) {
			struct kallsyms *ks;
			uint8_t *window = kb_window(&b, b.bytes.n);
			for (uint32_t flips = dice(&seed) % 4 + 1; flips > 0; flips--)
				window[0x2300 + dice(&seed) % (b.bytes.n - 0x2300)] ^=
					(uint8_t)(1U << dice(&seed) % 8);
			if (!kallsyms_open(window, b.bytes.n, KALLSYMS_UNKNOWN, layout->word,
					   &ks)) {
				ask_all(ks);
				kallsyms_close(ks);
				opened++;
			}
			mem_free(window);
		}
		kb_fini(&b);
	}
	cr_assert_gt(opened, 100);
}

// Zeros where the addresses should be: an image with absent pages.
Test(kallsyms_hostile, no_addresses)
{
	for (const struct kb_layout *layout = kb_layouts; layout->what; layout++) {
		struct kallsyms_builder b = {0};
		struct kallsyms *ks;
		kb_build(&b, layout);
		uint64_t width = layout->encoding == KALLSYMS_ABSOLUTE ? 8 : 4;
		memset(b.bytes.at + b.places.addresses, 0, KB_SYMBOLS * width);
		cr_assert_not_null(
			kallsyms_open(b.bytes.at, b.bytes.n, KALLSYMS_UNKNOWN, layout->word, &ks),
			"%s", layout->what);
		kb_fini(&b);
	}
}

// Megabytes in which every place could be the end of many markers, with good tokens behind them.
Test(kallsyms_hostile, markers_without_end)
{
	const size_t n = 4 << 20;
	struct kallsyms_builder b = {0};
	struct kallsyms *ks;

	kb_build(&b, &kb_layouts[0]);
	size_t tail = b.bytes.n - b.places.token_table;
	uint8_t *window = mem_zalloc(1, n + tail);
	for (size_t i = 0; i < n; i += 4)
		for (size_t byte = 0; byte < 4; byte++)
			window[i + byte] = (uint8_t)((i / 4 % 16000) * 512 >> 8 * byte);
	memcpy(window + n, b.bytes.at + b.places.token_table, tail);
	cr_assert_not_null(kallsyms_open(window, n + tail, KALLSYMS_UNKNOWN, 8, &ks));
	mem_free(window);
	kb_fini(&b);
}

// Megabytes of runs that grow from 0 as token_index does.
Test(kallsyms_hostile, tokens_without_end)
{
	const size_t n = 8 << 20;
	struct kallsyms *ks;
	uint8_t *window = mem_alloc(n);

	for (size_t i = 0; i < n; i += 2) {
		window[i] = (uint8_t)(i / 2 % 256 * 2);
		window[i + 1] = (uint8_t)(i / 2 % 256 * 2 >> 8);
	}
	cr_assert_not_null(kallsyms_open(window, n, KALLSYMS_UNKNOWN, 8, &ks));
	mem_free(window);
}
