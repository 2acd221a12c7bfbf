// SPDX-License-Identifier: LGPL-2.1-or-later
// Records of BTF, one behind the other; each string once.
#include "symbols/btf_write.h"

#include "src/base/text.h"
#include "symbols/btf_impl.h"

#include <string.h>

enum { VLEN_MOST = 0xffff, BITFIELD_REACH = 1 << 24 };

// --- bytes and strings ---

static void put_u32(struct btf_writer *w, uint32_t v)
{
	w->too_long |= w->types.n >= BTF_LARGEST / 2;
	for (int i = 0; i < 4 && !w->too_long; i++)
		vec_push(&w->types, (uint8_t)(v >> 8 * i));
}

static uint32_t append_string(struct btf_writer *w, const char *s, size_t n)
{
	uint32_t off = (uint32_t)w->strings.n;

	w->too_long |= w->strings.n + n >= BTF_LARGEST / 2;
	for (size_t i = 0; i < n && !w->too_long; i++)
		vec_push(&w->strings, s[i]);
	return w->too_long ? 0 : off;
}

// The offset of the string; those of one hash are tried under the next keys.
static uint32_t put_string(struct btf_writer *w, const char *s)
{
	if (w->strings.n == 0)
		vec_push(&w->strings, '\0');
	if (!s || !*s || w->too_long)
		return 0;
	for (uint64_t key = text_hash(TEXT_HASH, s, strlen(s));; key++) {
		const uint64_t *known = u64map_get(&w->known, key);
		if (known && strcmp(w->strings.at + *known, s) != 0)
			continue;
		if (known)
			return (uint32_t)*known;
		uint32_t off = append_string(w, s, strlen(s) + 1);
		(void)u64map_add(&w->known, key, off);
		return off;
	}
}

static uint32_t put_type(struct btf_writer *w, const char *name, enum btf_kind kind, bool flag,
			 size_t vlen, uint32_t size_or_type)
{
	w->too_long |= vlen > VLEN_MOST;
	put_u32(w, put_string(w, name));
	put_u32(w, (uint32_t)flag << 31 | (uint32_t)kind << 24 | (uint32_t)vlen);
	put_u32(w, size_or_type);
	return ++w->last_id;
}

// --- types ---

uint32_t btf_write_int(struct btf_writer *w, const char *name, uint32_t size, bool is_signed)
{
	uint32_t id = put_type(w, name, BTF_KIND_INT, false, 0, size);

	put_u32(w, (uint32_t)is_signed << 24 | (size <= 16 ? size * 8 : 0));
	return id;
}

uint32_t btf_write_float(struct btf_writer *w, const char *name, uint32_t size)
{
	return put_type(w, name, BTF_KIND_FLOAT, false, 0, size);
}

uint32_t btf_write_pointer(struct btf_writer *w, uint32_t target)
{
	return put_type(w, NULL, BTF_KIND_PTR, false, 0, target);
}

uint32_t btf_write_typedef(struct btf_writer *w, const char *name, uint32_t type)
{
	return put_type(w, name, BTF_KIND_TYPEDEF, false, 0, type);
}

uint32_t btf_write_forward(struct btf_writer *w, const char *name, bool is_union)
{
	return put_type(w, name, BTF_KIND_FWD, is_union, 0, 0);
}

uint32_t btf_write_array(struct btf_writer *w, uint32_t type, uint32_t count)
{
	uint32_t id = put_type(w, NULL, BTF_KIND_ARRAY, false, 0, 0);

	put_u32(w, type);
	put_u32(w, 0); // the index type, which nobody reads
	put_u32(w, count);
	return id;
}

// Whether a member can be written; those with kind_flag have 24 bits for where they begin.
static bool fits(const struct btf_write_member *m, bool flag)
{
	return !flag || (m->bit < BITFIELD_REACH && m->width <= 64);
}

uint32_t btf_write_struct(struct btf_writer *w, const char *name, bool is_union, uint32_t size,
			  const struct btf_write_member *members, size_t n)
{
	bool flag = false;
	size_t written = 0;

	for (size_t i = 0; i < n; i++)
		flag |= members[i].width != 0;
	for (size_t i = 0; i < n; i++)
		written += fits(&members[i], flag);
	uint32_t id =
		put_type(w, name, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, flag, written, size);
	for (size_t i = 0; i < n; i++) {
		if (!fits(&members[i], flag))
			continue;
		put_u32(w, put_string(w, members[i].name));
		put_u32(w, members[i].type);
		put_u32(w, flag ? members[i].width << 24 | members[i].bit : members[i].bit);
	}
	return id;
}

static bool is_wide(const struct btf_write_value *v, bool is_signed)
{
	return is_signed ? v->value != (int32_t)v->value : v->value != (int64_t)(uint32_t)v->value;
}

uint32_t btf_write_enum(struct btf_writer *w, const char *name, uint32_t size, bool is_signed,
			const struct btf_write_value *values, size_t n)
{
	bool wide = false;

	for (size_t i = 0; i < n; i++)
		wide |= is_wide(&values[i], is_signed);
	uint32_t id = put_type(w, name, wide ? BTF_KIND_ENUM64 : BTF_KIND_ENUM, is_signed, n, size);
	for (size_t i = 0; i < n; i++) {
		put_u32(w, put_string(w, values[i].name));
		put_u32(w, (uint32_t)values[i].value);
		if (wide)
			put_u32(w, (uint32_t)((uint64_t)values[i].value >> 32));
	}
	return id;
}

// --- the whole ---

static void set_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

uint8_t *btf_write_end(struct btf_writer *w, size_t *size)
{
	static const uint8_t head[] = {0x9f, 0xeb, 1, 0, BTF_HEAD};

	(void)put_string(w, NULL);
	if (w->too_long)
		return NULL;
	*size = BTF_HEAD + w->types.n + w->strings.n;
	uint8_t *blob = mem_zalloc(*size, 1);
	memcpy(blob, head, sizeof(head));
	set_u32(blob + 12, (uint32_t)w->types.n); // type_len
	set_u32(blob + 16, (uint32_t)w->types.n); // str_off
	set_u32(blob + 20, (uint32_t)w->strings.n);
	if (w->types.n)
		memcpy(blob + BTF_HEAD, w->types.at, w->types.n);
	memcpy(blob + BTF_HEAD + w->types.n, w->strings.at, w->strings.n);
	return blob;
}

void btf_write_fini(struct btf_writer *w)
{
	vec_fini(&w->types);
	vec_fini(&w->strings);
	u64map_fini(&w->known);
	*w = (struct btf_writer){0};
}
