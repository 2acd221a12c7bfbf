// SPDX-License-Identifier: LGPL-2.1-or-later
// Typed reads: what a field means, and what is said when it is not there.
#include "tests/unit/kernel_builder.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

#define NOWHERE 0xffffc90000000000ULL // plausible, but mapped to nothing

static struct guest *g;
static struct kernel *k;
static uint64_t task;
static struct arena arena;

static void make(void)
{
	g = guest_new(4);
	k = &g->k;
	(void)guest_struct(g, "task_struct");
	task = guest_alloc(g, 4096);
}

static void unmake(void)
{
	arena_fini(&arena);
	guest_free(g);
}

TestSuite(read, .init = make, .fini = unmake);

static uint64_t get(enum field f)
{
	uint64_t v = 0xabababababababab;

	cr_expect(k_get(k, task, f, &v));
	return v;
}

Test(read, numbers_are_as_wide_as_their_field)
{
	static const uint32_t sizes[] = {1, 2, 4, 8};
	static const uint64_t want[] = {0xf8, 0xf7f8, 0xf5f6f7f8, 0xf1f2f3f4f5f6f7f8};

	put_u64(g, task + 0x20, 0xf1f2f3f4f5f6f7f8);
	for (size_t i = 0; i < 4; i++) {
		guest_place(g, F(task_struct, pid), 0x20, sizes[i]);
		cr_expect_eq(get(F(task_struct, pid)), want[i]);
		guest_place_signed(g, F(task_struct, pid), 0x20, sizes[i]);
		unsigned unused = 64 - 8 * sizes[i];
		cr_expect_eq(get(F(task_struct, pid)),
			     (uint64_t)((int64_t)(want[i] << unused) >> unused));
	}
}

Test(read, a_positive_signed_number_stays_positive)
{
	guest_place_signed(g, F(task_struct, pid), 0x20, 4);
	put_u64(g, task + 0x20, 0xffffffff7fffffff);
	cr_expect_eq(get(F(task_struct, pid)), 0x7fffffff);
}

Test(read, bitfields_lie_anywhere)
{
	put_u64(g, task + 0x20, 0x8000000000000001 | 0x5ULL << 13);
	for (unsigned bit = 0; bit < 8; bit++) {
		guest_place_bits(g, F(task_struct, in_execve), 0x20, bit, 1);
		cr_expect_eq(get(F(task_struct, in_execve)), bit == 0);
	}
	guest_place_bits(g, F(task_struct, in_execve), 0x21, 5, 3);
	cr_expect_eq(get(F(task_struct, in_execve)), 5);
	guest_place_bits(g, F(task_struct, in_execve), 0x20, 0, 64);
	cr_expect_eq(get(F(task_struct, in_execve)), 0x800000000000a001);
	guest_place_bits(g, F(task_struct, in_execve), 0x27, 7, 1);
	cr_expect_eq(get(F(task_struct, in_execve)), 1);
}

Test(read, a_bitfield_wider_than_a_number_is_refused)
{
	uint64_t v;

	guest_place_bits(g, F(task_struct, in_execve), 0x20, 7, 64);
	cr_expect_not(k_get(k, task, F(task_struct, in_execve), &v));
	guest_place_bits(g, F(task_struct, in_execve), 0x20, 255, 255);
	cr_expect_not(k_get(k, task, F(task_struct, in_execve), &v));
}

Test(read, elements_of_arrays_have_their_own_width)
{
	uint64_t v;

	guest_place_array(g, F(signal_struct, pids), 0x10, 8, 4);
	for (uint64_t i = 0; i < 4; i++)
		put_u64(g, task + 0x10 + i * 8, 100 + i);
	for (uint64_t i = 0; i < 4; i++) {
		cr_expect(k_get_at(k, task, F(signal_struct, pids), i, &v));
		cr_expect_eq(v, 100 + i);
	}
}

