// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF: enums, variables, split BTF, the header and its carving.
#include "symbols/btf.h"
#include "tests/unit/btf_builder.h"

#include <criterion/criterion.h>

static struct btf_builder b, split;
static struct btf *btf, *module;

static void teardown(void)
{
	btf_close(module);
	btf_close(btf);
	bb_fini(&split);
	bb_fini(&b);
	btf = module = NULL;
}

TestSuite(btf_data, .fini = teardown);

static void has(const char *name, const char *constant, int64_t expected)
{
	int64_t value;

	cr_assert(btf_enum_value(btf, name, constant, &value), "%s", constant);
	cr_assert_eq(value, expected, "%s is %lld", constant, (long long)value);
}

static void put_enum(const char *name, uint32_t info, const char *constant, uint32_t value)
{
	bb_type(&b, name, info | (uint32_t)ENUM << 24 | 1, 4);
	bb_u32(&b, bb_string(&b, constant));
	bb_u32(&b, value);
}

Test(btf_data, signs_of_enums)
{
	put_enum("a", KIND_FLAG, "MINUS", (uint32_t)-1);
	put_enum("b", 0, "LARGE", UINT32_MAX);
	bb_type(&b, "c", (uint32_t)ENUM64 << 24 | 1 | KIND_FLAG, 8);
	bb_u32(&b, bb_string(&b, "WIDE_MINUS"));
	bb_u32(&b, (uint32_t)-2);
	bb_u32(&b, UINT32_MAX);
	btf = bb_open(&b, NULL);
	has("a", "MINUS", -1);
	has("b", "LARGE", UINT32_MAX);
	has(NULL, "WIDE_MINUS", -2);
}

Test(btf_data, signs_of_enums_before_they_were_told)
{
	put_enum("a", 0, "MINUS", (uint32_t)-1);
	put_enum("b", 0, "PROC_PID_INIT_INO", 0xeffffffc);
	btf = bb_open(&b, NULL);
	has(NULL, "MINUS", -1);
	has(NULL, "PROC_PID_INIT_INO", 0xeffffffc);
}

Test(btf_data, many_constants_at_once)
{
	struct btf_enum_want wants[] = {{.constant = "B", .found = true},
					{.constant = "NONE", .found = true},
					{.constant = "A"},
					{.constant = "A"}};
	int64_t value = 7;

	put_enum(NULL, 0, "A", 1);
	put_enum("e", 0, "B", 2);
	put_enum("f", 0, "A", 3);
	btf = bb_open(&b, NULL);
	btf_enum_values(btf, wants, 4);
	cr_assert(wants[0].found && wants[0].value == 2);
	cr_assert_not(wants[1].found);
	cr_assert(wants[2].found && wants[2].value == 1 && wants[3].value == 1);
	has("f", "A", 3);
	cr_assert_not(btf_enum_value(btf, "e", "A", &value));
	cr_assert_not(btf_enum_value(btf, NULL, "NONE", &value));
	cr_assert_eq(value, 7);
}

Test(btf_data, variables_of_sections)
{
	struct btf_var var;
	uint32_t i = bb_int(&b, "int", 4, 32, true);
	uint32_t v = bb_ref(&b, VAR, "cpu_number", bb_ref(&b, CONST, NULL, i));

	bb_u32(&b, 1);
	bb_type(&b, ".data..percpu", (uint32_t)DATASEC << 24 | 3, 64);
	for (uint32_t entry = 0; entry < 3; entry++) {
		bb_u32(&b, entry == 0 ? 999 : entry == 1 ? i : v); // no such type, no variable
		bb_u32(&b, 16 * entry);
		bb_u32(&b, 4);
	}
	btf = bb_open(&b, NULL);
	cr_assert(btf_percpu(btf, "cpu_number", &var));
	cr_assert(var.off == 32 && var.size == 4 && var.type_id == i);
	cr_assert_not(btf_percpu(btf, "int", &var));
	cr_assert_not(btf_var(btf, ".data", "cpu_number", &var));
}

