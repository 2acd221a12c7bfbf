// SPDX-License-Identifier: LGPL-2.1-or-later
// The root of the kernel's page tables: that of a process, of a CPU or in the kernel's image, which
// maps init_task, the direct map and .rodata to where they are known to lie.
#include "src/kernel/locate.h"

enum {
	MAX_HOPS = 4096, // tasks to look at for one with an mm
	IMAGE_SEARCH = 64 << 20,
	// Of all anchors together: a memory full of lies must not cost a search for each.
	MAX_PAGES = 16 * (IMAGE_SEARCH / PAGE_SIZE),
	MAX_ROOTS = 256,
};
#define TOP_OF_4_LEVELS 0xffff800000000000ULL

static bool maps(struct kernel *k, uint64_t va, uint64_t pa)
{
	uint64_t got;

	return aspace_translate(&k->as, va, &got) == AS_OK && got == pa;
}

static bool try_paging(struct kernel *k, uint64_t root_pa, struct paging paging)
{
	uint64_t init_pa = k_image_pa(k, k->init_task);

	aspace_init(&k->as, k->mem, root_pa, paging);
	return maps(k, k->init_task, init_pa) && maps(k, k->page_offset + init_pa, init_pa) &&
	       maps(k, k_image_va(k, k->window_pa), k->window_pa);
}

// --- the forms that page tables may have ---

enum { MAX_FORMS = 24 };

static size_t forms_of_arm64(struct paging *out)
{
	static const uint8_t page_shifts[] = {12, 16, 14}, va_bits[] = {48, 52, 39, 47, 42, 36};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(page_shifts); i++)
		for (size_t j = 0; j < sizeof(va_bits); j++)
			out[n++] = paging_arm64(va_bits[j], page_shifts[i], HALF_UPPER);
	return n;
}

// Those that the architecture has, likeliest first; how many.
static size_t forms(const struct kernel *k, struct paging out[MAX_FORMS])
{
	if (k->arch == ARCH_ARM64)
		return forms_of_arm64(out);
	out[0] = k->arch == ARCH_X86 ? paging_x86_pae()
				     : paging_x86_64(k->page_offset < TOP_OF_4_LEVELS ? 5 : 4);
	out[1] = paging_x86_32();
	return k->arch == ARCH_X86 ? 2 : 1;
}

bool roots_try(struct kernel *k, uint64_t root_pa)
{
	struct paging all[MAX_FORMS];
	size_t n = forms(k, all);

	for (size_t i = 0; i < n; i++)
		if (try_paging(k, root_pa, all[i])) {
			k->page_shift = all[i].page_shift;
			return true;
		}
	return false;
}

// --- where a root may be ---

// Follows the task list through the direct map to a process, and takes its mm's root.
static bool root_of_a_process(struct kernel *k)
{
	size_t tasks_off = k->field[F(task_struct, tasks)].off;
	uint64_t head = k->init_task + tasks_off, at;

	if (!bootstrap_read_pa(k, k_image_pa(k, k->init_task), F(task_struct, tasks), &at))
		return false;
	for (int i = 0; i < MAX_HOPS && at != head; i++) {
		uint64_t pa = at - tasks_off - k->page_offset, mm, pgd;
		if (bootstrap_read_pa(k, pa, F(task_struct, mm), &mm) && mm &&
		    bootstrap_read_pa(k, mm - k->page_offset, F(mm_struct, pgd), &pgd) &&
		    roots_try(k, pgd - k->page_offset))
			return true;
		if (!bootstrap_read_pa(k, pa, F(task_struct, tasks), &at))
			return false;
	}
	return false;
}

static bool root_of_a_cpu(struct kernel *k, const uint64_t *cr3s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t root;
		if (!physmem_of_table(k->mem, cr3s[i], &root))
			continue;
		// with KPTI a CPU in user mode shows the user half, whose page follows the kernel's
		if (roots_try(k, root) || roots_try(k, root & ~0x1000ULL))
			return true;
	}
	return false;
}

bool roots_run_on(struct kernel *k, const uint64_t *cr3s, size_t n)
{
	struct aspace before = k->as;
	bool is_running = root_of_a_cpu(k, cr3s, n);

	k->as = before;
	return is_running;
}

// Whether a page can be the root, as far as one look at one address tells.
static bool looks_like_root(struct aspace *probe, uint64_t pa, const struct paging *form,
			    uint64_t va, uint64_t want)
{
	uint64_t got;

	probe->root_pa = pa;
	probe->paging = *form;
	if (aspace_translate(probe, va, &got) != AS_OK)
		return false;
	aspace_init(probe, probe->mem, 0, *form); // forgets what it found
	return got == want;
}

// A process of arm64 has the lower half alone. The upper half's root, swapper_pg_dir, is in the
// image of the kernel, behind .rodata (arch/arm64/kernel/vmlinux.lds.S).
static bool root_in_the_image(struct kernel *k, struct type_search *s)
{
	uint64_t want = k_image_pa(k, k->init_task);
	struct aspace probe;
	struct paging all[MAX_FORMS];
	size_t n = forms(k, all);

	aspace_init(&probe, k->mem, 0, all[0]);
	for (uint64_t off = 0; off < IMAGE_SEARCH && s->pages < MAX_PAGES; off += PAGE_SIZE) {
		uint64_t pa = k->window_pa + off;
		s->pages++;
		for (size_t i = 0; i < n; i++)
			if (looks_like_root(&probe, pa, &all[i], k->init_task, want) &&
			    s->roots++ < MAX_ROOTS && roots_try(k, pa))
				return true;
	}
	return false;
}

bool roots_find(struct kernel *k, const uint64_t *cr3s, size_t n, struct type_search *search)
{
	if (k->arch == ARCH_ARM64)
		return root_in_the_image(k, search);
	return root_of_a_process(k) || root_of_a_cpu(k, cr3s, n);
}
