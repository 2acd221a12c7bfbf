// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF: types that refer to themselves, that nest without end, that lie; cut off and damaged bytes.
#include "symbols/btf.h"
#include "tests/unit/btf_builder.h"

#include <criterion/criterion.h>

#include <string.h>

static struct btf_builder b;
static struct btf *btf;
static struct btf_field f;

static void teardown(void)
{
	btf_close(btf);
	bb_fini(&b);
	btf = NULL;
}

TestSuite(btf_hostile, .fini = teardown, .timeout = 60);

Test(btf_hostile, cycles)
{
	uint32_t size;
	uint32_t one = bb_ref(&b, TYPEDEF, "one", 2), two = bb_ref(&b, CONST, NULL, 1);
	uint32_t array = bb_array(&b, 3, 2), self = bb_struct(&b, "self", 8, 3);

	bb_member(&b, NULL, self, 0); // an anonymous member of its own type
	bb_member(&b, "t", one, 0);
	bb_member(&b, "a", array, 0);
	bb_ref(&b, PTR, NULL, two);
	btf = bb_open(&b, NULL);
	cr_assert_not(btf_sizeof(btf, "one", &size));
	cr_assert_not(btf_sizeof_id(btf, array, &size));
	cr_assert_eq(btf_find(btf, "one"), 0);
	cr_assert_not(btf_member(btf, "one", "x", &f));
	cr_assert_not(btf_member(btf, "self", "x", &f));
	cr_assert_not(btf_member(btf, "self", "t", &f), "a member without a size");
	cr_assert_not(btf_member(btf, "self", "a", &f));
	cr_assert_not(btf_member(btf, "self", "a[0]", &f));
	bb_ask_all(btf);
}

// Each struct has two anonymous members of the next: 2^40 ways down.
Test(btf_hostile, a_tree_of_anonymous_structs)
{
	for (uint32_t id = 1; id <= 40; id++) {
		bb_struct(&b, id == 1 ? "top" : NULL, 8, 2);
		bb_member(&b, NULL, id + 1, 0);
		bb_member(&b, NULL, id + 1, 0);
	}
	btf = bb_open(&b, NULL);
	for (int i = 0; i < 100; i++)
		cr_assert_not(btf_member(btf, "top", "x", &f));
}

Test(btf_hostile, deep_nesting)
{
	const uint32_t n = 100000;
	uint32_t i = n + 1;

	for (uint32_t id = 1; id <= n; id++) {
		bb_struct(&b, id == 1 ? "top" : NULL, 8, 1);
		bb_member(&b, NULL, id == n ? i : id + 1, 0);
	}
	bb_int(&b, "int", 4, 32, true);
	btf = bb_open(&b, NULL);
	cr_assert_not(btf_member(btf, "top", "x", &f));
}

Test(btf_hostile, sizes_beyond_32_bits)
{
	uint32_t size, i = bb_int(&b, "int", 4, 32, true);
	uint32_t large = bb_array(&b, i, 0x40000000);
	uint32_t larger = bb_array(&b, bb_array(&b, large, UINT32_MAX), UINT32_MAX);

	uint32_t one = bb_array(&b, i, 1);

	bb_struct(&b, "s", 4, 4);
	bb_member(&b, "large", large, 0);
	bb_member(&b, "larger", larger, 0);
	bb_member(&b, "far", one, UINT32_MAX - 7);
	bb_member(&b, "odd", i, 3);
	btf = bb_open(&b, NULL);
	cr_assert_not(btf_sizeof_id(btf, large, &size));
	cr_assert_not(btf_sizeof_id(btf, larger, &size));
	cr_assert_not(btf_member(btf, "s", "large", &f));
	cr_assert_not(btf_member(btf, "s", "larger[4294967294]", &f));
	cr_assert(btf_member(btf, "s", "large[1073741823]", &f) && f.off == 0xfffffffc);
	cr_assert(btf_member(btf, "s", "far[0]", &f) && f.off == 0x1fffffff);
	cr_assert_not(btf_member(btf, "s", "odd", &f), "no bitfield, and not at a byte");
}

