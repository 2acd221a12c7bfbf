// SPDX-License-Identifier: LGPL-2.1-or-later
// Entries of DWARF to types of BTF. What a struct embeds is taken with it; what it points to is
// only named.
#include "symbols/dwarf.h"

#ifdef HAVE_DWARF
#include "src/base/text.h"
#include "symbols/btf_impl.h"
#include "symbols/dwarf_impl.h"

#include <string.h>

enum {
	DEEPEST = 64, // structs in structs, typedefs of typedefs
	MOST_MEMBERS = 0xffff,
	MOST_DIMENSIONS = 8,
	MOST_TYPES = 1 << 18, // a kernel takes some 3,000
};

struct converter {
	struct dwarf_file *file;
	struct btf_writer *out;
	struct wanted *wanted;
	struct u64map ids;  // offset of an entry -> id of its type; 0 while it is being converted
	struct u64map same; // what tells a struct from others -> its id
	unsigned depth;
};

static uint32_t type_of(struct converter *c, const struct dwarf_entry *e);

static uint64_t number(const struct dwarf_entry *e, Dwarf_Half attribute, uint64_t or_else)
{
	uint64_t v;

	return dwarf_entry_number(e, attribute, &v) ? v : or_else;
}

static uint32_t size_in_bytes(const struct dwarf_entry *e)
{
	uint64_t size = number(e, DW_AT_byte_size, 0);

	return size <= UINT32_MAX ? (uint32_t)size : 0;
}

// The type that e refers to; void, or what can't be had, is 0.
static uint32_t target_of(struct converter *c, const struct dwarf_entry *e)
{
	struct dwarf_entry target = dwarf_entry_type(e);
	uint32_t id = target.die ? type_of(c, &target) : 0;

	dwarf_entry_fini(&target);
	return id;
}

