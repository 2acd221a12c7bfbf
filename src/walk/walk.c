// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the extractors, counts their rows and keeps the account of what is missing.
#include "src/walk/walk.h"

#include "src/walk/tasks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MIN_MAX_ROWS = 1 << 22, MAX_PROBLEMS = 1 << 16 };

static uint64_t count_pages(const struct physmem *mem)
{
	size_t n;
	const struct mem_run *runs = physmem_runs(mem, &n);
	uint64_t pages = 0;

	for (size_t i = 0; i < n; i++)
		pages += runs[i].size / PAGE_SIZE;
	return pages;
}

void walk_init(struct walk *w, struct kernel *k, struct sink *sink, const bool *wanted)
{
	*w = (struct walk){
		.k = k, .sink = sink, .wanted = wanted, .ram_pages = count_pages(k->mem)};
	w->max_rows = MIN_MAX_ROWS + 2 * w->ram_pages;
}

void walk_fini(struct walk *w)
{
	tasks_free(w->tasks);
	arena_fini(&w->run);
	arena_fini(&w->row);
}

void walk_emit_keeping(struct walk *w, enum table_id table, const void *row)
{
	if (w->wanted[table] && !walk_is_full(w, table)) {
		w->cover[table].rows++;
		w->sink->emit(w->sink, table, row);
		if (walk_is_full(w, table))
			walk_problem(w, ERROR, table, 0, 0,
				     "more rows than can be true; the rest is left out");
	}
}

void walk_emit(struct walk *w, enum table_id table, const void *row)
{
	walk_emit_keeping(w, table, row);
	arena_reset(&w->row);
}

// --- what went wrong ---

static const char *severity_text(enum severity s)
{
	return s == ERROR ? "error" : s == WARNING ? "warning" : "note";
}

static void make_partial(struct walk *w, enum table_id table, const char *why)
{
	w->cover[table].partial = true;
	w->damaged = true;
	if (!w->cover[table].reason)
		w->cover[table].reason = arena_strndup(&w->run, why, strlen(why));
}

void walk_problem(struct walk *w, enum severity severity, enum table_id table, uint64_t task,
		  uint64_t addr, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	struct row_problems row = {
		.severity = some_text(severity_text(severity)),
		.table_name = some_text(schema_tables[table].name),
		.task_addr = col_ptr(task),
		.addr = col_ptr(addr),
		.message = some_text(message),
	};
	if (severity != NOTE)
		make_partial(w, table, message);
	if (w->cover[table].problems++ >= MAX_PROBLEMS)
		return;
	if (w->wanted[TABLE_problems])
		w->sink->emit(w->sink, TABLE_problems,
			      &row); // not walk_emit: the row arena is in use
	w->cover[TABLE_problems].rows++;
}

void walk_unavailable(struct walk *w, enum table_id table, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	w->cover[table].unavailable = true;
	if (!w->cover[table].reason)
		w->cover[table].reason = arena_strndup(&w->run, why, strlen(why));
}

void walk_check_end(struct walk *w, enum table_id table, uint64_t task, uint64_t addr,
		    enum iter_end end, const char *what)
{
	if (end != ITER_END)
		walk_problem(w, ERROR, table, task, addr, "%s: %s", what, iter_end_text(end));
}

void walk_check_list(struct walk *w, enum table_id table, uint64_t task, const struct list_iter *it,
		     const char *what)
{
	if (it->end != ITER_END)
		walk_check_end(w, table, task, it->at, it->end, what);
	else if (it->bad_back)
		walk_problem(w, WARNING, table, task, it->bad_back,
			     "%s: an entry's link back does not lead to the one before it", what);
}

// --- columns ---

struct opt_int col_int(struct walk *w, uint64_t base, enum field f)
{
	uint64_t v;

	return k_get(w->k, base, f, &v) ? some_int((int64_t)v) : (struct opt_int){0};
}

struct opt_addr col_ptr(uint64_t va)
{
	return va ? some_addr(va) : (struct opt_addr){0};
}

