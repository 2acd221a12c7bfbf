// SPDX-License-Identifier: LGPL-2.1-or-later
// From the tokens to the other tables of kallsyms, whatever their order and encoding.
#include "symbols/kallsyms_impl.h"

enum {
	MARKER = 4,	 // bytes
	ENTRY_LEAST = 2, // bytes of a name: its length and one token
	ENTRY_MOST = KALLSYMS_NAME + 2,
	SEQ = 3, // bytes a symbol in seqs_of_names
	PADDING = 8,
};

static uint32_t marker_at(const struct kallsyms *ks, uint64_t end, uint64_t back)
{
	return le32(ks->window + end - back * MARKER);
}

// How many markers end at this place: growing by a block of names each, back to 0. 0 if none do.
static uint32_t markers_before(struct kallsyms *ks, uint64_t end)
{
	for (uint64_t n = 1; n * MARKER <= end && n <= KALLSYMS_MOST / KALLSYMS_BLOCK; n++) {
		uint32_t here = marker_at(ks, end, n);
		if (here == 0)
			return n > 1 ? (uint32_t)n : 0;
		if ((n + 1) * MARKER > end)
			break;
		uint32_t before = marker_at(ks, end, n + 1);
		if (before >= here || here - before < KALLSYMS_BLOCK * ENTRY_LEAST ||
		    here - before > KALLSYMS_BLOCK * ENTRY_MOST || !kallsyms_may(ks, 1))
			break;
	}
	return 0;
}

// Walks all names: each marker must be where its block begins, and the markers where the last ends.
static bool names_fit(struct kallsyms *ks, uint64_t names, uint32_t count, bool long_lengths)
{
	const uint8_t *start = ks->window + names, *p = start;
	const uint8_t *markers = ks->window + ks->layout.markers;
	struct kallsyms_entry e;

	for (uint32_t i = 0; i < count; i++) {
		if (i % KALLSYMS_BLOCK == 0 &&
		    ((size_t)(p - start) != le32(markers + (size_t)i / KALLSYMS_BLOCK * MARKER) ||
		     !kallsyms_may(ks, KALLSYMS_BLOCK)))
			return false;
		if (!kallsyms_step(&p, markers, long_lengths, &e))
			return false;
	}
	if (markers - p >= PADDING)
		return false;
	ks->count = count;
	ks->layout.names = names;
	ks->layout.names_end = (uint64_t)(p - ks->window);
	ks->layout.long_lengths = long_lengths;
	return true;
}

// num_syms is right before names, padded to 8 bytes up to 6.x.
static bool names_at(struct kallsyms *ks, uint64_t names, uint32_t n_markers)
{
	for (uint64_t back = 4; back <= 8 && back <= names; back += 4) {
		uint32_t count = le32(ks->window + names - back);
		if (count > KALLSYMS_MOST ||
		    (count + KALLSYMS_BLOCK - 1) / KALLSYMS_BLOCK != n_markers)
			continue;
		ks->layout.num_syms = names - back;
		if (names_fit(ks, names, count, true) || names_fit(ks, names, count, false))
			return true;
	}
	return false;
}

// The last block of names, of up to 256, is before the markers; all others are before it.
static bool names_before(struct kallsyms *ks, uint64_t markers, uint32_t n_markers)
{
	uint64_t last = marker_at(ks, markers + (uint64_t)n_markers * MARKER, 1);
	uint64_t shortest = last + ENTRY_LEAST;
	uint64_t longest = last + (uint64_t)KALLSYMS_BLOCK * ENTRY_MOST + PADDING;

	ks->layout.markers = markers;
	for (uint64_t len = (shortest + 3) & ~3ULL;
	     len <= longest && len < markers && kallsyms_may(ks, 1); len += 4)
		if (names_at(ks, markers - len, n_markers))
			return true;
	return false;
}

// Markers are right before token_table, or before the seqs_of_names that are (6.2, 6.3, and 6.1.y).
bool kallsyms_take_names(struct kallsyms *ks)
{
	uint64_t farthest = (uint64_t)KALLSYMS_MOST * SEQ + (uint64_t)2 * PADDING;
	uint64_t end = ks->layout.token_table & ~3ULL;
	uint64_t least = end > farthest ? end - farthest : 0;

	for (; end > least; end -= 4) {
		uint32_t n = markers_before(ks, end);
		if (n > 0 && names_before(ks, end - (uint64_t)n * MARKER, n))
			return true;
	}
	return false;
}

