// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens kallsyms, and looks symbols up by name and by address.
#include "symbols/kallsyms.h"

#include "src/base/mem.h"
#include "symbols/kallsyms_impl.h"

#include <string.h>

static struct err *find_tables(struct kallsyms *ks, uint64_t token_index)
{
	bool tokens = false;

	if (token_index != KALLSYMS_UNKNOWN && kallsyms_take_tokens(ks, token_index) &&
	    kallsyms_take_names(ks) && kallsyms_take_addresses(ks))
		return NULL;
	for (uint64_t from = 0; (token_index = kallsyms_seek_tokens(ks, from)) != KALLSYMS_UNKNOWN;
	     from = token_index + (uint64_t)KALLSYMS_TOKENS * 2) {
		tokens = true;
		if (kallsyms_take_names(ks) && kallsyms_take_addresses(ks))
			return NULL;
	}
	return tokens ? err_new(ERR_FORMAT,
				"kallsyms: there are tokens, but no names and addresses for them")
		      : err_new(ERR_NOT_FOUND, "kallsyms: none in the %zu bytes of .rodata",
				ks->size);
}

struct err *kallsyms_open(const void *window, size_t n, uint64_t token_index, unsigned word,
			  struct kallsyms **out)
{
	struct kallsyms *ks = mem_zalloc(1, sizeof(*ks));

	ks->window = window;
	ks->size = n;
	ks->word = word;
	ks->work = KALLSYMS_WORK;
	struct err *e = find_tables(ks, token_index);
	if (e)
		kallsyms_close(ks);
	else
		*out = ks;
	return e;
}

void kallsyms_close(struct kallsyms *ks)
{
	mem_free(ks);
}

const struct kallsyms_layout *kallsyms_layout(const struct kallsyms *ks)
{
	return &ks->layout;
}

uint32_t kallsyms_count(const struct kallsyms *ks)
{
	return ks->count;
}

bool kallsyms_is_relative(const struct kallsyms *ks)
{
	return ks->layout.encoding == KALLSYMS_PLACE && !ks->rebased;
}

void kallsyms_rebase(struct kallsyms *ks, uint64_t window_va)
{
	if (ks->layout.encoding != KALLSYMS_PLACE)
		return;
	ks->rebased = true;
	ks->base = window_va + ks->layout.addresses;
}

static bool is_banner(const struct kallsyms *ks, uint64_t at)
{
	static const char banner[] = "Linux version ";

	return at <= ks->size && ks->size - at >= sizeof(banner) &&
	       memcmp(ks->window + at, banner, sizeof(banner) - 1) == 0;
}

bool kallsyms_window_va(const struct kallsyms *ks, uint64_t linux_banner, uint64_t *window_va)
{
	const uint64_t page = 4096;

	if (ks->layout.encoding == KALLSYMS_PLACE) {
		*window_va = ks->base - ks->layout.addresses;
		return is_banner(ks, linux_banner - *window_va);
	}
	// Back from the tables: they are linked last, right after the banner since 6.1. Up to 5.19
	// it is at the start of .rodata, where newer kernels have a second one, which nobody uses.
	uint64_t tables = ks->layout.num_syms;
	if (ks->layout.addresses < tables)
		tables = ks->layout.addresses;
	uint64_t at = (tables & ~(page - 1)) + (linux_banner & (page - 1));
	for (; at < ks->size + page; at -= page) {
		if (!is_banner(ks, at))
			continue;
		*window_va = linux_banner - at;
		return true;
	}
	return false;
}

// Entry i of the names: its block's marker, then on one by one.
static struct kallsyms_entry entry_at(const struct kallsyms *ks, uint32_t i)
{
	const uint8_t *markers = ks->window + ks->layout.markers;
	const uint8_t *end = ks->window + ks->layout.names_end;
	const uint8_t *p =
		ks->window + ks->layout.names + le32(markers + (size_t)(i / KALLSYMS_BLOCK) * 4);
	struct kallsyms_entry e = {0};

	for (uint32_t skip = i % KALLSYMS_BLOCK + 1; skip > 0; skip--)
		if (!kallsyms_step(&p, end, ks->layout.long_lengths, &e))
			break;
	return e;
}

// Writes the name behind the type, cut off at n - 1 bytes; gives the type.
static char expand(const struct kallsyms *ks, struct kallsyms_entry e, char *buf, size_t n)
{
	size_t used = 0;
	char type = '?';

	for (uint32_t i = 0; i < e.n; i++) {
		struct kallsyms_token t = ks->token[e.tokens[i]];
		if (i == 0 && t.len > 0) {
			type = *t.text++;
			t.len--;
		}
		size_t take = n - used > t.len ? t.len : n - used - 1;
		memcpy(buf + used, t.text, take);
		used += take;
	}
	buf[used] = '\0';
	return type;
}

bool kallsyms_at(const struct kallsyms *ks, uint32_t i, char *buf, size_t n, uint64_t *va,
		 char *type)
{
	if (i >= ks->count || n == 0)
		return false;
	char first = expand(ks, entry_at(ks, i), buf, n);
	if (type)
		*type = first;
	*va = kallsyms_address(ks, i);
	return true;
}

// How many symbols lie before key, where keys are addresses less the lowest.
static uint32_t count_below(const struct kallsyms *ks, uint64_t lowest, uint64_t key)
{
	uint32_t low = 0, high = ks->count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (kallsyms_address(ks, mid) - lowest < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool kallsyms_name_at(const struct kallsyms *ks, uint64_t va, char *buf, size_t n, uint64_t *offset)
{
	uint64_t lowest = kallsyms_lowest(ks->layout.encoding, ks->base), found;
	uint32_t i = ks->count;

	if (va - lowest != UINT64_MAX)
		i = count_below(ks, lowest, va - lowest + 1);
	if (i == 0)
		return false;
	// The first of those that share the address.
	i = count_below(ks, lowest, kallsyms_address(ks, i - 1) - lowest);
	*offset = va - kallsyms_address(ks, i);
	return kallsyms_at(ks, i, buf, n, &found, NULL);
}
