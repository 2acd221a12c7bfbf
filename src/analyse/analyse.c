// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens, finds, walks: the order in which the other rooms are called.
#include "src/analyse/analyse.h"

#include "src/analyse/extractors.h"
#include "src/analyse/layout.h"
#include "src/walk/walk.h"
#include "symbols/profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

__attribute__((format(printf, 2, 3))) static void tell(const struct analysis *a, const char *fmt,
						       ...)
{
	char line[1024];
	va_list ap;

	if (!a->opts.say)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	a->opts.say(a->opts.say_arg, line);
}

static void step(const struct analysis *a, const char *what)
{
	if (a->opts.progress)
		a->opts.progress(a->opts.progress_arg, what, 0, 0);
}

void analysis_init(struct analysis *a, const struct analysis_options *o)
{
	*a = (struct analysis){.opts = *o};
}

void analysis_fini(struct analysis *a)
{
	kernel_free(a->kernel);
	symfiles_close(a->symfiles);
	a->symfiles = NULL;
	image_close(a->image);
	changes_fini(&a->seen);
	a->kernel = NULL;
	a->image = NULL;
}

struct err *analysis_open(struct analysis *a)
{
	const struct fmt_options opts = {.format = a->opts.format,
					 .vmss = a->opts.vmss,
					 .snapshot = a->opts.snapshot,
					 .parts = a->opts.parts,
					 .n_parts = a->opts.n_parts,
					 .progress = a->opts.progress,
					 .progress_arg = a->opts.progress_arg};
	int64_t start_ms = now_ms();

	changes_watch(&a->seen, a->opts.image);
	for (size_t i = 0; i < a->opts.n_parts; i++)
		changes_watch(&a->seen, a->opts.parts[i]);
	TRY(image_open(a->opts.image, &opts, &a->image));
	if (a->image->beside)
		changes_watch(&a->seen, a->image->beside->path);
	tell(a, "%s: format %s (%s), opened in %lld ms", a->opts.image, a->image->fmt->name,
	     a->image->why, (long long)(now_ms() - start_ms));
	return NULL;
}

static struct err *advise(struct err *e, const struct analysis *a)
{
	e = err_wrap(e, "%s", a->opts.image);
	size_t n = strlen(e->msg);
	if (a->image->truncated)
		(void)snprintf(e->msg + n, sizeof(e->msg) - n, "; %s: copy it again",
			       a->image->truncated_why);
	else
		(void)snprintf(e->msg + n, sizeof(e->msg) - n,
			       "; is it the memory of a running Linux guest of x86 or arm64, whole "
			       "and not "
			       "encrypted?");
	return e;
}

static struct err *read_symfiles(struct analysis *a)
{
	int64_t start_ms = now_ms();

	step(a, "reading symbols");
	TRY(symfiles_open(&a->opts.symbols, &a->symfiles));
	if ((a->opts.symbols.vmlinux || a->opts.symbols.system_map))
		tell(a, "files of symbols, read in %lld ms", (long long)(now_ms() - start_ms));
	return NULL;
}

// A file that does not fit is the likelier reason than an image without types.
static struct err *no_kernel(struct analysis *a, struct err *e)
{
	a->kernel = NULL;
	struct err kept = *e, *refused = symfiles_refusal(a->symfiles);
	if (refused)
		return refused;
	*e = kept;
	if (symfiles_trouble(a->symfiles))
		e = err_wrap(e, "%s", symfiles_trouble(a->symfiles));
	return e->code == ERR_NO_KERNEL ? advise(e, a) : e;
}

static struct err *find_kernel(struct analysis *a)
{
	TRY(read_symfiles(a));
	const struct kernel_supply supply = symfiles_supply(a->symfiles);
	int64_t start_ms = now_ms();

	step(a, "finding the kernel");
	struct err *e = layout_find_kernel(a->image, &supply, &a->kernel);
	if (e && e->code == ERR_NO_KERNEL && symfiles_try_harder(a->symfiles))
		e = layout_find_kernel(a->image, &supply, &a->kernel);
	if (e)
		return no_kernel(a, e);
	TRY(symfiles_check(a->symfiles, a->kernel));
	tell(a, "%s: kernel %s, found in %lld ms", a->opts.image,
	     a->kernel->release ? a->kernel->release : "of unknown release",
	     (long long)(now_ms() - start_ms));
	return NULL;
}

struct err *analysis_find_kernel(struct analysis *a)
{
	struct err *e = find_kernel(a);

	if (a->opts.all_open)
		a->opts.all_open(a->opts.all_open_arg);
	return e;
}

static void tell_coverage(const struct analysis *a, const struct walk *w)
{
	for (unsigned t = 0; t < TABLE_COUNT; t++)
		if (w->cover[t].done && w->wanted[t])
			tell(a, "%s: %llu rows, %llu faults, %lld us%s%s", schema_tables[t].name,
			     (unsigned long long)w->cover[t].rows,
			     (unsigned long long)w->cover[t].faults,
			     w->cover[t].duration_ns < 0
				     ? 0LL
				     : (long long)w->cover[t].duration_ns / 1000,
			     w->cover[t].reason ? ": " : "",
			     w->cover[t].reason ? w->cover[t].reason : "");
	tell(a, "%llu of %llu pages of the image were read so far",
	     (unsigned long long)physmem_stats(a->image->mem).pages_touched,
	     (unsigned long long)w->ram_pages);
}

