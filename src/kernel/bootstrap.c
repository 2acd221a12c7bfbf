// SPDX-License-Identifier: LGPL-2.1-or-later
// From types alone to an address space: init_task points to itself, which gives its virtual
// address; the next task points back to it, which gives the direct map; a process's mm has the root
// of the page tables. No symbol and no CPU register is needed.
#include "src/kernel/locate.h"

#include <string.h>

enum {
	DATA_SEARCH = 48 << 20, // .data begins within this distance behind .rodata
	DATA_CHUNK = 1 << 20,
	MAX_HOPS = 4096, // tasks to look at for one with an mm
	IMAGE_ALIGN = 2 << 20,
};
#define DIRECT_MAP_ALIGN (1ULL << 30) // PUD_SIZE: arch/x86/mm/kaslr.c rounds page_offset_base to it
#define TOP_OF_4_LEVELS	 0xffff800000000000ULL

static bool read_pa(struct kernel *k, uint64_t pa, enum field f, uint64_t *v)
{
	uint8_t raw[8];

	if (!k_has(k, f) || !physmem_read(k->mem, pa + k->field[f].off, raw, k->word))
		return false;
	*v = k_ptr_in(k, raw);
	return true;
}

// init_task is its own parent, real parent and group leader (init/init_task.c).
static bool is_init_task(struct kernel *k, uint64_t pa, uint64_t *va)
{
	uint64_t parent, real_parent, leader, next;

	if (!read_pa(k, pa, F(task_struct, parent), &parent) ||
	    !read_pa(k, pa, F(task_struct, real_parent), &real_parent) ||
	    !read_pa(k, pa, F(task_struct, group_leader), &leader) ||
	    !read_pa(k, pa, F(task_struct, tasks), &next))
		return false;
	*va = parent;
	return parent == real_parent && parent == leader && k_plausible(k, parent) &&
	       (parent - pa) % IMAGE_ALIGN == 0 && k_plausible(k, next) &&
	       next != parent + k->field[F(task_struct, tasks)].off;
}

static bool init_task_in(struct kernel *k, uint64_t pa, const uint8_t *buf, size_t n)
{
	static const char name[] = "swapper";
	const uint8_t *at = buf;

	while ((at = memmem(at, n - (size_t)(at - buf), name, sizeof(name) - 1))) {
		uint64_t va,
			task_pa = pa + (uint64_t)(at - buf) - k->field[F(task_struct, comm)].off;
		if (is_init_task(k, task_pa, &va)) {
			k->init_task = va;
			k->image_offset = va - task_pa;
			return true;
		}
		at++;
	}
	return false;
}

// .data follows .rodata in the kernel's image. Pages that a dump left out read as zeros here.
static bool find_init_task(struct kernel *k)
{
	uint64_t start = k->window_pa + k->btf_off;
	uint8_t *buf = mem_alloc(DATA_CHUNK + 16);
	bool found = false;

	for (uint64_t off = 0; off < DATA_SEARCH && !found; off += DATA_CHUNK) {
		(void)physmem_read_bulk(k->mem, start + off, buf, DATA_CHUNK + 16);
		found = init_task_in(k, start + off, buf, DATA_CHUNK + 16);
	}
	mem_free(buf);
	return found;
}

// The physical address of a task that the list says is next, if it points back from there.
static bool points_back(struct kernel *k, uint64_t task_pa, uint64_t prev_link)
{
	uint8_t raw[8];
	uint64_t at = task_pa + k->field[F(task_struct, tasks)].off + k->word;

	return physmem_read(k->mem, at, raw, k->word) && k_ptr_in(k, raw) == prev_link;
}

static bool find_direct_map(struct kernel *k)
{
	uint64_t links = k->init_task + k->field[F(task_struct, tasks)].off, next;
	uint64_t init_pa = k_image_pa(k, k->init_task);

	if (!read_pa(k, init_pa, F(task_struct, tasks), &next))
		return false;
	uint64_t task = next - k->field[F(task_struct, tasks)].off;
	for (uint64_t pa = task % DIRECT_MAP_ALIGN; pa < physmem_end(k->mem);
	     pa += DIRECT_MAP_ALIGN) {
		if (points_back(k, pa, links)) {
			k->page_offset = task - pa;
			return true;
		}
	}
	return false;
}

// --- the page tables ---

static bool maps(struct kernel *k, uint64_t va, uint64_t pa)
{
	uint64_t got;

	return aspace_translate(&k->as, va, &got) == AS_OK && got == pa;
}

bool bootstrap_try_root(struct kernel *k, uint64_t root_pa)
{
	unsigned levels = k->page_offset < TOP_OF_4_LEVELS ? 5 : 4;
	uint64_t init_pa = k_image_pa(k, k->init_task);

	aspace_init(&k->as, k->mem, root_pa, paging_x86_64(levels));
	return maps(k, k->init_task, init_pa) && maps(k, k->page_offset + init_pa, init_pa) &&
	       maps(k, k_image_va(k, k->window_pa), k->window_pa);
}

// Follows the task list through the direct map to a process, and takes its mm's root.
static bool root_of_a_process(struct kernel *k)
{
	size_t tasks_off = k->field[F(task_struct, tasks)].off;
	uint64_t head = k->init_task + tasks_off, at;

	if (!read_pa(k, k_image_pa(k, k->init_task), F(task_struct, tasks), &at))
		return false;
	for (int i = 0; i < MAX_HOPS && at != head; i++) {
		uint64_t pa = at - tasks_off - k->page_offset, mm, pgd;
		if (read_pa(k, pa, F(task_struct, mm), &mm) && mm &&
		    read_pa(k, mm - k->page_offset, F(mm_struct, pgd), &pgd) &&
		    bootstrap_try_root(k, pgd - k->page_offset))
			return true;
		if (!read_pa(k, pa, F(task_struct, tasks), &at))
			return false;
	}
	return false;
}

static bool root_of_a_cpu(struct kernel *k, const uint64_t *cr3s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t root;
		if (!physmem_of_table(k->mem, cr3s[i] & ~(uint64_t)(PAGE_SIZE - 1), &root))
			continue;
		// with KPTI a CPU in user mode shows the user half, whose page follows the kernel's
		if (bootstrap_try_root(k, root) || bootstrap_try_root(k, root & ~0x1000ULL))
			return true;
	}
	return false;
}

struct err *bootstrap(struct kernel *k, const uint64_t *cr3s, size_t n_cr3s)
{
	if (!k_has(k, F(task_struct, tasks)) || !k_has(k, F(task_struct, comm)) ||
	    !k_has(k, F(task_struct, thread_node)) || !k_has(k, F(signal_struct, thread_head)))
		return err_new(ERR_NO_KERNEL, "its BTF does not describe task_struct");
	if (!find_init_task(k))
		return err_new(ERR_NO_KERNEL,
			       "no init_task behind its .rodata: not a running kernel");
	if (!find_direct_map(k))
		return err_new(ERR_NO_KERNEL,
			       "no task follows init_task in memory: the image lacks it, "
			       "or was written while the kernel changed");
	if (!root_of_a_process(k) && !root_of_a_cpu(k, cr3s, n_cr3s))
		return err_new(ERR_NO_KERNEL, "no page tables map it");
	return NULL;
}