static bool is_alias(Dwarf_Half tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

static bool is_struct(Dwarf_Half tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

// --- simple types ---

static uint32_t base_type(struct converter *c, const struct dwarf_entry *e)
{
	uint64_t encoding = number(e, DW_AT_encoding, 0);
	const char *name = dwarf_entry_name(e);

	if (encoding == DW_ATE_float)
		return btf_write_float(c->out, name, size_in_bytes(e));
	return btf_write_int(c->out, name, size_in_bytes(e),
			     encoding == DW_ATE_signed || encoding == DW_ATE_signed_char);
}

// A pointer, with the name of the struct that it leads to.
static uint32_t pointer(struct converter *c, const struct dwarf_entry *e)
{
	struct dwarf_entry target = dwarf_entry_type(e);
	uint32_t id = 0;

	for (int i = 0; i < DEEPEST && target.die && is_alias(target.tag); i++) {
		struct dwarf_entry next = dwarf_entry_type(&target);
		dwarf_entry_fini(&target);
		target = next;
	}
	const char *name = target.die && is_struct(target.tag) ? dwarf_entry_name(&target) : NULL;
	if (name && *name)
		id = btf_write_forward(c->out, name, target.tag == DW_TAG_union_type);
	dwarf_entry_fini(&target);
	return btf_write_pointer(c->out, id);
}

// Elements of one dimension; 0 if it is not told.
static uint32_t elements(const struct dwarf_entry *subrange)
{
	uint64_t n = number(subrange, DW_AT_count, 0);

	if (n == 0 && dwarf_entry_number(subrange, DW_AT_upper_bound, &n))
		n++; // -1 stands for no elements
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static uint32_t array(struct converter *c, const struct dwarf_entry *e)
{
	uint32_t count[MOST_DIMENSIONS], id = target_of(c, e);
	struct dwarf_entry child = dwarf_entry_child(e);
	size_t n = 0;

	for (; child.die && n < MOST_DIMENSIONS; dwarf_entry_next(&child))
		if (child.tag == DW_TAG_subrange_type)
			count[n++] = elements(&child);
	dwarf_entry_fini(&child);
	while (n-- > 0)
		id = btf_write_array(c->out, id, count[n]);
	return id;
}

static uint32_t enumeration(struct converter *c, const struct dwarf_entry *e)
{
	VEC(struct btf_write_value) values = {0};
	struct dwarf_entry child = dwarf_entry_child(e);
	bool is_signed = false;

	for (; child.die && values.n < MOST_MEMBERS; dwarf_entry_next(&child)) {
		uint64_t v;
		const char *name = dwarf_entry_name(&child);
		if (child.tag != DW_TAG_enumerator || !name ||
		    !dwarf_entry_number(&child, DW_AT_const_value, &v))
			continue;
		is_signed |= (int64_t)v < 0;
		vec_push(&values, ((struct btf_write_value){name, (int64_t)v}));
		int place = name_set_find(&c->wanted->constants, name);
		if (place != NO_NAME)
			name_set_take(&c->wanted->constants, place);
	}
	dwarf_entry_fini(&child);
	uint32_t id = btf_write_enum(c->out, dwarf_entry_name(e), size_in_bytes(e), is_signed,
				     values.at, values.n);
	vec_fini(&values);
	return id;
}

// --- structs and unions ---

// The bits that a bitfield's type has, for DWARF 3's way of counting them.
static uint64_t storage_bits(const struct dwarf_entry *member)
{
	uint64_t size = number(member, DW_AT_byte_size, 0);
	struct dwarf_entry type = dwarf_entry_type(member);

	for (int i = 0; i < DEEPEST && size == 0 && type.die; i++) {
		size = number(&type, DW_AT_byte_size, 0);
		struct dwarf_entry next = dwarf_entry_type(&type);
		dwarf_entry_fini(&type);
		type = next;
	}
	dwarf_entry_fini(&type);
	return size <= 16 ? size * 8 : 0;
}

// Where a member begins, in bits from the struct's start. Bitfields have DW_AT_data_bit_offset, or
// until DWARF 3 DW_AT_bit_offset: from the highest bit of the storage down.
static uint64_t first_bit(const struct dwarf_entry *member, uint64_t width)
{
	uint64_t at = number(member, DW_AT_data_member_location, 0), from_top;

	at = at <= UINT32_MAX ? at * 8 : UINT64_MAX / 2;
	if (width == 0)
		return at;
	if (dwarf_entry_number(member, DW_AT_bit_offset, &from_top))
		return at + storage_bits(member) - from_top - width;
	return at + number(member, DW_AT_data_bit_offset, 0);
}

static bool member(struct converter *c, const struct dwarf_entry *e, struct btf_write_member *out)
{
	uint64_t width = number(e, DW_AT_bit_size, 0), bit = first_bit(e, width);

	if (e->tag != DW_TAG_member || bit > UINT32_MAX || width > 64)
		return false;
	*out = (struct btf_write_member){.name = dwarf_entry_name(e),
					 .type = target_of(c, e),
					 .bit = (uint32_t)bit,
					 .width = (uint32_t)width};
	return true;
}

static uint32_t write_struct(struct converter *c, const struct dwarf_entry *e)
{
	VEC(struct btf_write_member) members = {0};
	struct dwarf_entry child = dwarf_entry_child(e);
	struct btf_write_member m;

	for (; child.die && members.n < MOST_MEMBERS; dwarf_entry_next(&child))
		if (member(c, &child, &m))
			vec_push(&members, m);
	dwarf_entry_fini(&child);
	uint32_t id = btf_write_struct(c->out, dwarf_entry_name(e), e->tag == DW_TAG_union_type,
				       size_in_bytes(e), members.at, members.n);
	vec_fini(&members);
	return id;
}

// Every unit has its own copy of a header's struct: name, size and line are the same.
static uint64_t identity(const struct dwarf_entry *e, const char *name)
{
	uint64_t facts[] = {e->tag, size_in_bytes(e), number(e, DW_AT_decl_line, 0)};

	return text_hash(text_hash(TEXT_HASH, name, strlen(name)), (const char *)facts,
			 sizeof(facts));
}

static uint32_t structure(struct converter *c, const struct dwarf_entry *e)
{
	const char *name = dwarf_entry_name(e);

	if (!name || !*name)
		return write_struct(c, e);
	if (dwarf_entry_has(e, DW_AT_declaration))
		return btf_write_forward(c->out, name, e->tag == DW_TAG_union_type);
	uint64_t key = identity(e, name);
	const uint64_t *known = u64map_get(&c->same, key);
	if (known)
		return (uint32_t)*known;
	int place = name_set_find(&c->wanted->types, name);
	uint32_t id = write_struct(c, e);
	(void)u64map_add(&c->same, key, id);
	if (place != NO_NAME)
		name_set_take(&c->wanted->types, place);
	return id;
}

// --- any type ---

static uint32_t convert(struct converter *c, const struct dwarf_entry *e)
{
	if (is_alias(e->tag))
		return target_of(c, e);
	if (is_struct(e->tag))
		return structure(c, e);
	switch (e->tag) {
	case DW_TAG_base_type:
		return base_type(c, e);
	case DW_TAG_pointer_type:
		return pointer(c, e);
	case DW_TAG_array_type:
		return array(c, e);
	case DW_TAG_enumeration_type:
		return enumeration(c, e);
	default:
		return 0;
	}
}

// Each entry once. One that embeds itself is broken: it gets void for itself.
static uint32_t type_of(struct converter *c,
			const struct dwarf_entry *e) // NOLINT(misc-no-recursion)
{
	uint64_t off = dwarf_entry_offset(e);

	if (!u64map_add(&c->ids, off, 0))
		return (uint32_t)*u64map_get(&c->ids, off);
	if (c->depth >= DEEPEST || c->ids.n > MOST_TYPES)
		return 0;
	c->depth++;
	uint32_t id = convert(c, e);
	c->depth--;
	*u64map_get(&c->ids, off) = id;
	return id;
}

// --- units ---

static bool has_wanted_constant(const struct converter *c, const struct dwarf_entry *e)
{
	struct dwarf_entry child = dwarf_entry_child(e);
	bool found = false;

	for (; child.die && !found; dwarf_entry_next(&child)) {
		const char *name = dwarf_entry_name(&child);
		int place = name ? name_set_find(&c->wanted->constants, name) : NO_NAME;
		found = place != NO_NAME && !c->wanted->constants.taken[place];
	}
	dwarf_entry_fini(&child);
	return found;
}

// A typedef is written under its name only if that is asked for; elsewhere it is looked through.
static void take_typedef(struct converter *c, const struct dwarf_entry *e, const char *name)
{
	uint32_t id = type_of(c, e);

	if (id)
		btf_write_typedef(c->out, name, id);
}

static void take_named(struct converter *c, const struct dwarf_entry *e)
{
	const char *name = dwarf_entry_name(e);
	int place = name ? name_set_find(&c->wanted->types, name) : NO_NAME;

	if (place == NO_NAME || c->wanted->types.taken[place] ||
	    dwarf_entry_has(e, DW_AT_declaration))
		return;
	if (is_struct(e->tag))
		(void)type_of(c, e);
	else
		take_typedef(c, e, name);
	name_set_take(&c->wanted->types, place);
}

static void visit_unit(struct converter *c, const struct dwarf_unit *u)
{
	struct dwarf_entry unit = dwarf_entry_at(c->file, u->die);
	struct dwarf_entry e = unit.die ? dwarf_entry_child(&unit) : unit;

	for (; e.die && !wanted_all_found(c->wanted); dwarf_entry_next(&e)) {
		if (is_struct(e.tag) || e.tag == DW_TAG_typedef)
			take_named(c, &e);
		else if (e.tag == DW_TAG_enumeration_type && c->wanted->constants.left &&
			 has_wanted_constant(c, &e))
			(void)type_of(c, &e);
	}
	dwarf_entry_fini(&e);
	dwarf_entry_fini(&unit);
}

static void visit_units(struct converter *c, const dwarf_unit_vec *units, struct dwarf_found *found)
{
	const struct dwarf_unit *u;

	found->units = units->n;
	found->visited = 0;
	vec_foreach (u, units)
		if (dwarf_unit_is_of_use(u, c->wanted)) {
			visit_unit(c, u);
			found->visited++;
		}
}

struct err *dwarf_to_btf(const struct dwarf_sections *s, struct wanted *wanted,
			 struct btf_writer *out, struct dwarf_found *found)
{
	struct converter c = {.out = out, .wanted = wanted};
	dwarf_unit_vec units = {0};
	struct err *e = dwarf_units(s, wanted, &units);

	if (!e)
		e = dwarf_file_open(s, &c.file);
	if (!e) {
		visit_units(&c, &units, found);
		dwarf_file_close(c.file);
	}
	vec_fini(&units);
	u64map_fini(&c.ids);
	u64map_fini(&c.same);
	return e;
}

#else

const char *dwarf_library(void)
{
	return NULL;
}

struct err *dwarf_to_btf(const struct dwarf_sections *s, struct wanted *wanted,
			 struct btf_writer *out, struct dwarf_found *found)
{
	(void)s;
	(void)wanted;
	(void)out;
	(void)found;
	return err_new(ERR_UNSUPPORTED, "its types are DWARF, and this vmiscan was built without "
					"libdwarf");
}
#endif