Test(btf_data, split_goes_on_where_its_base_ends)
{
	struct btf_field f;
	uint32_t size;
	struct btf_builder *m = &split;

	bb_kernel(&b);
	btf = bb_open(&b, NULL);
	m->first_id = btf_type_count(btf);
	m->first_str = (uint32_t)b.strs.n;
	uint32_t task = btf_find(btf, "task_struct");
	uint32_t ptr = bb_ref(m, PTR, NULL, task);
	uint32_t dev = bb_struct(m, "virtnet_info", 56, 2);
	bb_member(m, "task", ptr, 0);
	bb_member(m, "owner", task, 64);
	bb_struct(m, "pid_t", 2, 0); // hides the base's
	module = bb_open(m, btf);
	cr_assert(btf_member(module, "virtnet_info", "owner.comm[1]", &f) && f.off == 33);
	cr_assert(btf_member(module, "virtnet_info", "task", &f));
	cr_assert_str_eq(f.target, "task_struct");
	cr_assert(btf_sizeof(module, "pid_t", &size) && size == 2);
	cr_assert(btf_sizeof(btf, "pid_t", &size) && size == 4);
	cr_assert_eq(btf_find(module, "task_struct"), task);
	cr_assert_eq(btf_find(btf, "virtnet_info"), 0);
	cr_assert_str_eq(btf_name(btf, dev), "");
	cr_assert_str_eq(btf_name(module, dev), "virtnet_info");
	int64_t value;
	cr_assert(btf_enum_value(module, NULL, "MM_ANONPAGES", &value) && value == 1);
	struct btf_var var;
	cr_assert(btf_percpu(module, "runqueues", &var));
}

static void refused(struct btf_builder *from, enum err_code code)
{
	size_t n;
	uint8_t *image = bb_image(from, &n);
	struct err *e = btf_open(image, n, NULL, &btf);

	cr_assert_not_null(e);
	cr_assert_eq(e->code, code, "%s", e->msg);
}

Test(btf_data, kinds_we_do_not_know)
{
	bb_int(&b, "int", 4, 32, true);
	bb_type(&b, NULL, 0x15U << 24 | 2, 0);
	bb_u32(&b, 0);
	bb_u32(&b, 0);
	bb_u32(&b, 0);
	refused(&b, ERR_UNSUPPORTED);
	for (int kind = 0; kind < 0x16; kind++) { // one u32, and one for each of vlen
		vec_push(&b.layouts, 4);
		vec_push(&b.layouts, 4);
		vec_push(&b.layouts, 0);
		vec_push(&b.layouts, 0);
	}
	bb_struct(&b, "s", 4, 0);
	btf = bb_open(&b, NULL);
	cr_assert_eq(btf_find(btf, "s"), 3);
}

Test(btf_data, kind_0_is_none)
{
	bb_type(&b, NULL, 0, 0);
	refused(&b, ERR_FORMAT);
}

Test(btf_data, more_members_than_16_bits)
{
	struct btf_field f;
	uint32_t i = bb_int(&b, "int", 4, 32, true);

	bb_struct(&b, "large", 4 * 65538, 65538);
	for (uint32_t m = 0; m < 65537; m++)
		bb_member(&b, "m", i, 32 * m);
	bb_member(&b, "last", i, 32 * 65537);
	bb_struct(&b, "next", 4, 1);
	bb_member(&b, "first", i, 0);
	btf = bb_open(&b, NULL);
	cr_assert(btf_member(btf, "next", "first", &f));
	cr_assert_not(btf_member(btf, "large", "last", &f), "beyond what one look-up may look at");
}

Test(btf_data, carving)
{
	size_t n;

	bb_kernel(&b);
	uint8_t *image = bb_image(&b, &n);
	cr_assert_eq(btf_looks_like(image, n), n);
	cr_assert_eq(btf_looks_like(image, BTF_HEAD), n);
	cr_assert_eq(btf_looks_like(image, BTF_HEAD - 1), 0);
	for (size_t i = 0; i < 20; i++) { // every byte of the header counts but the strings' length
		image[i] ^= 0x41;
		cr_assert_neq(btf_looks_like(image, n), n, "byte %zu", i);
		image[i] ^= 0x41;
	}
	image[23] = 0x7f;
	cr_assert_eq(btf_looks_like(image, n), 0, "2 GiB of strings");
}

Test(btf_data, the_other_byte_order)
{
	static const uint8_t head[BTF_HEAD] = {0xeb, 0x9f, 1};
	struct err *e = btf_open(head, sizeof(head), NULL, &btf);

	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_UNSUPPORTED);
}
