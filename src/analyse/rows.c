// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows out of the container's own words.
#include "src/analyse/rows.h"

#include "src/base/scope.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int64_t wall_clock_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

const char *outcome_words(const struct analysis *a, const struct outcome *o)
{
	if (o->limit_bytes)
		return "the memory limit was reached";
	if (analysis_has_changed(a))
		return "it was written to while it was read";
	if (a->image && a->image->truncated_why)
		return a->image->truncated_why;
	return "not all of it could be read";
}

// --- evidence ---

static void add_file(struct row_evidence *row, const char *path,
		     const struct analysis_options *opts)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return;
	row->size = some_int(st.st_size);
	if (opts->reproducible)
		return;
	row->path = some_text(path);
	row->mtime_ns = some_int((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
}

// The other file of a snapshot that is two.
static void emit_beside(const struct analysis *a, const struct outcome *o, struct sink *sink)
{
	const struct image *img = a->image;
	struct row_evidence row = {.role = some_text(img->beside_role),
				   .format = some_text(img->fmt->name),
				   .sha256 = some_text(o->beside_sha256)};

	add_file(&row, img->beside->path, &a->opts);
	sink->emit(sink, TABLE_evidence, &row);
}

static void emit_parts(const struct analysis *a, const struct outcome *o, struct sink *sink)
{
	for (size_t i = 0; i < a->opts.n_parts; i++) {
		const char *hash = i < o->part_sha256.n ? o->part_sha256.at[i] : NULL;
		struct row_evidence row = {.role = some_text("part"), .sha256 = some_text(hash)};
		add_file(&row, a->opts.parts[i], &a->opts);
		sink->emit(sink, TABLE_evidence, &row);
	}
}

// Files of symbols that the analyst gave.
static void emit_symfile(const struct analysis *a, const char *role, const char *path,
			 struct sink *sink)
{
	struct row_evidence row = {.role = some_text(role)};

	if (!path)
		return;
	add_file(&row, path, &a->opts);
	sink->emit(sink, TABLE_evidence, &row);
}

void rows_evidence(const struct analysis *a, const struct outcome *o, struct sink *sink)
{
	const struct image *img = a->image;
	struct row_evidence row = {.role = some_text("image"), .sha256 = some_text(o->sha256)};

	add_file(&row, a->opts.image, &a->opts);
	if (img) {
		row.format = some_text(img->fmt->name);
		row.format_reason = some_text(img->why);
		row.compression = some_text(img->compression);
		row.truncated = some_int(img->truncated);
		row.truncated_reason = some_text(img->truncated_why);
	}
	sink->emit(sink, TABLE_evidence, &row);
	if (img && img->beside)
		emit_beside(a, o, sink);
	emit_parts(a, o, sink);
	emit_symfile(a, "symbols", a->opts.symbols.vmlinux, sink);
	emit_symfile(a, "symbols", a->opts.symbols.system_map, sink);
}

// --- memory_ranges ---

static void emit_range(struct sink *sink, uint64_t start, uint64_t end, enum mem_state state)
{
	static const char *const names[] = {
		[MEM_PRESENT] = "present", [MEM_ZERO] = "zero", [MEM_ABSENT] = "absent"};
	struct row_memory_ranges row = {some_addr(start), some_addr(end), some_text(names[state])};

	if (start < end)
		sink->emit(sink, TABLE_memory_ranges, &row);
}

void rows_memory_ranges(const struct analysis *a, struct sink *sink)
{
	uint64_t start = 0, end = 0;
	enum mem_state state = MEM_ABSENT;
	size_t n;

	if (!a->image)
		return;
	const struct mem_run *runs = physmem_runs(a->image->mem, &n);
	for (size_t i = 0; i < n; i++) {
		if (runs[i].pa != end || runs[i].state != state) {
			emit_range(sink, start, end, state);
			emit_range(sink, end, runs[i].pa, MEM_ABSENT);
			start = runs[i].pa;
			state = runs[i].state;
		}
		end = runs[i].pa + runs[i].size;
	}
	emit_range(sink, start, end, state);
}

// --- vcpus ---

static struct opt_addr reg(const struct vcpu *v, enum vcpu_reg r)
{
	return v->has & 1U << r ? some_addr(v->reg[r]) : (struct opt_addr){0};
}

void rows_vcpus(struct analysis *a, struct sink *sink)
{
	for (size_t i = 0; a->image && i < a->image->n_vcpus; i++) {
		const struct vcpu *v = &a->image->vcpus[i];
		struct row_vcpus row = {
			.cpu = some_int(v->cpu),
			.cr0 = reg(v, VCPU_CR0),
			.cr2 = reg(v, VCPU_CR2),
			.cr3 = reg(v, VCPU_CR3),
			.cr4 = reg(v, VCPU_CR4),
			.rip = reg(v, VCPU_RIP),
			.rsp = reg(v, VCPU_RSP),
			.rflags = reg(v, VCPU_RFLAGS),
			.cs = reg(v, VCPU_CS),
			.gs_base = reg(v, VCPU_GS_BASE),
			.kernel_gs_base = reg(v, VCPU_KERNEL_GS_BASE),
			.fs_base = reg(v, VCPU_FS_BASE),
			.idt_base = reg(v, VCPU_IDT_BASE),
			.gdt_base = reg(v, VCPU_GDT_BASE),
			.efer = reg(v, VCPU_EFER),
			.lstar = reg(v, VCPU_LSTAR),
		};
		uint64_t task;
		if (a->kernel && analysis_task_on(a, v, &task))
			row.task_addr = some_addr(task);
		sink->emit(sink, TABLE_vcpus, &row);
	}
}

// --- problems ---

static void emit_problem(struct sink *sink, const char *severity, const char *table,
			 const char *message)
{
	struct row_problems row = {.severity = some_text(severity),
				   .table_name = some_text(table),
				   .message = some_text(message)};

	sink->emit(sink, TABLE_problems, &row);
}

void rows_problems(const struct analysis *a, struct outcome *o, struct sink *sink)
{
	uint64_t unreadable = a->image ? physmem_stats(a->image->mem).unreadable : 0;
	char message[256];

	o->partial = o->partial || o->limit_bytes || analysis_is_damaged(a);
	if (a->image && a->image->truncated)
		emit_problem(sink, "error", schema_tables[TABLE_memory_ranges].name,
			     a->image->truncated_why);
	if (analysis_has_changed(a))
		emit_problem(sink, "error", NULL,
			     "a file of the image was written to while it was read: what is here "
			     "may be of different contents");
	if (unreadable) {
		(void)snprintf(message, sizeof(message),
			       "%llu pages that the container promises could not be read",
			       (unsigned long long)unreadable);
		emit_problem(sink, "error", NULL, message);
	}
	if (a->symfiles && symfiles_trouble(a->symfiles))
		emit_problem(sink, "warning", NULL, symfiles_trouble(a->symfiles));
	if (o->limit_bytes) {
		(void)snprintf(message, sizeof(message),
			       "%zu bytes more were needed than %s gives; what was read until then "
			       "is here",
			       o->limit_bytes,
			       a->opts.max_memory ? "--max-memory" : "this machine");
		emit_problem(sink, "error", NULL, message);
	}
}

// --- run ---

static void add_memory_use(struct row_run *row, const struct image *img)
{
	struct physmem_stats stats = physmem_stats(img->mem);

	row->layout = some_text(img->layout_note);
	row->pages_touched = some_int((int64_t)stats.pages_touched);
	row->unreadable_pages = some_int((int64_t)stats.unreadable);
}

void rows_run(const struct analysis *a, const struct outcome *o, struct sink *sink)
{
	_cleanup_(arena_fini) struct arena arena = {0};
	struct row_run row = {
		.tool_version = some_text(VMISCAN_VERSION),
		.schema_version = some_int(SCHEMA_VERSION),
		.status = some_text(o->limit_bytes ? "limit"
				    : o->partial   ? "partial"
						   : "complete"),
		.exit_status = some_int(o->partial),
		.types_source = some_text(analysis_types_source(a, &arena)),
		.symbols_source = some_text(analysis_symbols_source(a, &arena)),
		.symbols_forced = some_int(analysis_is_forced(a)),
		.kernel_release = some_text(a->kernel ? a->kernel->release : NULL),
	};

	if (a->atomicity[0]) {
		row.atomicity = some_text(a->atomicity);
		row.atomicity_reason = some_text(a->atomicity_reason);
	}
	if (!a->opts.reproducible) {
		row.argv = some_text(o->argv);
		row.start_ns = some_int(o->start_ns);
		row.end_ns = some_int(wall_clock_ns());
	}
	if (a->image)
		add_memory_use(&row, a->image);
	sink->emit(sink, TABLE_run, &row);
}

// --- coverage ---

static const char *why_incomplete(const struct analysis *a, const struct outcome *o,
				  const struct tally *t, enum table_id id)
{
	const struct image *img = a->image;

	if (!t->wanted[id])
		return "not asked for";
	if (id == TABLE_evidence || id == TABLE_run || id == TABLE_coverage || id == TABLE_problems)
		return NULL;
	if (o->limit_bytes)
		return "out of memory";
	if (id == TABLE_memory_ranges)
		return img->truncated ? img->truncated_why : NULL;
	if (id == TABLE_type_fields)
		return a->kernel ? NULL : "no kernel was found";
	if (id == TABLE_vcpus)
		return img->n_vcpus ? NULL : "the container has no state of CPUs";
	return "this version extracts nothing for it";
}

static const char *status_of(const struct tally *t, enum table_id id, const char *reason)
{
	if (!t->wanted[id])
		return "skipped";
	if (!reason)
		return "complete";
	return t->rows[id] ? "partial" : "unavailable";
}

void rows_coverage(const struct analysis *a, const struct outcome *o, struct tally *t)
{
	for (unsigned i = 0; i < TABLE_COUNT; i++) {
		enum table_id id = (enum table_id)i;
		if (t->covered[id])
			continue;
		const char *reason = why_incomplete(a, o, t, id);
		uint64_t rows = id == TABLE_coverage ? TABLE_COUNT : t->rows[id];
		struct row_coverage row = {
			.table_name = some_text(schema_tables[id].name),
			.status = some_text(status_of(t, id, reason)),
			.reason = some_text(reason),
			.rows = some_int((int64_t)rows),
			.faults = some_int(0),
		};
		t->sink.emit(&t->sink, TABLE_coverage, &row);
	}
}
