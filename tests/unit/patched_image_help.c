// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest's image with bytes changed on their way in.
#include "tests/unit/patched_image.h"

#include "src/analyse/extractors.h"
#include "src/analyse/layout.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_MEMORY = 512 << 20 };
#define LONGEST_NS 30000000000LL

struct patched patched;
static struct err *(*read_image)(struct mem_source *src, const struct mem_run *run, uint64_t delta,
				 void *buf, size_t n, size_t *got);

static void record(uint64_t pa, size_t n)
{
	for (uint64_t page = pa / PAGE_SIZE; page <= (pa + n - 1) / PAGE_SIZE; page++)
		if (u64map_add(&patched.is_touched, page, 0))
			vec_push(&patched.touched, page * PAGE_SIZE);
}

static struct err *read_patched(struct mem_source *src, const struct mem_run *run, uint64_t delta,
				void *buf, size_t n, size_t *got)
{
	struct err *e = read_image(src, run, delta, buf, n, got);
	uint64_t pa = run->pa + delta;
	const struct patch *p;

	if (e)
		return e;
	if (patched.recording)
		record(pa, n);
	vec_foreach (p, &patched.patches)
		if (p->absent && p->pa + PAGE_SIZE > pa && p->pa < pa + *got)
			*got = p->pa > pa ? (size_t)(p->pa - pa) : 0;
		else if (!p->absent && p->pa >= pa && p->pa - pa < *got)
			((uint8_t *)buf)[p->pa - pa] = p->byte;
	return NULL;
}

// --- walking ---

static void too_much_memory(size_t asked)
{
	cr_assert_fail("%zu bytes were asked for, with %zu in use", asked, mem_in_use());
	abort();
}

static int64_t cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void forget(void)
{
	size_t n;
	const struct mem_run *runs = physmem_runs(patched.img->mem, &n);
	struct mem_run *copy = mem_alloc(n * sizeof(*copy));

	memcpy(copy, runs, n * sizeof(*copy));
	cr_assert_null(physmem_move(patched.img->mem, copy, n));
	mem_free(copy);
	if (patched.k) {
		struct aspace *as = &patched.k->as;
		aspace_init(as, patched.img->mem, as->root_pa, as->paging);
		patched.k->faults = (struct kernel_faults){0};
	}
}

static void walk(bool counts_only)
{
	int64_t start = cpu_ns();

	walk_fini(&patched.w);
	row_log_fini(&patched.log);
	row_log_init(&patched.log);
	patched.log.counts_only = counts_only;
	forget();
	mem_on_exhausted(too_much_memory);
	mem_set_limit(MOST_MEMORY);
	walk_init(&patched.w, patched.k, &patched.log.sink, patched.log.wanted);
	walk_all(&patched.w, extractors);
	mem_set_limit(SIZE_MAX);
	patched.ns = cpu_ns() - start;
}

void patched_walk(void)
{
	walk(true);
}

void patched_walk_kept(void)
{
	walk(false);
}

struct err *patched_find(void)
{
	walk_fini(&patched.w);
	patched.w = (struct walk){0};
	kernel_free(patched.k);
	patched.k = NULL;
	forget();
	mem_on_exhausted(too_much_memory);
	mem_set_limit(MOST_MEMORY);
	int64_t start = cpu_ns();
	struct err *e = layout_find_kernel(patched.img, &(struct kernel_supply){0}, &patched.k);
	patched.find_ns = cpu_ns() - start;
	mem_set_limit(SIZE_MAX);
	if (e)
		patched.k = NULL;
	return e;
}

void patched_walk_soon(void)
{
	patched_walk();
	cr_expect_lt(patched.ns, LONGEST_NS, "%lld ms", (long long)patched.ns / 1000000);
}

void patched_expect_partial(enum table_id table, const char *part)
{
	cr_expect(row_log_problem(&patched.log, table, part), "%s", row_log_problems(&patched.log));
	cr_expect_str_eq(row_log_status(&patched.log, table), "partial");
	cr_expect(patched.w.damaged);
}

void patched_begin(void)
{
	const char *path = getenv("VMISCAN_IMAGE");

	path = path ? path : getenv("VMISCAN_SAMPLE");
	if (!path)
		cr_skip_test("neither VMISCAN_IMAGE nor VMISCAN_SAMPLE names an image");
	struct err *e = image_open(path, NULL, &patched.img);
	cr_assert_null(e, "%s", e ? e->msg : "");
	read_image = patched.img->source.read;
	patched.img->source.read = read_patched;
	e = patched_find();
	cr_assert_null(e, "%s", e ? e->msg : "");
	patched_walk();
	memcpy(patched.honest, patched.log.n, sizeof(patched.honest));
}

void patched_close(void)
{
	walk_fini(&patched.w);
	row_log_fini(&patched.log);
	kernel_free(patched.k);
	image_close(patched.img);
	vec_fini(&patched.touched);
	vec_fini(&patched.patches);
	u64map_fini(&patched.is_touched);
}

// --- patches ---

void patch_pa(uint64_t pa, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		vec_push(&patched.patches,
			 ((struct patch){.pa = pa + i, .byte = ((const uint8_t *)bytes)[i]}));
}

uint64_t patched_pa(uint64_t va)
{
	uint64_t pa;
	enum as_fault f = aspace_translate(&patched.k->as, va, &pa);

	cr_assert_eq(f, AS_OK, "%llx: %s", (unsigned long long)va, as_fault_text(f));
	return pa;
}

void patch_bytes(uint64_t va, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		patch_pa(patched_pa(va + i), (const uint8_t *)bytes + i, 1);
}

void patch_u64(uint64_t va, uint64_t v)
{
	patch_bytes(va, &v, sizeof(v));
}

void patch_u32(uint64_t va, uint32_t v)
{
	patch_bytes(va, &v, sizeof(v));
}

void patch_field(uint64_t base, enum field f, uint64_t v)
{
	size_t n = patched.k->field[f].elem_size;

	cr_assert(k_has(patched.k, f), "%s", field_name(f));
	patch_bytes(k_field_va(patched.k, base, f), &v, n < sizeof(v) ? n : sizeof(v));
}

void patch_absent(uint64_t pa)
{
	vec_push(&patched.patches, ((struct patch){.pa = pa - pa % PAGE_SIZE, .absent = true}));
}

void patch_none(void)
{
	patched.patches.n = 0;
	forget();
}

// --- the guest ---

struct task patched_process(size_t n)
{
	const struct task *t;

	for (size_t i = 0; (t = task_next_leader(patched.w.tasks, &i));)
		if (t->mm && t->files && !task_is_kthread(t) && t->life.class == LIFE_LIVE &&
		    n-- == 0)
			return *t;
	cr_assert_fail("the guest has too few processes");
	return (struct task){0};
}

uint64_t patched_address(enum table_id table, const char *column, const char *value,
			 const char *address)
{
	patched_walk_kept();
	size_t i = row_log_find(&patched.log, table, column, value);
	if (i == patched.log.n[table])
		cr_skip_test("no %s of this guest has %s %s", schema_tables[table].name, column,
			     value);
	return strtoull(row_log_value(&patched.log, table, i, address), NULL, 0);
}
