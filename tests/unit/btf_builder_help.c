// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF written by hand, for the tests of its reader.
#include "tests/unit/btf_builder.h"

#include <criterion/criterion.h>

#include <string.h>

static void put_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

void bb_u32(struct btf_builder *b, uint32_t v)
{
	uint8_t bytes[4];

	put_u32(bytes, v);
	for (int i = 0; i < 4; i++)
		vec_push(&b->types, bytes[i]);
}

uint32_t bb_string(struct btf_builder *b, const char *s)
{
	if (b->strs.n == 0 && b->first_str == 0)
		vec_push(&b->strs, '\0');
	if (!s || !*s)
		return 0;
	uint32_t off = b->first_str + (uint32_t)b->strs.n;
	for (size_t i = 0, n = strlen(s); i <= n; i++)
		vec_push(&b->strs, s[i]);
	return off;
}

uint32_t bb_type(struct btf_builder *b, const char *name, uint32_t info, uint32_t size_or_type)
{
	bb_u32(b, bb_string(b, name));
	bb_u32(b, info);
	bb_u32(b, size_or_type);
	return (b->first_id ? b->first_id : 1) + b->n++;
}

uint32_t bb_int(struct btf_builder *b, const char *name, uint32_t size, uint32_t bits,
		bool is_signed)
{
	uint32_t id = bb_type(b, name, (uint32_t)INT << 24, size);

	bb_u32(b, (uint32_t)is_signed << 24 | bits);
	return id;
}

uint32_t bb_struct(struct btf_builder *b, const char *name, uint32_t size, uint32_t n_members)
{
	return bb_type(b, name, (uint32_t)STRUCT << 24 | n_members, size);
}

void bb_member(struct btf_builder *b, const char *name, uint32_t type, uint32_t bit)
{
	bb_u32(b, bb_string(b, name));
	bb_u32(b, type);
	bb_u32(b, bit);
}

void bb_bits(struct btf_builder *b, const char *name, uint32_t type, uint32_t bit, uint32_t width)
{
	bb_member(b, name, type, width << 24 | bit);
}

uint32_t bb_array(struct btf_builder *b, uint32_t type, uint32_t count)
{
	uint32_t id = bb_type(b, NULL, (uint32_t)ARRAY << 24, 0);

	bb_u32(b, type);
	bb_u32(b, 0);
	bb_u32(b, count);
	return id;
}

uint32_t bb_ref(struct btf_builder *b, uint32_t kind, const char *name, uint32_t type)
{
	return bb_type(b, name, kind << 24, type);
}

uint8_t *bb_image(struct btf_builder *b, size_t *n)
{
	uint32_t head = b->layouts.n ? 32 : 24;
	uint32_t types = (uint32_t)b->types.n, layouts = (uint32_t)b->layouts.n;

	bb_string(b, NULL);
	*n = head + types + layouts + b->strs.n;
	mem_free(b->image);
	uint8_t *h = b->image = mem_alloc(*n);
	memset(h, 0, head);
	h[0] = 0x9f;
	h[1] = 0xeb;
	h[2] = 1;
	put_u32(h + 4, head);
	put_u32(h + 12, types);
	put_u32(h + 16, types + layouts);
	put_u32(h + 20, (uint32_t)b->strs.n);
	if (layouts) {
		put_u32(h + 24, types);
		put_u32(h + 28, layouts);
		memcpy(h + head + types, b->layouts.at, layouts);
	}
	if (types)
		memcpy(h + head, b->types.at, types);
	if (b->strs.n)
		memcpy(h + head + types + layouts, b->strs.at, b->strs.n);
	return h;
}

struct btf *bb_open(struct btf_builder *b, const struct btf *base)
{
	struct btf *btf;
	size_t n;
	uint8_t *image = bb_image(b, &n);
	struct err *e = btf_open(image, n, base, &btf);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return btf;
}

void bb_fini(struct btf_builder *b)
{
	vec_fini(&b->types);
	vec_fini(&b->layouts);
	vec_fini(&b->strs);
	mem_free(b->image);
	*b = (struct btf_builder){0};
}

static void put_enums(struct btf_builder *b)
{
	bb_type(b, NULL, (uint32_t)ENUM << 24 | 2, 4);
	bb_u32(b, bb_string(b, "MM_FILEPAGES"));
	bb_u32(b, 0);
	bb_u32(b, bb_string(b, "MM_ANONPAGES"));
	bb_u32(b, 1);
	bb_type(b, "wide", (uint32_t)ENUM64 << 24 | 1, 8);
	bb_u32(b, bb_string(b, "WIDE"));
	bb_u32(b, 0x89abcdef);
	bb_u32(b, 0x01234567);
}

static void put_variables(struct btf_builder *b, uint32_t type)
{
	uint32_t var = bb_ref(b, VAR, "runqueues", type);

	bb_u32(b, 1);
	bb_type(b, ".data..percpu", (uint32_t)DATASEC << 24 | 1, 0x2000);
	bb_u32(b, var);
	bb_u32(b, 0x1240);
	bb_u32(b, 8);
}

void bb_kernel(struct btf_builder *b)
{
	uint32_t i = bb_int(b, "int", 4, 32, true), u = bb_int(b, "unsigned int", 4, 32, false);
	uint32_t comm = bb_array(b, bb_int(b, "char", 1, 8, false), 16);
	uint32_t pid = bb_ref(b, TYPEDEF, "pid_t", i);
	uint32_t parent = bb_ref(b, PTR, NULL, pid + 3); // the task_struct
	uint32_t anon = bb_struct(b, NULL, 16, 2);

	bb_member(b, "parent", parent, 0);
	bb_member(b, "tgid", pid, 64);
	bb_type(b, "task_struct", (uint32_t)STRUCT << 24 | 5 | KIND_FLAG, 48);
	bb_member(b, "pid", pid, 0);
	bb_bits(b, "in_execve", u, 32, 1);
	bb_bits(b, "in_iowait", u, 33, 3);
	bb_member(b, NULL, anon, 64);
	bb_member(b, "comm", comm, 192);
	put_enums(b);
	put_variables(b, parent);
}

static void ask_types(const struct btf *btf)
{
	struct btf_field f;
	uint32_t size;

	for (uint32_t id = 0; id < btf_type_count(btf) + 2; id++) {
		(void)btf_sizeof_id(btf, id, &size);
		(void)btf_member_id(btf, id, "comm[3]", &f);
		cr_assert_leq(strlen(btf_name(btf, id)), BTF_LARGEST);
	}
}

void bb_ask_all(const struct btf *btf)
{
	static const char *const paths[] = {"pid",  "in_execve", "in_iowait", "parent",
					    "tgid", "comm[15]",	 "comm",      NULL};
	struct btf_enum_want want = {.constant = "MM_ANONPAGES"};
	struct btf_field f;
	struct btf_var var;
	int64_t value;
	uint32_t size;

	ask_types(btf);
	for (const char *const *path = paths; *path; path++)
		if (btf_member(btf, "task_struct", *path, &f) && f.size <= 8)
			(void)btf_field_value(&f, "0123456");
	(void)btf_find_with(btf, "task_struct", paths);
	(void)btf_sizeof(btf, "pid_t", &size);
	(void)btf_enum_value(btf, "wide", "WIDE", &value);
	btf_enum_values(btf, &want, 1);
	(void)btf_percpu(btf, "runqueues", &var);
}