Test(read, a_field_that_is_no_number_is_refused)
{
	uint64_t v;

	guest_place(g, F(task_struct, tasks), 0, 16);
	cr_expect_not(k_get(k, task, F(task_struct, tasks), &v));
	guest_place(g, F(task_struct, tasks), 0, 0);
	cr_expect_not(k_get(k, task, F(task_struct, tasks), &v));
	cr_expect_eq(kernel_faults_take(k).count, 0, "no memory was missing");
}

Test(read, what_the_kernel_does_not_have_is_no_fault)
{
	uint64_t v;
	char buf[8];

	guest_unplace(g, F(task_struct, comm));
	cr_expect_not(k_has(k, F(task_struct, comm)));
	cr_expect_not(k_get(k, task, F(task_struct, comm), &v));
	cr_expect_eq(k_or0(k, task, F(task_struct, comm)), 0);
	cr_expect_eq(k_bytes(k, task, F(task_struct, comm), buf, 8), 0);
	cr_expect_eq(k_field_va(k, task, F(task_struct, comm)), 0);
	cr_expect_null(k_text(k, &arena, task, F(task_struct, comm)));
	cr_expect_eq(kernel_faults_take(k).count, 0);
}

Test(read, the_null_structure_has_no_fields)
{
	uint64_t v;

	cr_expect_not(k_get(k, 0, F(task_struct, pid), &v));
	cr_expect_eq(k_field_va(k, 0, F(task_struct, tasks)), 0);
	cr_expect_null(k_text(k, &arena, 0, F(task_struct, comm)));
	cr_expect_eq(kernel_faults_take(k).count, 0);
}

Test(read, faults_are_counted_and_the_first_is_kept)
{
	uint64_t v;

	cr_expect_not(k_u64(k, NOWHERE, &v));
	cr_expect_not(k_u64(k, 0x0000800000000000, &v));
	cr_expect_not(k_u64(k, NOWHERE + 4096, &v));
	struct kernel_faults f = kernel_faults_take(k);
	cr_expect_eq(f.count, 3);
	cr_expect_eq(f.first_va, NOWHERE);
	cr_expect_eq(f.first_why, AS_NOT_MAPPED);
	f = kernel_faults_take(k);
	cr_expect_eq(f.count, 0, "they are taken once");
}

Test(read, an_absent_page_is_said_to_be_absent)
{
	uint64_t v;

	guest_drop(g, guest_pa(g, task));
	cr_expect_not(k_u64(k, task, &v));
	cr_expect_eq(kernel_faults_take(k).first_why, AS_PAGE_ABSENT);
}

Test(read, a_number_may_cross_a_page)
{
	uint64_t v, end = task + 4096 - task % 4096;

	put_u64(g, end - 3, 0x1122334455667788);
	cr_expect(k_u64(k, end - 3, &v));
	cr_expect_eq(v, 0x1122334455667788);
}

// --- strings ---

static uint64_t page_end(void)
{
	return guest_va(g, guest_page(g)) + PAGE_SIZE;
}

Test(read, a_string_ends_at_its_nul_or_at_its_bound)
{
	guest_put(g, task, "swapper/0\0garbage", 18);
	cr_expect_str_eq(k_string(k, &arena, task, 16), "swapper/0");
	cr_expect_str_eq(k_string(k, &arena, task, 4), "swap");
	cr_expect_str_eq(k_string(k, &arena, task, 9), "swapper/0");
	cr_expect_eq(kernel_faults_take(k).count, 0);
}

Test(read, a_string_may_cross_pages)
{
	uint64_t end = page_end();

	(void)guest_page(g);
	guest_put(g, end - 3, "abcdef", 7);
	cr_expect_str_eq(k_string(k, &arena, end - 3, 64), "abcdef");
}

Test(read, a_string_before_an_absent_page_is_whole_if_it_ends_there)
{
	uint64_t end = page_end();

	guest_drop(g, guest_page(g));
	guest_put(g, end - 4, "abc", 4);
	cr_expect_str_eq(k_string(k, &arena, end - 4, 64), "abc");
	cr_expect_eq(kernel_faults_take(k).count, 0);
}

