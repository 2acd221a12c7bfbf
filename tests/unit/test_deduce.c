// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest whose kallsyms is gone: what is deduced must be what it told; and one whose data
// lies.
#include "symbols/kallsyms.h"
#include "tests/unit/patched_image.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

TestSuite(deduce, .init = patched_begin, .fini = patched_close);

static uint64_t honest[SYMBOL_COUNT];

// Wipes the tokens, without which no name can be read, and looks for the kernel anew.
static struct err *find_without_kallsyms(void)
{
	static const uint8_t none[512];
	const struct kernel *k = patched.k;

	memcpy(honest, k->symbol, sizeof(honest));
	patch_pa(k->window_pa + kallsyms_layout(k->kallsyms)->token_index, none, sizeof(none));
	return patched_find();
}

Test(deduce, places)
{
	static const enum symbol same[] = {
		S(_text),	    S(init_task),
		S(init_top_pgt),    S(special_mapping_vmops),
		S(vmcoreinfo_data), S(__per_cpu_offset),
		S(cpu_info),	    S(current_task),
		S(modules),	    S(btf_modules),
		S(nop_mnt_idmap),   S(init_user_ns),
		S(init_uts_ns),	    S(dmi_ident),
		S(boot_cpu_data),   S(raw_v4_hashinfo),
		S(raw_v6_hashinfo), S(ping_table),
		S(nl_table),	    S(gate_vma),
		S(vm_zone_stat),    S(vm_node_stat),
		S(node_data),	    S(vmemmap_base),
		S(simple_statfs),   S(special_mapping_vmops),
	};

	cr_assert_null(find_without_kallsyms());
	cr_assert_null(patched.k->kallsyms);
	cr_assert(patched.k->data_deduced);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		cr_expect_eq(patched.k->symbol[same[i]], honest[same[i]], "%zu: 0x%llx, 0x%llx", i,
			     (unsigned long long)patched.k->symbol[same[i]],
			     (unsigned long long)honest[same[i]]);
}

Test(deduce, values)
{
	enum { N = 6 };
	static const enum symbol same[N] = {S(_totalram_pages),	    S(totalreserve_pages),
					    S(total_swap_pages),    S(nr_swap_pages),
					    S(blockdev_superblock), S(saved_command_line)};
	uint64_t told[N], deduced;
	uint32_t khz, mode;

	for (size_t i = 0; i < N; i++)
		cr_assert(k_u64(patched.k, patched.k->symbol[same[i]], &told[i]));
	cr_assert(k_u32(patched.k, patched.k->symbol[S(cpu_khz)], &khz));
	cr_assert(k_u32(patched.k, patched.k->symbol[S(vsyscall_mode)], &mode));
	cr_assert_null(find_without_kallsyms());
	for (size_t i = 0; i < N; i++) {
		cr_expect(k_variable(patched.k, same[i], 8, &deduced));
		cr_expect_eq(deduced, told[i], "%zu", i);
	}
	cr_expect(k_variable(patched.k, S(cpu_khz), 4, &deduced) && deduced == khz);
	cr_expect(k_variable(patched.k, S(vsyscall_mode), 4, &deduced) && deduced == mode);
}

// A module that does not hold its own address is none: the list is then not believed, and that
// there is no other is known.
Test(deduce, a_list_of_no_modules)
{
	uint64_t first;

	cr_assert(k_u64(patched.k, patched.k->symbol[S(modules)], &first));
	uint64_t module = k_container(patched.k, first, F(module, list));
	patch_field(module, F(module, mkobj_mod), module + 8);
	cr_assert_null(find_without_kallsyms());
	cr_expect_eq(patched.k->symbol[S(modules)], 0);
	cr_expect(k_has_none(patched.k, S(modules)));
}

// What is not in the image can't be said not to be in the kernel.
Test(deduce, holes_are_not_nothing)
{
	patch_absent(patched_pa(patched.k->symbol[S(modules)]));
	cr_assert_null(find_without_kallsyms());
	cr_expect_eq(patched.k->symbol[S(modules)], 0);
	cr_expect(!k_has_none(patched.k, S(modules)));
	patched_walk();
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_kernel_modules), "unavailable");
}

// Bits that are wrong anywhere in what the kernel's data leads to.
Test(deduce, flipped_bits)
{
	uint64_t seed = 3;

	patched.recording = true;
	cr_assert_null(find_without_kallsyms());
	patched.recording = false;
	cr_assert_gt(patched.touched.n, 0);
	size_t wiped = patched.patches.n;
	for (int i = 0; i < 24; i++) {
		uint8_t byte;
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		uint64_t pa = patched.touched.at[(seed >> 33) % patched.touched.n] +
			      (seed >> 20) % PAGE_SIZE;
		cr_assert(physmem_read(patched.img->mem, pa, &byte, 1));
		byte ^= (uint8_t)(1U << i % 8);
		patch_pa(pa, &byte, 1);
		struct err *e = patched_find();
		if (!e)
			patched_walk_soon();
		else
			cr_expect_eq(e->code, ERR_NO_KERNEL, "%s", e->msg);
		patched.patches.n = wiped;
	}
}
