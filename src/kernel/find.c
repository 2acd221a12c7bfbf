// SPDX-License-Identifier: LGPL-2.1-or-later
// Tries every candidate and keeps the kernel from which most can be reached.
#include "src/kernel/locate.h"

#include "src/kernel/clock.h"
#include "src/kernel/iter.h"
#include "symbols/btf.h"
#include "symbols/kallsyms.h"
#include "symbols/profile.h"

#include <string.h>

// Bits of a score: how many tasks were followed (below SCORE_RING), if their ring closes, if the
// release is the banner's, if a CPU runs on its page tables.
enum { SCORE_TASKS = 4096, SCORE_RING = 1 << 16, SCORE_RELEASE = 1 << 17, SCORE_CPU = 1 << 18 };

void kernel_free(struct kernel *k)
{
	if (!k)
		return;
	kallsyms_close(k->kallsyms);
	btf_close(k->image_btf);
	mem_free(k->vmcoreinfo);
	mem_free(k->vmcoreinfo_text);
	mem_free(k->window);
	mem_free(k->banner);
	mem_free(k->release);
	mem_free(k->build_id);
	mem_free(k->percpu_offset);
	mem_free(k);
}

// The release is the third word of the banner; a kernel whose uts_ns says the same is the one that
// the banner belongs to.
static bool release_matches(const struct kernel *k)
{
	const char *in_banner = k->banner + strlen("Linux version ");
	size_t n = k->release ? strlen(k->release) : 0;

	return n > 0 && strncmp(in_banner, k->release, n) == 0 && in_banner[n] == ' ';
}

uint64_t kernel_score(struct kernel *k)
{
	struct list_iter it;
	uint64_t node, score = release_matches(k) ? SCORE_RELEASE : 0;

	list_begin(&it, k, k_field_va(k, k->init_task, F(task_struct, tasks)), SCORE_TASKS);
	while (list_next(&it, &node))
		score++;
	if ((it.end == ITER_END || it.end == ITER_LIMIT) && !it.bad_back)
		score += SCORE_RING;
	return score;
}

bool kernel_score_is_whole(uint64_t score)
{
	return score & SCORE_RING;
}

static const struct profile *ask(const struct kernel_supply *s, const struct kernel *k)
{
	return s->profile_of ? s->profile_of(s->arg, k) : NULL;
}

// The image's own types, or else those of a file.
static struct err *find_types(struct kernel *k, const struct anchor *a, struct type_search *types,
			      const struct kernel_supply *supply)
{
	struct err *e = window_open(k, a, types);

	k->btf = k->image_btf;
	k->profile = ask(supply, k);
	if (!k->btf && k->profile && k->profile->btf) {
		k->btf = k->profile->btf;
		window_need(k);
	}
	if (!k->btf)
		return e;
	kernel_resolve_fields(k);
	kernel_find_arch(k);
	return NULL;
}

// Deducing takes a pass over a kernel's data: no more of them than memories have kernels.
enum { MAX_DEDUCED = 8 };

static struct err *try_anchor(struct physmem *mem, const struct anchor *a,
			      const struct find_options *o, struct type_search *types,
			      struct kernel **out)
{
	struct kernel *k = mem_zalloc(1, sizeof(*k));

	*out = k;
	k->mem = mem;
	k->banner_pa = a->pa;
	k->banner = mem_strdup(a->text);
	TRY(find_types(k, a, types, &o->supply));
	struct err *e = bootstrap(k, o->cr3s, o->n_cr3s, types);
	k->may_deduce = types->deduced < MAX_DEDUCED;
	if (!e)
		e = symbols_open(k, &o->supply);
	types->deduced += k->data_deduced;
	return e ? err_wrap(e, "\"%.60s...\" at 0x%llx", a->text, (unsigned long long)a->pa) : NULL;
}

// What became of all candidates: the best kernel, or why the one failed that came furthest.
struct search {
	struct kernel *best;
	uint64_t best_score;
	size_t n_candidates;
	struct type_search types;
	int furthest;
	char why[512];
};

// How far a candidate came that failed: types, init_task, address space.
static int stage(const struct kernel *k)
{
	return (k->btf != NULL) + (k->init_task != 0) + (k->as.paging.levels != 0);
}

static void note_failure(struct search *s, const struct kernel *k, const struct err *e)
{
	if (s->why[0] && stage(k) <= s->furthest)
		return;
	s->furthest = stage(k);
	memcpy(s->why, e->msg, sizeof(s->why) - 1);
}

// Of two kernels that are as good but for their number of tasks, the one that booted later is live:
// the other is what an earlier boot left behind.
static bool is_better(struct search *s, struct kernel *k, uint64_t score)
{
	struct clock_reading one, other;
	const char *why;

	if (s->best && score / SCORE_RING == s->best_score / SCORE_RING &&
	    kernel_clock(k, &one, &why) && kernel_clock(s->best, &other, &why) &&
	    one.boot != other.boot)
		return one.boot > other.boot;
	return score > s->best_score;
}

static void try_all(struct search *s, struct physmem *mem, const anchor_vec *anchors,
		    const struct find_options *o)
{
	const struct anchor *a;

	vec_foreach (a, anchors) {
		struct kernel *k;
		struct err *e = try_anchor(mem, a, o, &s->types, &k);
		uint64_t score = e ? 0 : kernel_score(k);
		s->n_candidates++;
		if (e)
			note_failure(s, k, e);
		else if (roots_run_on(k, o->cr3s, o->n_cr3s))
			score += SCORE_CPU;
		if (!e && is_better(s, k, score)) {
			kernel_free(s->best);
			s->best = k;
			s->best_score = score;
		} else {
			kernel_free(k);
		}
	}
}

static struct err *not_found(const struct search *s)
{
	if (s->n_candidates == 0)
		return err_new(ERR_NO_KERNEL,
			       "no Linux kernel in this memory: no linux_banner in it");
	return err_new(ERR_NO_KERNEL, "no usable kernel among %zu candidate%s; the likeliest: %s",
		       s->n_candidates, s->n_candidates == 1 ? "" : "s", s->why);
}

struct err *kernel_find(struct physmem *mem, const struct find_options *o, struct kernel **out)
{
	struct search s = {0};
	anchor_vec anchors = {0};

	*out = NULL;
	if (o->effort == FIND_EVERYWHERE)
		anchors_everywhere(mem, &anchors);
	else
		anchors_cheap(mem, o->effort == FIND_QUICK ? STEP_X86_64 : STEP_ARM64, &anchors);
	try_all(&s, mem, &anchors, o);
	vec_fini(&anchors);
	if (!s.best)
		return not_found(&s);
	s.best->n_candidates = s.n_candidates;
	*out = s.best;
	(void)kernel_faults_take(s.best);
	return NULL;
}