Test(btf_hostile, references_to_nowhere)
{
	uint32_t size, ptr = bb_ref(&b, PTR, NULL, 0x7fffffff);

	bb_struct(&b, "s", 16, 4);
	bb_member(&b, "gone", 12345, 0);
	bb_member(&b, "void", 0, 0);
	bb_member(&b, "ptr", ptr, 64);
	bb_member(&b, NULL, UINT32_MAX, 0);
	bb_u32(&b, 0x7fffff00); // a name from nowhere
	bb_u32(&b, (uint32_t)STRUCT << 24);
	bb_u32(&b, 4);
	btf = bb_open(&b, NULL);
	cr_assert_not(btf_member(btf, "s", "gone", &f));
	cr_assert_not(btf_member(btf, "s", "void", &f));
	cr_assert(btf_member(btf, "s", "ptr", &f) && f.is_pointer && f.target_id == 0);
	cr_assert_not(btf_member(btf, "s", "x", &f));
	cr_assert_not(btf_member_id(btf, UINT32_MAX, "x", &f));
	cr_assert_not(btf_member_id(btf, 0, "x", &f));
	cr_assert_not(btf_sizeof_id(btf, 0, &size));
	cr_assert_str_eq(btf_name(btf, 3), "");
	cr_assert_str_eq(btf_name(btf, UINT32_MAX), "");
}

// One name a hundred thousand times, all as long as all strings.
Test(btf_hostile, a_crowd_of_one_name)
{
	char *name = mem_zalloc(1, 1 << 20);

	memset(name, 'x', (1 << 20) - 1);
	uint32_t off = bb_string(&b, name);
	for (int i = 0; i < 100000; i++) {
		bb_u32(&b, off);
		bb_u32(&b, (uint32_t)STRUCT << 24);
		bb_u32(&b, 4);
	}
	btf = bb_open(&b, NULL);
	for (int i = 0; i < 100; i++)
		cr_assert_not(btf_member(btf, "x", "y", &f));
	cr_assert_eq(btf_find(btf, name), 1);
	mem_free(name);
}

Test(btf_hostile, counts_beyond_the_end)
{
	static const uint32_t infos[] = {(uint32_t)STRUCT << 24 | 0xffffff, (uint32_t)INT << 24,
					 (uint32_t)ENUM64 << 24 | 1, (uint32_t)ARRAY << 24,
					 (uint32_t)DATASEC << 24 | 0xffff};

	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
		size_t n;
		bb_fini(&b);
		bb_type(&b, "t", infos[i], 4);
		uint8_t *image = bb_image(&b, &n);
		struct err *e = btf_open(image, n, NULL, &btf);
		cr_assert_not_null(e, "%x", infos[i]);
		cr_assert_eq(e->code, ERR_FORMAT);
	}
}

Test(btf_hostile, cut_off_at_every_byte)
{
	size_t whole;

	bb_kernel(&b);
	const uint8_t *image = bb_image(&b, &whole);
	for (size_t n = 0; n < whole; n++) {
		uint8_t *part = mem_alloc(n); // so that a sanitizer sees a read beyond
		memcpy(part, image, n);
		cr_assert_not_null(btf_open(part, n, NULL, &btf), "%zu of %zu bytes", n, whole);
		mem_free(part);
	}
}

static uint32_t dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33);
}

Test(btf_hostile, damaged_at_random)
{
	uint64_t seed = 1;
	size_t n, opened = 0;

	bb_kernel(&b);
	const uint8_t *image = bb_image(&b, &n);
	uint8_t *copy = mem_alloc(n);
	for (int round = 0; round < 30000; round++) {
		struct btf *damaged = NULL;
		memcpy(copy, image, n);
		for (uint32_t flips = dice(&seed) % 6 + 1; flips > 0; flips--)
			copy[dice(&seed) % n] ^= (uint8_t)(1U << dice(&seed) % 8);
		if (btf_open(copy, n, NULL, &damaged))
			continue;
		bb_ask_all(damaged);
		btf_close(damaged);
		opened++;
	}
	cr_assert_gt(opened, 1000);
	mem_free(copy);
}