// Kernels of 32 bits have the last GiB at least and the last three at most.
static bool is_kernel_va(const struct kallsyms *ks, uint64_t va)
{
	return ks->word == 8 ? va >> 48 == 0xffff : va >= 1ULL << 30 && va <= UINT32_MAX;
}

// Addresses must not fall, and must not all be one.
static bool is_sorted(enum kallsyms_encoding encoding, const uint8_t *table, uint64_t base,
		      uint32_t count)
{
	uint64_t lowest = kallsyms_lowest(encoding, base);
	uint64_t first = kallsyms_decode(encoding, table, base, 0) - lowest, last = first;

	for (uint32_t i = 1; i < count; i++) {
		uint64_t next = kallsyms_decode(encoding, table, base, i) - lowest;
		if (next < last)
			return false;
		last = next;
	}
	return last > first;
}

static bool take_table(struct kallsyms *ks, enum kallsyms_encoding encoding, uint64_t at,
		       uint64_t base)
{
	const uint8_t *table = ks->window + at;

	if (!is_sorted(encoding, table, base, ks->count))
		return false;
	// The last is an address of the kernel's, or (place-relative) the first is text, before
	// .rodata.
	uint64_t last = kallsyms_decode(encoding, table, base, ks->count - 1);
	if (encoding == KALLSYMS_PLACE ? (int32_t)le32(table) >= 0 : !is_kernel_va(ks, last))
		return false;
	ks->layout.encoding = encoding;
	ks->layout.addresses = at;
	ks->base = base;
	return true;
}

static bool in_window(const struct kallsyms *ks, uint64_t at, uint64_t bytes)
{
	return at <= ks->size && bytes <= ks->size - at;
}

static uint64_t padded_offsets(const struct kallsyms *ks)
{
	return ((uint64_t)ks->count * 4 + ks->word - 1) / ks->word * ks->word;
}

// offsets, padding to a word (8 bytes, or 4) and relative_base, one after the other.
static bool take_based(struct kallsyms *ks, uint64_t at)
{
	uint64_t word = ks->word;
	uint64_t padded = padded_offsets(ks);

	if (!in_window(ks, at, padded + word))
		return false;
	uint64_t base = le_n(ks->window + at + padded, word);
	if (!is_kernel_va(ks, base) || (!take_table(ks, KALLSYMS_BASE, at, base) &&
					!take_table(ks, KALLSYMS_BASE_PERCPU, at, base)))
		return false;
	ks->layout.relative_base = at + padded;
	return true;
}

// Of 32 bits all are the kernel's: no per-CPU variable begins at 0.
static bool take_absolute(struct kallsyms *ks, uint64_t at)
{
	bool wide = ks->word == 8;

	return in_window(ks, at, (uint64_t)ks->count * ks->word) &&
	       (wide || is_kernel_va(ks, le32(ks->window + at))) &&
	       take_table(ks, wide ? KALLSYMS_ABSOLUTE : KALLSYMS_ABSOLUTE_32, at, 0);
}

// With a relative_base or absolute, behind the tokens or before num_syms.
static bool take_plain(struct kallsyms *ks)
{
	uint64_t word = ks->word;
	uint64_t after = ks->layout.token_index + (uint64_t)KALLSYMS_TOKENS * 2;
	uint64_t before = ks->layout.num_syms, based = padded_offsets(ks) + word;
	uint64_t absolute = ks->count * word;

	return take_based(ks, after) || take_absolute(ks, after) ||
	       (before >= based && take_based(ks, before - based)) ||
	       (before >= absolute && take_absolute(ks, before - absolute));
}

bool kallsyms_take_addresses(struct kallsyms *ks)
{
	uint64_t after = ks->layout.token_index + (uint64_t)KALLSYMS_TOKENS * 2;

	ks->layout.relative_base = KALLSYMS_UNKNOWN;
	return take_plain(ks) || (in_window(ks, after, (uint64_t)ks->count * 4) &&
				  take_table(ks, KALLSYMS_PLACE, after, after));
}
