// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF: structures and their members.
#include "symbols/btf.h"
#include "tests/unit/btf_builder.h"

#include <criterion/criterion.h>

static struct btf_builder b;
static struct btf *btf;
static struct btf_field f;

static void teardown(void)
{
	btf_close(btf);
	bb_fini(&b);
	btf = NULL;
}

TestSuite(btf, .fini = teardown);

static void is_at(const char *name, const char *path, uint32_t off, uint32_t size)
{
	cr_assert(btf_member(btf, name, path, &f), "%s.%s", name, path);
	cr_assert_eq(f.off, off, "%s.%s at %u", name, path, f.off);
	cr_assert_eq(f.size, size, "%s.%s has %u bytes", name, path, f.size);
}

static void is_not(const char *name, const char *path)
{
	cr_assert_not(btf_member(btf, name, path, &f), "%s.%s", name, path);
}

Test(btf, a_little_kernel)
{
	int64_t value;
	uint32_t size;
	struct btf_var var;

	bb_kernel(&b);
	btf = bb_open(&b, NULL);
	is_at("task_struct", "pid", 0, 4);
	cr_assert(f.is_signed && !f.is_pointer && !f.is_array && !f.is_struct && f.bit_size == 0);
	is_at("task_struct", "parent", 8, 8);
	cr_assert(f.is_pointer);
	cr_assert_str_eq(f.target, "task_struct");
	cr_assert_eq(f.target_id, btf_find(btf, "task_struct"));
	is_at("task_struct", "tgid", 16, 4);
	is_at("task_struct", "comm", 24, 16);
	cr_assert(f.is_array && f.count == 16 && f.elem_size == 1);
	is_at("task_struct", "comm[15]", 39, 1);
	is_not("task_struct", "comm[16]");
	is_not("task_struct", "com");
	is_not("task_struct", "comma");
	is_not("task", "pid");
	cr_assert(btf_sizeof(btf, "task_struct", &size) && size == 48);
	cr_assert(btf_sizeof(btf, "pid_t", &size) && size == 4);
	cr_assert_not(btf_sizeof(btf, "pid", &size));
	cr_assert(btf_enum_value(btf, NULL, "MM_ANONPAGES", &value) && value == 1);
	cr_assert(btf_enum_value(btf, "wide", "WIDE", &value) && value == 0x0123456789abcdef);
	cr_assert(btf_percpu(btf, "runqueues", &var) && var.off == 0x1240 && var.size == 8);
}