struct opt_addr col_addr(struct walk *w, uint64_t base, enum field f)
{
	return col_ptr(k_or0(w->k, base, f));
}

struct opt_text col_text(struct walk *w, uint64_t base, enum field f)
{
	return some_text(k_text(w->k, &w->row, base, f));
}

struct opt_text col_string(struct walk *w, uint64_t base, enum field f, size_t max)
{
	uint64_t va = k_or0(w->k, base, f);

	return some_text(va ? k_string(w->k, &w->row, va, max) : NULL);
}

struct opt_text row_printf(struct walk *w, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return some_text(arena_strndup(&w->row, text, strlen(text)));
}

// --- running ---

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_wanted(const struct walk *w, const struct extractor *e)
{
	for (size_t i = 0; i < e->n_tables; i++)
		if (w->wanted[e->tables[i]])
			return true;
	return e->n_tables == 0; // it prepares what others need
}

// The first needed field that this kernel does not have, or NULL.
static const char *missing_need(const struct walk *w, const struct extractor *e)
{
	for (size_t i = 0; i < e->n_needs; i++)
		if (!k_has(w->k, e->needs[i]))
			return field_name(e->needs[i]);
	return NULL;
}

static void run_extractor(struct walk *w, const struct extractor *e)
{
	const char *missing = missing_need(w, e);
	int64_t start = now_ns();

	(void)kernel_faults_take(w->k);
	if (!missing)
		e->run(w);
	arena_reset(&w->row);
	struct kernel_faults faults = kernel_faults_take(w->k);
	for (size_t i = 0; i < e->n_tables; i++) {
		enum table_id t = e->tables[i];
		if (missing)
			walk_unavailable(w, t, "the kernel's types have no %s", missing);
		w->cover[t].done = true;
		w->cover[t].faults += i == 0 ? faults.count : 0;
		w->cover[t].duration_ns = i == 0 ? now_ns() - start : -1;
	}
	// in a whole image every pointer of the kernel leads somewhere: columns are missing
	for (size_t i = 0; i < e->n_tables && faults.count; i++)
		walk_problem(w, WARNING, e->tables[i], 0, faults.first_va,
			     "%" PRIu64 " reads of kernel memory found nothing, the first: %s",
			     faults.count, as_fault_text(faults.first_why));
}

static const char *status_text(const struct walk *w, enum table_id t)
{
	if (!w->wanted[t])
		return "skipped";
	if (w->cover[t].unavailable)
		return w->cover[t].rows ? "partial" : "unavailable";
	return w->cover[t].partial ? "partial" : "complete";
}

static void emit_coverage(struct walk *w, enum table_id t)
{
	int64_t ns = w->cover[t].duration_ns;
	struct row_coverage row = {
		.table_name = some_text(schema_tables[t].name),
		.status = some_text(status_text(w, t)),
		.reason = some_text(w->wanted[t] ? w->cover[t].reason : "not asked for"),
		.rows = some_int((int64_t)w->cover[t].rows),
		.faults = some_int((int64_t)w->cover[t].faults),
	};
	if (w->cover[t].done && ns >= 0)
		row.duration_ms = some_int(ns / 1000000);
	w->sink->emit(w->sink, TABLE_coverage, &row);
}

static void check_cpus(struct walk *w)
{
	uint64_t areas = w->k->symbol[S(__per_cpu_offset)];

	if (areas && w->k->n_cpus == 0)
		walk_problem(
			w, ERROR, TABLE_cpu_info, 0, areas,
			"the number of CPUs can't be true: what is kept for each CPU is missing");
}

void walk_all(struct walk *w, const struct extractor *const *extractors)
{
	check_cpus(w);
	for (const struct extractor *const *e = extractors; *e && !w->sink->failed; e++)
		if (is_wanted(w, *e))
			run_extractor(w, *e);
	for (const struct extractor *const *e = extractors; *e; e++)
		for (size_t i = 0; i < (*e)->n_tables && w->wanted[TABLE_coverage]; i++)
			emit_coverage(w, (*e)->tables[i]);
}
