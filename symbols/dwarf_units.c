// SPDX-License-Identifier: LGPL-2.1-or-later
// Which units are worth a look, from their bytes alone: a linked file has every string once in
// .debug_str, and an entry says its name by where it is there. One pass over .debug_info for these
// numbers finds the units in which a name occurs (and some in which the number is by chance).
#include "symbols/dwarf.h"

#ifdef HAVE_DWARF
#include "src/base/bytes.h"
#include "symbols/dwarf_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
	SHORTEST = 4,	  // shorter names lie in .debug_info itself
	UNITS = 1 << 20,  // at most
	PLACES = 1 << 20, // in .debug_str, at most
};

// Where in .debug_str a name ends: the linker lets strings share their tails.
struct place {
	uint32_t off;
	uint16_t name;
	bool is_constant;
};

struct places {
	VEC(struct place) at; // by off
	uint8_t *bits;	      // of .debug_str: a place is there
	bool everywhere;      // names are told in another way
};

static void find_places(const struct dwarf_section *str, const struct name_set *set,
			bool is_constant, struct places *p)
{
	for (size_t i = 0; str->at && i < set->n; i++) {
		size_t n = strlen(set->names[i]) + 1;
		const uint8_t *at = str->at, *end = str->at + str->n;
		while (n > SHORTEST && (at = memmem(at, (size_t)(end - at), set->names[i], n)) &&
		       p->at.n < PLACES) {
			uint32_t off = (uint32_t)(at++ - str->at);
			vec_push(&p->at, ((struct place){off, (uint16_t)i, is_constant}));
			p->bits[off / 8] |= (uint8_t)(1 << off % 8);
		}
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

static void mark(const struct places *p, uint32_t off, struct dwarf_unit *u)
{
	const struct place key = {.off = off};
	const struct place *found =
		p->at.at ? bsearch(&key, p->at.at, p->at.n, sizeof(key), by_offset) : NULL;
	uint64_t *bits;

	if (!found)
		return;
	bits = found->is_constant ? u->constants : u->types;
	bits[found->name % UNIT_NAMES / 64] |= 1ULL << found->name % 64;
}

static void mark_names(const struct places *p, uint32_t str_n, const uint8_t *at,
		       const uint8_t *end, struct dwarf_unit *u)
{
	if (p->everywhere) {
		memset(u->types, 0xff, sizeof(u->types));
		memset(u->constants, 0xff, sizeof(u->constants));
		return;
	}
	for (; end - at >= 4; at++) {
		uint32_t off = le32(at);
		if (off < str_n && p->bits[off / 8] >> off % 8 & 1)
			mark(p, off, u);
	}
}

// The length of a unit's header up to its first entry, or 0 if it is no unit of types' entries.
static size_t header_size(const uint8_t *unit, size_t n)
{
	if (n < 12)
		return 0;
	unsigned version = le16(unit + 4);
	if (version == 5)
		return unit[6] == DW_UT_compile || unit[6] == DW_UT_partial ? 12 : 0;
	return version >= 2 && version <= 4 ? 11 : 0;
}

// Units one behind the other, each with its length; the 64-bit form is for more than 4 GiB.
static struct err *list_units(const struct dwarf_sections *s, const struct places *p,
			      dwarf_unit_vec *out)
{
	const uint8_t *info = s->info.at;

	for (size_t off = 0; s->info.n - off >= 4;) {
		size_t length = le32(info + off), size;
		if (length == 0 || length >= 0xfffffff0 || length > s->info.n - off - 4)
			return err_new(ERR_FORMAT,
				       ".debug_info: the unit at 0x%zx does not fit into it", off);
		size = header_size(info + off, length + 4);
		if (out->n >= UNITS)
			return err_new(ERR_LIMIT, ".debug_info: more than %d units", UNITS);
		if (size) {
			struct dwarf_unit *u = vec_add(out);
			*u = (struct dwarf_unit){.die = off + size};
			mark_names(p, (uint32_t)s->str.n, info + off + size,
				   info + off + 4 + length, u);
		}
		off += 4 + length;
	}
	return NULL;
}

struct err *dwarf_units(const struct dwarf_sections *s, const struct wanted *w, dwarf_unit_vec *out)
{
	struct places p = {.everywhere = s->str_offsets.n || s->str.n >= UINT32_MAX};

	if (!p.everywhere) {
		p.bits = mem_zalloc(s->str.n / 8 + 1, 1);
		find_places(&s->str, &w->types, false, &p);
		find_places(&s->str, &w->constants, true, &p);
		if (p.at.n)
			qsort(p.at.at, p.at.n, sizeof(*p.at.at), by_offset);
	}
	struct err *e = list_units(s, &p, out);
	mem_free(p.bits);
	vec_fini(&p.at);
	return e;
}

static bool has_any(const uint64_t *bits, const struct name_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (!set->taken[i] && (bits[i % UNIT_NAMES / 64] >> i % 64 & 1))
			return true;
	return false;
}

bool dwarf_unit_is_of_use(const struct dwarf_unit *u, const struct wanted *w)
{
	return has_any(u->types, &w->types) || has_any(u->constants, &w->constants);
}
#endif