Test(btf, paths_that_are_none)
{
	static const char *const bad[] = {"",
					  ".",
					  "pid.",
					  ".pid",
					  "pid..x",
					  "pid.x",
					  "pid[0]",
					  "comm[",
					  "comm[]",
					  "comm[1",
					  "[0]",
					  "comm[-1]",
					  "comm[1]x",
					  "comm[1].",
					  "parent.pid",
					  "comm[4294967296]",
					  "comm[18446744073709551616]"};

	bb_kernel(&b);
	btf = bb_open(&b, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_not("task_struct", bad[i]);
}

// struct outer { int a; const volatile struct inner in[2]; }, inner being a typedef of { int x,
// y[2][3]; }
static void put_nested(void)
{
	uint32_t i = bb_int(&b, "int", 4, 32, true);
	uint32_t rows = bb_array(&b, bb_array(&b, i, 3), 2);
	uint32_t anon = bb_struct(&b, NULL, 28, 2);
	bb_member(&b, "x", i, 0);
	bb_member(&b, "y", rows, 32);
	uint32_t inner = bb_ref(&b, TYPEDEF, "inner_t", anon);
	uint32_t cv = bb_ref(&b, CONST, NULL, bb_ref(&b, VOLATILE, NULL, inner));
	uint32_t in = bb_ref(&b, TYPE_TAG, "rcu", bb_array(&b, cv, 2));
	uint32_t flexible = bb_array(&b, inner, 0);
	bb_struct(&b, "outer", 60, 3);
	bb_member(&b, "a", i, 0);
	bb_member(&b, "in", in, 32);
	bb_member(&b, "more", flexible, 480);
}

Test(btf, arrays_in_structs_in_arrays)
{
	put_nested();
	btf = bb_open(&b, NULL);
	is_at("outer", "in", 4, 56);
	cr_assert(f.is_array && f.count == 2 && f.elem_size == 28 && f.is_struct);
	cr_assert_str_eq(f.target, "");
	is_at("outer", "in[1]", 32, 28);
	cr_assert(!f.is_array && f.is_struct && f.count == 1);
	is_at("outer", "in[1].x", 32, 4);
	is_at("outer", "in[1].y", 36, 24);
	cr_assert(f.is_array && f.count == 2 && f.elem_size == 12 && f.is_signed);
	is_at("outer", "in[1].y[1]", 48, 12);
	cr_assert(f.is_array && f.count == 3 && f.elem_size == 4);
	is_at("outer", "in[1].y[1][2]", 56, 4);
	is_not("outer", "in.x");
	is_not("outer", "in[2].x");
	is_not("outer", "in[1].y[1][2][0]");
	is_at("inner_t", "y", 4, 24);
	is_at("outer", "more", 60, 0);
	cr_assert(f.is_array && f.count == 0 && f.elem_size == 28);
	is_at("outer", "more[3].y[0][1]", 60 + 3 * 28 + 8, 4); // a flexible array has no bound
}

// struct s { int first; struct { struct { int p, q; } named;
//            union { const struct { int p, q; }; int word; }; }; }
Test(btf, members_of_anonymous_members)
{
	uint32_t i = bb_int(&b, "int", 4, 32, true);
	uint32_t deep = bb_struct(&b, NULL, 8, 2);
	bb_member(&b, "p", i, 0);
	bb_member(&b, "q", i, 32);
	uint32_t constant = bb_ref(&b, CONST, NULL, deep);
	uint32_t both = bb_type(&b, NULL, (uint32_t)UNION << 24 | 2, 8);
	bb_member(&b, NULL, constant, 0);
	bb_member(&b, "word", i, 0);
	uint32_t mid = bb_struct(&b, NULL, 16, 2);
	bb_member(&b, "named", deep, 0);
	bb_member(&b, NULL, both, 64);
	bb_struct(&b, "s", 24, 2);
	bb_member(&b, "first", i, 0);
	bb_member(&b, NULL, mid, 64);
	btf = bb_open(&b, NULL);
	is_at("s", "word", 16, 4);
	is_at("s", "q", 20, 4);
	is_at("s", "named.q", 12, 4);
	is_not("s", "q.named");
}

Test(btf, bitfields_with_kind_flag)
{
	static const uint8_t bytes[8] = {0xf0, 0x5a, 0xff, 0x7f, 0x01};
	uint32_t i = bb_int(&b, "int", 4, 32, true), u = bb_int(&b, "u64", 8, 64, false);

	bb_type(&b, "s", (uint32_t)STRUCT << 24 | 5 | KIND_FLAG, 24);
	bb_bits(&b, "one", u, 4, 1);
	bb_bits(&b, "signed", i, 4, 4);
	bb_bits(&b, "across", u, 6, 12);
	bb_bits(&b, "wide", u, 64, 64);
	bb_bits(&b, "nine", u, 65, 64); // in nine bytes: refused
	btf = bb_open(&b, NULL);
	is_at("s", "one", 0, 1);
	cr_assert(f.bit_off == 4 && f.bit_size == 1 && btf_field_value(&f, bytes) == 1);
	is_at("s", "signed", 0, 1);
	cr_assert_eq(btf_field_value(&f, bytes), UINT64_MAX);
	is_at("s", "across", 0, 3);
	cr_assert_eq(f.bit_off, 6);
	cr_assert_eq(btf_field_value(&f, bytes), (0xff5af0 >> 6) & 0xfff);
	is_at("s", "wide", 8, 8);
	cr_assert_eq(f.bit_size, 64);
	is_not("s", "nine");
	is_not("s", "one.x");
}

Test(btf, bitfields_before_kind_flag)
{
	uint32_t three = bb_int(&b, "unsigned int", 4, 3, false);
	uint32_t shifted = bb_type(&b, "unsigned int", (uint32_t)INT << 24, 4);

	bb_u32(&b, 5U << 16 | 2); // two bits, five up
	bb_struct(&b, "s", 4, 2);
	bb_member(&b, "a", three, 9);
	bb_member(&b, "b", shifted, 16);
	btf = bb_open(&b, NULL);
	is_at("s", "a", 1, 1);
	cr_assert(f.bit_off == 1 && f.bit_size == 3);
	is_at("s", "b", 2, 1);
	cr_assert(f.bit_off == 5 && f.bit_size == 2);
	cr_assert_eq(btf_field_value(&f, "\x7f"), 3);
}

Test(btf, values_are_widened)
{
	struct btf_field i16 = {.size = 2, .is_signed = true}, u16 = {.size = 2};
	struct btf_field u64 = {.size = 8}, i64 = {.size = 8, .is_signed = true}, big = {.size = 9};
	static const uint8_t bytes[] = "\xfe\xff\xff\xff\xff\xff\xff\xff";

	cr_assert_eq(btf_field_value(&i16, bytes), (uint64_t)-2);
	cr_assert_eq(btf_field_value(&u16, bytes), 0xfffe);
	cr_assert_eq(btf_field_value(&u64, bytes), (uint64_t)-2);
	cr_assert_eq(btf_field_value(&i64, bytes), (uint64_t)-2);
	cr_assert_eq(btf_field_value(&big, bytes), 0);
}

Test(btf, pointers_and_what_they_point_to)
{
	uint32_t fwd = bb_ref(&b, FWD, "opaque", 0), i = bb_int(&b, "int", 4, 32, true);
	uint32_t to_fwd = bb_ref(&b, PTR, NULL, bb_ref(&b, CONST, NULL, fwd));
	uint32_t to_void = bb_ref(&b, PTR, NULL, 0), to_int = bb_ref(&b, PTR, NULL, i);

	uint32_t all = bb_array(&b, to_fwd, 3);
	bb_struct(&b, "s", 48, 4);
	bb_member(&b, "f", to_fwd, 0);
	bb_member(&b, "v", to_void, 64);
	bb_member(&b, "i", to_int, 128);
	bb_member(&b, "all", all, 192);
	btf = bb_open(&b, NULL);
	is_at("s", "f", 0, 8);
	cr_assert_str_eq(f.target, "opaque");
	is_at("s", "v", 8, 8);
	cr_assert(f.is_pointer && f.target_id == 0);
	cr_assert_str_eq(f.target, "");
	is_at("s", "i", 16, 8);
	cr_assert(f.is_pointer && !f.is_signed && f.target_id == 0);
	is_at("s", "all", 24, 24);
	cr_assert(f.is_pointer && f.is_array && f.count == 3 && f.elem_size == 8);
	cr_assert_str_eq(f.target, "opaque");
	cr_assert_eq(btf_find(btf, "opaque"), 0, "a forward declaration has no layout");
}

Test(btf, of_one_name_the_one_with_the_member)
{
	static const char *const paths[] = {"y", "z", "none", NULL}, *const none[] = {NULL};
	uint32_t i = bb_int(&b, "int", 4, 32, true);

	bb_ref(&b, FWD, "s", 0);
	uint32_t first = bb_struct(&b, "s", 4, 1);
	bb_member(&b, "x", i, 0);
	bb_struct(&b, "s", 8, 1);
	bb_member(&b, "y", i, 32);
	uint32_t third = bb_struct(&b, "s", 12, 2);
	bb_member(&b, "y", i, 32);
	bb_member(&b, "z", i, 64);
	btf = bb_open(&b, NULL);
	is_at("s", "x", 0, 4);
	is_at("s", "y", 4, 4);
	is_at("s", "z", 8, 4);
	cr_assert_eq(btf_find(btf, "s"), first);
	cr_assert_eq(btf_find_with(btf, "s", paths), third);
	cr_assert_eq(btf_find_with(btf, "s", none), first);
	cr_assert_eq(btf_find_with(btf, "t", paths), 0);
	cr_assert(btf_member_id(btf, third, "y", &f) && !btf_member_id(btf, third, "x", &f));
}

// A kernel of 32 bits: pointers are as wide as its long.
Test(btf, pointers_are_as_wide_as_a_long)
{
	uint32_t word = bb_int(&b, "long unsigned int", 4, 32, false);
	uint32_t pointer = bb_ref(&b, PTR, NULL, word);
	uint32_t row = bb_array(&b, pointer, 3);

	(void)bb_struct(&b, "pair", 20, 2);
	bb_member(&b, "row", row, 0);
	bb_member(&b, "last", pointer, 96);
	btf = bb_open(&b, NULL);
	cr_assert_eq(btf_pointer_size(btf), 4);
	is_at("pair", "row", 0, 12);
	cr_assert_eq(f.elem_size, 4);
	is_at("pair", "last", 12, 4);
	is_at("pair", "row[2]", 8, 4);
}
