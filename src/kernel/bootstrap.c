// SPDX-License-Identifier: LGPL-2.1-or-later
// From types alone to an address space: init_task points to itself, which gives its virtual
// address; the next task points back to it, which gives the direct map. The page tables are
// roots.c's. No symbol and no CPU register is needed.
#include "src/kernel/locate.h"
#include "symbols/profile.h"

#include <string.h>

enum {
	DATA_SEARCH = 48 << 20, // .data begins within this distance behind .rodata
	DATA_CHUNK = 1 << 20,
	IMAGE_ALIGN = 2 << 20,
};
// What the offset of the direct map is a multiple of. x86-64: PUD_SIZE, to which
// arch/x86/mm/kaslr.c rounds page_offset_base; arm64: ARM64_MEMSTART_ALIGN, at least a section of
// memory.
#define DIRECT_MAP_ALIGN (1ULL << 30)
#define MEMSTART_ALIGN	 (128ULL << 20)

bool bootstrap_read_pa(struct kernel *k, uint64_t pa, enum field f, uint64_t *v)
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

	if (!bootstrap_read_pa(k, pa, F(task_struct, parent), &parent) ||
	    !bootstrap_read_pa(k, pa, F(task_struct, real_parent), &real_parent) ||
	    !bootstrap_read_pa(k, pa, F(task_struct, group_leader), &leader) ||
	    !bootstrap_read_pa(k, pa, F(task_struct, tasks), &next))
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

	if (!bootstrap_read_pa(k, init_pa, F(task_struct, tasks), &next))
		return false;
	uint64_t task = next - k->field[F(task_struct, tasks)].off;
	uint64_t step = k->arch == ARCH_ARM64 ? MEMSTART_ALIGN : DIRECT_MAP_ALIGN;
	if (k->arch == ARCH_X86) { // the kernel's image is a part of it, and nothing lies below
		k->page_offset = k->image_offset;
		k->lowest_va = k->page_offset & k->va_mask;
		return points_back(k, task - k->page_offset, links);
	}
	for (uint64_t pa = task % step; pa < physmem_end(k->mem); pa += step) {
		if (points_back(k, pa, links)) {
			k->page_offset = task - pa;
			return true;
		}
	}
	return false;
}

// GCC's plugin for RANDSTRUCT gives debug information other offsets than the code has.
static struct err *no_init_task(const struct kernel *k)
{
	if (k->image_btf || !k->profile || !k->profile->types_path)
		return err_new(ERR_NO_KERNEL,
			       "no init_task behind its .rodata: not a running kernel");
	return err_new(ERR_NO_KERNEL,
		       "no init_task behind its .rodata: not a running kernel, or one with other "
		       "structures than %s describes (as GCC's RANDSTRUCT makes them)",
		       k->profile->types_path);
}

struct err *bootstrap(struct kernel *k, const uint64_t *cr3s, size_t n_cr3s,
		      struct type_search *search)
{
	if (!k_has(k, F(task_struct, tasks)) || !k_has(k, F(task_struct, comm)) ||
	    !k_has(k, F(task_struct, thread_node)) || !k_has(k, F(signal_struct, thread_head)))
		return err_new(ERR_NO_KERNEL, "its BTF does not describe task_struct");
	if (!find_init_task(k))
		return no_init_task(k);
	if (!find_direct_map(k))
		return err_new(ERR_NO_KERNEL,
			       "no task follows init_task in memory: the image lacks it, "
			       "or was written while the kernel changed");
	if (!roots_find(k, cr3s, n_cr3s, search))
		return err_new(ERR_NO_KERNEL, "no page tables map it");
	return NULL;
}
