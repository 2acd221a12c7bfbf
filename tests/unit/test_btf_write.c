// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF written, then read by the reader that all BTF is read by.
#include "symbols/btf.h"
#include "symbols/btf_write.h"

#include <criterion/criterion.h>

static struct btf *end(struct btf_writer *w, uint8_t **bytes)
{
	struct btf *btf = NULL;
	size_t n;

	*bytes = btf_write_end(w, &n);
	cr_assert_not_null(*bytes);
	cr_assert_eq(btf_looks_like(*bytes, n), n);
	struct err *e = btf_open(*bytes, n, NULL, &btf);
	cr_assert_null(e, "%s", e ? e->msg : "");
	btf_write_fini(w);
	return btf;
}

Test(btf_write, structs_members_and_bitfields)
{
	struct btf_writer w = {0};
	uint32_t i = btf_write_int(&w, "int", 4, true),
		 u = btf_write_int(&w, "unsigned int", 4, false);
	uint32_t comm = btf_write_array(&w, btf_write_int(&w, "char", 1, false), 16);
	uint32_t parent = btf_write_pointer(&w, btf_write_forward(&w, "task_struct", false));
	struct btf_write_member inner[] = {{"tgid", i, 0, 0}, {"parent", parent, 64, 0}};
	uint32_t anonymous = btf_write_struct(&w, NULL, true, 16, inner, 2);
	struct btf_write_member all[] = {{"pid", i, 0, 0},
					 {"in_execve", u, 33, 2},
					 {NULL, anonymous, 64, 0},
					 {"comm", comm, 192, 0},
					 {"rest", btf_write_array(&w, i, 0), 320, 0}};
	btf_write_struct(&w, "task_struct", false, 40, all, 5);
	uint8_t *bytes;
	struct btf *btf = end(&w, &bytes);
	struct btf_field f;

	cr_assert(btf_member(btf, "task_struct", "pid", &f));
	cr_assert(f.off == 0 && f.size == 4 && f.is_signed && f.bit_size == 0);
	cr_assert(btf_member(btf, "task_struct", "in_execve", &f));
	cr_assert(f.off == 4 && f.bit_off == 1 && f.bit_size == 2 && !f.is_signed);
	cr_assert(btf_member(btf, "task_struct", "parent", &f));
	cr_assert(f.off == 16 && f.is_pointer);
	cr_assert_str_eq(f.target, "task_struct");
	cr_assert(btf_member(btf, "task_struct", "comm[3]", &f));
	cr_assert(f.off == 27 && f.size == 1);
	cr_assert(btf_member(btf, "task_struct", "rest", &f));
	cr_assert(f.off == 40 && f.count == 0 && f.elem_size == 4);
	btf_close(btf);
	mem_free(bytes);
}

Test(btf_write, enums_and_typedefs)
{
	struct btf_writer w = {0};
	struct btf_write_value few[] = {{"MINUS", -1}, {"TWO", 2}}, big[] = {{"HUGE", 1LL << 40}};
	btf_write_enum(&w, NULL, 4, true, few, 2);
	btf_write_enum(&w, "wide", 8, false, big, 1);
	struct btf_write_member m = {"counter", btf_write_int(&w, "int", 4, true), 0, 0};
	btf_write_typedef(&w, "atomic_t", btf_write_struct(&w, NULL, false, 4, &m, 1));
	uint8_t *bytes;
	struct btf *btf = end(&w, &bytes);
	struct btf_field f;
	int64_t v;
	uint32_t size;

	cr_assert(btf_enum_value(btf, NULL, "MINUS", &v) && v == -1);
	cr_assert(btf_enum_value(btf, NULL, "TWO", &v) && v == 2);
	cr_assert(btf_enum_value(btf, "wide", "HUGE", &v) && v == 1LL << 40);
	cr_assert(btf_sizeof(btf, "atomic_t", &size) && size == 4);
	cr_assert(btf_member(btf, "atomic_t", "counter", &f) && f.off == 0);
	btf_close(btf);
	mem_free(bytes);
}

Test(btf_write, a_string_is_written_once)
{
	struct btf_writer w = {0};

	btf_write_int(&w, "int", 4, true);
	size_t n = w.strings.n;
	btf_write_int(&w, "int", 4, true);
	cr_assert_eq(w.strings.n, n);
	btf_write_fini(&w);
}

Test(btf_write, a_bitfield_out_of_reach_is_left_out)
{
	struct btf_writer w = {0};
	uint32_t u = btf_write_int(&w, "unsigned int", 4, false);
	struct btf_write_member m[] = {{"near", u, 0, 1}, {"far", u, 1 << 24, 1}};
	btf_write_struct(&w, "wide", false, 1 << 22, m, 2);
	uint8_t *bytes;
	struct btf *btf = end(&w, &bytes);
	struct btf_field f;

	cr_assert(btf_member(btf, "wide", "near", &f));
	cr_assert_not(btf_member(btf, "wide", "far", &f));
	btf_close(btf);
	mem_free(bytes);
}

Test(btf_write, too_much_is_refused)
{
	struct btf_writer w = {0};
	size_t n;

	for (size_t i = 0; i < BTF_LARGEST / 16; i++)
		btf_write_pointer(&w, 0);
	cr_assert_null(btf_write_end(&w, &n));
	btf_write_fini(&w);
}