Test(read, a_string_cut_by_an_absent_page_is_a_fault)
{
	uint64_t end = page_end();

	guest_drop(g, guest_page(g));
	guest_put(g, end - 4, "abcd", 4);
	cr_expect_str_eq(k_string(k, &arena, end - 4, 64), "abcd");
	struct kernel_faults f = kernel_faults_take(k);
	cr_expect_eq(f.count, 1);
	cr_expect_eq(f.first_va, end);
}

Test(read, a_string_that_is_nowhere_is_null)
{
	cr_expect_null(k_string(k, &arena, NOWHERE, 64));
	cr_expect_eq(kernel_faults_take(k).count, 1);
}

Test(read, text_of_an_array_without_a_nul_is_all_of_it)
{
	guest_place_array(g, F(task_struct, comm), 0x40, 1, 16);
	guest_put(g, task + 0x40, "sixteen-letters!and-more", 24);
	cr_expect_str_eq(k_text(k, &arena, task, F(task_struct, comm)), "sixteen-letters!");
}

Test(read, bytes_are_no_more_than_the_field_has)
{
	char buf[32] = "................";

	guest_place_array(g, F(task_struct, comm), 0x40, 1, 4);
	guest_put(g, task + 0x40, "abcdefgh", 8);
	cr_expect_eq(k_bytes(k, task, F(task_struct, comm), buf, sizeof(buf)), 4);
	cr_expect_eq(memcmp(buf, "abcd.", 5), 0);
	cr_expect_eq(k_bytes(k, task, F(task_struct, comm), buf, 2), 2);
}

// --- per-CPU ---

static void two_cpus(void)
{
	k->percpu_offset = mem_zalloc(3, sizeof(*k->percpu_offset));
	k->percpu_offset[0] = guest_alloc(g, 256);
	k->percpu_offset[2] = guest_alloc(g, 256); // CPU 1 has no area
	k->n_cpus = 3;
}

Test(read, a_percpu_sum_is_signed_and_skips_cpus_without_an_area)
{
	int64_t sum = 7;

	two_cpus();
	put_u32(g, k->percpu_offset[0] + 0x18, (uint32_t)-5);
	put_u32(g, k->percpu_offset[2] + 0x18, 2);
	cr_expect(k_percpu_sum(k, 0x10, 8, 4, &sum));
	cr_expect_eq(sum, -3);
	cr_expect_eq(k_percpu(k, 0x10, 1), 0);
	cr_expect_eq(k_percpu(k, 0x10, 3), 0, "there is no such CPU");
	mem_free(k->percpu_offset);
}

Test(read, a_percpu_sum_that_lacks_a_part_is_none)
{
	int64_t sum;

	two_cpus();
	k->percpu_offset[2] = NOWHERE;
	cr_expect_not(k_percpu_sum(k, 0x10, 8, 4, &sum));
	cr_expect_not(k_percpu_sum(k, 0, 8, 4, &sum), "a NULL pointer");
	cr_expect_not(k_percpu_sum(k, 0x10, 8, 16, &sum), "no number is as wide");
	k->n_cpus = 0;
	cr_expect_not(k_percpu_sum(k, 0x10, 8, 4, &sum), "no CPU is known");
	mem_free(k->percpu_offset);
}

Test(read, plausible_pointers_are_canonical_and_of_the_kernel)
{
	cr_expect(k_plausible(k, 0xffff888000000000));
	cr_expect(k_plausible(k, 0xff11000000000000));
	cr_expect_not(k_plausible(k, 0));
	cr_expect_not(k_plausible(k, 0x00007fffffffffff));
	cr_expect_not(k_plausible(k, (uint64_t)-1), "an error code");
	cr_expect_not(k_plausible(k, (uint64_t)-4095), "an error code");
}
