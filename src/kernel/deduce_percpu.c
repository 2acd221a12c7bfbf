// SPDX-License-Identifier: LGPL-2.1-or-later
// The areas of the CPUs. Each holds its own distance from the first copy, in this_cpu_off, and the
// kernel keeps all of them in __per_cpu_offset: arch/x86/kernel/setup_percpu.c.
#include "src/kernel/deduce.h"

#include "symbols/btf.h"

enum { AREA_TRIES = 64 };

static uint64_t percpu_off(const struct kernel *k, const char *name)
{
	struct btf_var v;

	return btf_percpu(k->btf, name, &v) ? v.off : UINT64_MAX;
}

// The run queue of some CPU, by the queue that init_task is scheduled in.
static uint64_t some_rq(struct kernel *k)
{
	return k_or0(k, k_or0(k, k->init_task, F(task_struct, cfs_rq)), F(cfs_rq, rq));
}

// The hrtimer_cpu_base of some CPU, by the timer that each process has. A kernel thread's is not
// set up: that of the first process.
static uint64_t some_cpu_base(struct kernel *k)
{
	uint64_t next = k_or0(k, k->init_task, F(task_struct, tasks));
	uint64_t signal =
		k_or0(k, k_container(k, next, F(task_struct, tasks)), F(task_struct, signal));

	return k_or0(k, k_or0(k, signal, F(signal_struct, real_timer_base)),
		     F(hrtimer_clock_base, cpu_base));
}

// Of the area in which the per-CPU variable `name` is at va: its distance, if it holds one that can
// be true. __per_cpu_start is 0 on x86-64 before 6.15, an address of the image's since.
static bool take_area(struct deduction *d, const char *name, uint64_t va)
{
	uint64_t off = percpu_off(d->k, name), own = percpu_off(d->k, "this_cpu_off"), distance;

	if (!va || off == UINT64_MAX || own == UINT64_MAX ||
	    !k_u64(d->k, va - off + own, &distance))
		return false;
	uint64_t start = va - off - distance;
	if (start % PAGE_SIZE != 0 || (start != 0 && !deduce_is_image(d, start)))
		return false;
	d->own = start + own;
	d->distance = distance;
	deduce_set(d, S(__per_cpu_start), start);
	return true;
}

// --- arm64, whose areas do not say where they are: a register of the CPU does ---

// What __per_cpu_offset may be.
struct offsets {
	uint64_t at, n, start; // start: of the first copy of the areas
};

// Whether this leads from the run queue in the first copy to that of a CPU.
static bool is_distance_of(struct deduction *d, uint64_t first_rq, uint64_t distance, uint64_t cpu)
{
	uint64_t is;

	return k_get(d->k, first_rq + distance, F(rq, cpu), &is) && is == cpu;
}

// w is the element of a CPU, whose run queue is rq.
static struct offsets offsets_around(struct deduction *d, const struct word *w, uint64_t rq,
				     uint64_t cpu)
{
	uint64_t off = percpu_off(d->k, "runqueues"), first = rq - w->value, v;
	struct offsets o = {.at = w->at - cpu * 8, .start = first - off};
	struct word start = {o.at, 0, w->part};

	if (o.start % PAGE_SIZE != 0 || !deduce_is_image(d, o.start))
		return (struct offsets){0};
	while (o.n < MAX_CPUS && word_near(&start, (int64_t)o.n * 8, &v) && v &&
	       is_distance_of(d, first, v, o.n))
		o.n++;
	return o.n > cpu ? o : (struct offsets){0};
}

// The longest array: there are copies of one CPU's alone.
static struct offsets find_offsets(struct deduction *d, uint64_t rq, uint64_t cpu)
{
	struct offsets best = {0};
	const struct image_part *p;

	vec_foreach (p, &d->parts)
		for (size_t off = 0; p->writable && off + 8 <= p->n; off += 8) {
			struct word w = {p->va + off, le64(p->bytes + off), p};
			struct offsets o = offsets_around(d, &w, rq, cpu);
			if (o.n > best.n)
				best = o;
		}
	return best;
}

// Every CPU's run queue has the CPU's number.
static void take_offsets(struct deduction *d, uint64_t rq)
{
	uint64_t cpu;

	if (percpu_off(d->k, "runqueues") == UINT64_MAX || !k_get(d->k, rq, F(rq, cpu), &cpu))
		return;
	struct offsets o = find_offsets(d, rq, cpu);
	if (o.n == 0)
		return;
	deduce_set(d, S(__per_cpu_start), o.start);
	deduce_set(d, S(__per_cpu_offset), o.at);
	deduce_value(d, S(nr_cpu_ids), o.n);
}

void deduce_percpu_start(struct deduction *d)
{
	uint64_t rq = some_rq(d->k), base = some_cpu_base(d->k);

	if (d->k->arch == ARCH_ARM64) {
		take_offsets(d, rq);
		return;
	}
	if (deduce_is_image(d, rq ? rq : base)) { // no SMP: no areas, plain variables
		d->k->deduced[S(__per_cpu_offset)].none = true;
		deduce_set(d, S(runqueues), rq);
		return;
	}
	d->in_area = rq ? rq : base;
	if (!take_area(d, "runqueues", rq))
		(void)take_area(d, "hrtimer_bases", base);
}

// Types that do not list per-CPU variables (made by pahole before 1.18): an area that has
// d->in_area in it holds its own address somewhere, which is this_cpu_off.
static void try_area(struct deduction *d, uint64_t area)
{
	uint64_t v;

	if (area % PAGE_SIZE != 0 || d->in_area - area >= AREA_MOST || d->area_tries >= AREA_TRIES)
		return;
	d->area_tries++;
	for (uint64_t off = 0; off < AREA_MOST && k_u64(d->k, area + off, &v); off += 8)
		if (v == area) {
			d->own = off;
			d->distance = area;
			return;
		}
}

// Whether this can be an element of __per_cpu_offset.
static bool is_area(struct deduction *d, uint64_t distance)
{
	uint64_t says;

	return distance && k_u64(d->k, distance + d->own, &says) && says == distance;
}

// The areas of all possible CPUs follow one another; then come those of none, which hold what was
// linked in.
void see_percpu_offset(struct deduction *d, const struct word *w)
{
	struct word first = *w;
	uint64_t v, n = 1;

	if (!d->in_area || d->k->symbol[S(__per_cpu_offset)])
		return;
	if (!d->distance)
		try_area(d, w->value);
	if (w->value != d->distance)
		return;
	while (word_near(&first, -8, &v) && is_area(d, v))
		first.at -= 8;
	while (n < MAX_CPUS && word_near(&first, (int64_t)n * 8, &v) && is_area(d, v))
		n++;
	deduce_set(d, S(__per_cpu_offset), first.at);
	deduce_value(d, S(nr_cpu_ids), n);
}