static void keep_verdict(struct analysis *a, const struct walk *w)
{
	if (!w->atomicity)
		return;
	(void)snprintf(a->atomicity, sizeof(a->atomicity), "%s", w->atomicity);
	(void)snprintf(a->atomicity_reason, sizeof(a->atomicity_reason), "%s", w->atomicity_reason);
}

void analysis_walk(struct analysis *a, const bool wanted[TABLE_COUNT], struct sink *sink)
{
	struct walk w;

	walk_init(&w, a->kernel, sink, wanted);
	w.progress = a->opts.progress;
	w.progress_arg = a->opts.progress_arg;
	walk_all(&w, extractors);
	a->damaged = a->damaged || w.damaged;
	keep_verdict(a, &w);
	if (a->opts.say)
		tell_coverage(a, &w);
	walk_fini(&w);
}

bool analysis_is_damaged(const struct analysis *a)
{
	return a->damaged || analysis_has_changed(a) ||
	       (a->image && (a->image->truncated || physmem_stats(a->image->mem).unreadable));
}

bool analysis_has_changed(const struct analysis *a)
{
	return changes_find(&a->seen) != NULL;
}

// --- what ran ---

#define CR0_PG (1U << 31) // paging

// In kernel mode GS is the per-CPU area; in user mode, and just after entry, swapgs has it. Without
// SMP there is none: of all CPUs the one that was started has paging on.
static bool cpu_of(const struct kernel *k, const struct vcpu *v, size_t *cpu)
{
	static const enum vcpu_reg bases[] = {VCPU_GS_BASE, VCPU_KERNEL_GS_BASE};

	*cpu = 0;
	if (k->uniprocessor)
		return v->has & 1U << VCPU_CR0 ? v->reg[VCPU_CR0] & CR0_PG : v->cpu == 0;
	for (size_t i = 0; i < 2; i++)
		for (*cpu = 0; *cpu < k->n_cpus; ++*cpu)
			if ((v->has & 1U << bases[i]) && v->reg[bases[i]] == k->percpu_offset[*cpu])
				return true;
	return false;
}

bool analysis_task_on(struct analysis *a, const struct vcpu *v, uint64_t *task_addr)
{
	struct kernel *k = a->kernel;
	uint64_t hot = k->symbol[S(pcpu_hot)], current = k->symbol[S(current_task)];
	bool is_x86_64 = k->arch == ARCH_X86_64;
	size_t cpu = v->cpu; // elsewhere nothing tells which one this is but the container's order

	if (is_x86_64 && !cpu_of(k, v, &cpu))
		return false;
	if (is_x86_64 && hot && k_has(k, F(pcpu_hot, current_task)))
		return k_get(k, k_percpu(k, hot, cpu), F(pcpu_hot, current_task), task_addr);
	if (is_x86_64 && current)
		return k_ptr(k, k_percpu(k, current, cpu), task_addr);
	return k_get(k, k_percpu(k, k->symbol[S(runqueues)], cpu), F(rq, curr), task_addr);
}

// --- provenance ---

// A path is the analyst's, and has no place in what is to be the same everywhere.
static const char *of_file(const struct analysis *a, struct arena *arena, const char *what,
			   const char *path)
{
	return arena_printf(arena, "%s of %s", what, a->opts.reproducible ? "a file" : path);
}

const char *analysis_file_types_source(const struct analysis *a, struct arena *arena)
{
	const struct profile *p = a->kernel ? a->kernel->profile : NULL;

	return p && p->btf ? of_file(a, arena, p->types_source, p->types_path) : NULL;
}

const char *analysis_types_source(const struct analysis *a, struct arena *arena)
{
	const struct kernel *k = a->kernel;

	if (!k || !k->btf)
		return NULL;
	if (k->btf == k->image_btf)
		return "BTF in the image";
	return analysis_file_types_source(a, arena);
}

const char *analysis_symbols_source(const struct analysis *a, struct arena *arena)
{
	const struct kernel *k = a->kernel;
	const char *image = NULL, *file = NULL;

	if (!k)
		return NULL;
	if (k->profile && k->profile->symbols)
		file = of_file(a, arena, k->profile->symbols_source, k->profile->symbols_path);
	if (k->kallsyms)
		image = k->data_deduced
				? "kallsyms in the image; it lists no data, which was deduced"
				: "kallsyms in the image";
	if (image && file)
		return arena_printf(arena, "%s; %s", image, file);
	if (image || file)
		return image ? image : file;
	return "deduced from the kernel's data (its image has no kallsyms)";
}

bool analysis_is_forced(const struct analysis *a)
{
	return a->kernel && a->symfiles && symfiles_forced(a->symfiles, a->kernel);
}
