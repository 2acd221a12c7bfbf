// SPDX-License-Identifier: LGPL-2.1-or-later
// Structures and their members: sizes, dotted paths, what a member is.
#include "symbols/btf_impl.h"

#include <string.h>

// A place inside a structure: what btf_member() knows half-way along its path.
struct place {
	uint64_t bit; // from the start of the outermost
	uint32_t type_id;
	uint32_t width; // of a kind_flag bitfield; 0: none
};

struct search {
	const struct btf *btf;
	const char *name; // one component of the path, len bytes
	size_t len;
	uint32_t left; // members that may still be looked at
};

static bool is_integer(enum btf_kind kind)
{
	return kind == BTF_KIND_INT || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

// Bytes of a type that has a size itself; arrays are size_of()'s.
static bool own_size(const struct btf *btf, uint32_t id, uint64_t *size)
{
	const uint8_t *r = btf_record(btf, id);
	enum btf_kind kind = btf_kind_of(btf, id);

	if (!r)
		return false;
	if (kind == BTF_KIND_PTR)
		*size = btf->pointer_size;
	else if (is_integer(kind) || btf_is_struct(kind) || kind == BTF_KIND_FLOAT ||
		 kind == BTF_KIND_DATASEC)
		*size = btf_size_or_type(r);
	else
		return false;
	return true;
}

static bool size_of(const struct btf *btf, uint32_t id, uint64_t *size)
{
	uint64_t count = 1;

	for (int depth = 0; depth < BTF_DEEPEST; depth++) {
		id = btf_strip(btf, id);
		if (btf_kind_of(btf, id) != BTF_KIND_ARRAY)
			return own_size(btf, id, size) &&
			       !__builtin_mul_overflow(*size, count, size);
		const uint8_t *array = btf_record(btf, id) + BTF_RECORD;
		if (__builtin_mul_overflow(count, le32(array + 8), &count))
			return false;
		id = le32(array);
	}
	return false;
}

static bool find_member(struct search *s, uint32_t id, struct place *at, int depth);

// An unnamed member: what is sought may be in the struct or union that it is.
static bool find_inside(struct search *s, struct place *at, int depth)
{
	uint32_t inner = btf_strip(s->btf, at->type_id);

	return depth < BTF_DEEPEST && btf_is_struct(btf_kind_of(s->btf, inner)) &&
	       find_member(s, inner, at, depth + 1);
}

static bool matches(const struct search *s, const char *name)
{
	return strncmp(name, s->name, s->len) == 0 && name[s->len] == '\0';
}

// Adds the member's place to at->bit if it is there; at is left alone if not.
static bool find_member(struct search *s, uint32_t id, struct place *at, int depth)
{
	const uint8_t *r = btf_record(s->btf, id);
	uint32_t info = btf_info(r);
	const uint8_t *m = r + BTF_RECORD;

	for (uint32_t n = btf_info_vlen(info); n > 0 && s->left > 0; n--, m += BTF_MEMBER) {
		uint32_t where = le32(m + 8);
		bool flag = btf_info_flag(info);
		struct place here = {at->bit + (flag ? where & 0xffffff : where), le32(m + 4),
				     flag ? where >> 24 : 0};
		const char *name = btf_string(s->btf, le32(m));
		s->left--;
		if (*name ? !matches(s, name) : !find_inside(s, &here, depth))
			continue;
		*at = here;
		return true;
	}
	return false;
}

// Takes "[N]" off the path: from an array to its element.
static bool take_index(const struct btf *btf, const char **path, struct place *at)
{
	uint32_t id = btf_strip(btf, at->type_id);
	uint64_t index = 0, size;
	const char *p = *path + 1;

	if (btf_kind_of(btf, id) != BTF_KIND_ARRAY || *p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9' && index <= UINT32_MAX; p++)
		index = index * 10 + (uint64_t)(*p - '0');
	const uint8_t *array = btf_record(btf, id) + BTF_RECORD;
	uint32_t count = le32(array + 8);
	if (*p != ']' || (count != 0 && index >= count) || !size_of(btf, le32(array), &size) ||
	    __builtin_mul_overflow(index, size, &size) || size > UINT32_MAX)
		return false;
	*path = p + 1;
	at->type_id = le32(array);
	at->bit += size * 8;
	return true;
}

// Takes "name[N][N]" and a following dot off the path.
static bool take_component(struct search *s, const char **path, struct place *at)
{
	uint32_t outer = btf_strip(s->btf, at->type_id);

	s->name = *path;
	s->len = strcspn(*path, ".[");
	if (s->len == 0 || at->width || !btf_is_struct(btf_kind_of(s->btf, outer)) ||
	    !find_member(s, outer, at, 0))
		return false;
	*path += s->len;
	while (**path == '[')
		if (!take_index(s->btf, path, at))
			return false;
	if (**path == '.')
		return *++*path != '\0';
	return **path == '\0';
}

// Old-style bitfields: an INT whose bits are not all of its bytes (before kind_flag, Linux 4.20).
static void find_int_bits(const struct btf *btf, uint32_t id, struct place *at)
{
	const uint8_t *r = btf_record(btf, id);
	uint32_t encoding = le32(r + BTF_RECORD);

	if (at->width == 0 && (encoding & 0xff) != btf_size_or_type(r) * 8) {
		at->bit += encoding >> 16 & 0xff;
		at->width = encoding & 0xff;
	}
}

static bool set_bits(struct btf_field *f, const struct place *at)
{
	uint32_t bytes = (uint32_t)(at->bit % 8 + at->width + 7) / 8;

	f->off = (uint32_t)(at->bit / 8);
	if (at->bit / 8 > UINT32_MAX)
		return false;
	if (at->width == 0)
		return at->bit % 8 == 0;
	if (bytes > 8 || f->is_array || f->is_pointer || f->is_struct)
		return false;
	f->bit_off = (uint8_t)(at->bit % 8);
	f->bit_size = (uint8_t)at->width;
	f->size = f->elem_size = bytes;
	return true;
}

static bool is_signed(const struct btf *btf, uint32_t id)
{
	const uint8_t *r = btf_record(btf, id);
	enum btf_kind kind = btf_kind_of(btf, id);

	if (kind == BTF_KIND_INT)
		return le32(r + BTF_RECORD) >> 24 & 1;
	return (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) && btf_enum_is_signed(btf, r);
}

// What one element is; id is stripped, and no array.
static void set_nature(const struct btf *btf, uint32_t id, struct btf_field *f)
{
	enum btf_kind kind = btf_kind_of(btf, id);
	uint32_t target = id;

	f->is_pointer = kind == BTF_KIND_PTR;
	f->is_struct = btf_is_struct(kind);
	f->is_signed = is_signed(btf, id);
	if (f->is_pointer)
		target = btf_strip(btf, btf_size_or_type(btf_record(btf, id)));
	kind = btf_kind_of(btf, target);
	f->target_id = btf_is_struct(kind) || kind == BTF_KIND_FWD ? target : 0;
	f->target = btf_name(btf, f->target_id);
}

static bool set_sizes(const struct btf *btf, struct btf_field *f)
{
	uint64_t size, elem;
	uint32_t elem_id = f->type_id;

	f->count = 1;
	if (btf_kind_of(btf, elem_id) == BTF_KIND_ARRAY) {
		const uint8_t *array = btf_record(btf, elem_id) + BTF_RECORD;
		f->is_array = true;
		f->count = le32(array + 8);
		elem_id = le32(array);
	}
	if (!size_of(btf, f->type_id, &size) || !size_of(btf, elem_id, &elem) ||
	    size > UINT32_MAX || elem > UINT32_MAX)
		return false;
	f->size = (uint32_t)size;
	f->elem_size = (uint32_t)elem;
	return true;
}

static bool describe(const struct btf *btf, struct place at, struct btf_field *f)
{
	uint32_t id = btf_strip(btf, at.type_id);

	*f = (struct btf_field){.type_id = id};
	if (!set_sizes(btf, f))
		return false;
	while (btf_kind_of(btf, id) == BTF_KIND_ARRAY) // ends: size_of() did
		id = btf_strip(btf, le32(btf_record(btf, id) + BTF_RECORD));
	if (btf_kind_of(btf, id) == BTF_KIND_INT && !f->is_array)
		find_int_bits(btf, id, &at);
	set_nature(btf, id, f);
	return set_bits(f, &at);
}

static bool member_in(struct search *s, uint32_t id, const char *path, struct btf_field *out)
{
	struct place at = {0, id, 0};

	do {
		if (!take_component(s, &path, &at))
			return false;
	} while (*path != '\0');
	return describe(s->btf, at, out);
}

bool btf_member_id(const struct btf *btf, uint32_t id, const char *path, struct btf_field *out)
{
	struct search s = {.btf = btf, .left = BTF_MEMBERS};

	return member_in(&s, id, path, out);
}

// The struct or union that a name found stands for, or 0.
static uint32_t as_struct(const struct btf *btf, uint32_t id)
{
	id = btf_strip(btf, id);
	return btf_is_struct(btf_kind_of(btf, id)) ? id : 0;
}

bool btf_member(const struct btf *btf, const char *name, const char *path, struct btf_field *out)
{
	struct search s = {.btf = btf, .left = BTF_MEMBERS};
	struct btf_by_name it = btf_by_name(btf, name);

	for (uint32_t id; (id = btf_next_named(&it)) != 0 && s.left > 0;)
		if (as_struct(btf, id) && member_in(&s, id, path, out))
			return true;
	return false;
}

uint32_t btf_find(const struct btf *btf, const char *name)
{
	struct btf_by_name it = btf_by_name(btf, name);

	for (uint32_t id; (id = btf_next_named(&it)) != 0;)
		if (as_struct(btf, id))
			return as_struct(btf, id);
	return 0;
}

uint32_t btf_find_with(const struct btf *btf, const char *name, const char *const *paths)
{
	struct search s = {.btf = btf, .left = BTF_MEMBERS};
	struct btf_by_name it = btf_by_name(btf, name);
	uint32_t best = 0, most = 0;

	for (uint32_t id; (id = btf_next_named(&it)) != 0;) {
		struct btf_field f;
		uint32_t has = 1;
		if (!as_struct(btf, id))
			continue;
		for (const char *const *path = paths; *path; path++)
			has += member_in(&s, id, *path, &f);
		if (has > most) {
			most = has;
			best = as_struct(btf, id);
		}
	}
	return best;
}

bool btf_sizeof_id(const struct btf *btf, uint32_t id, uint32_t *size)
{
	uint64_t bytes;

	if (!size_of(btf, id, &bytes) || bytes > UINT32_MAX)
		return false;
	*size = (uint32_t)bytes;
	return true;
}

bool btf_sizeof(const struct btf *btf, const char *name, uint32_t *size)
{
	struct btf_by_name it = btf_by_name(btf, name);

	for (uint32_t id; (id = btf_next_named(&it)) != 0;)
		if (btf_sizeof_id(btf, id, size))
			return true;
	return false;
}

uint64_t btf_field_value(const struct btf_field *f, const void *bytes)
{
	uint32_t bits = f->bit_size ? f->bit_size : f->size * 8;

	if (f->size == 0 || f->size > 8)
		return 0;
	uint64_t v = le_n(bytes, f->size) >> f->bit_off << (64 - bits);
	return f->is_signed ? (uint64_t)((int64_t)v >> (64 - bits)) : v >> (64 - bits);
}
