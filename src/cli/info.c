// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan info IMAGE`: what the image is, without extracting anything.
#include "src/cli/calls.h"

#include "src/base/scope.h"
#include "src/analyse/analyse.h"
#include "src/cli/confine.h"
#include "src/cli/json_row.h"
#include "src/analyse/rows.h"
#include "src/cli/terminal.h"

#include <inttypes.h>
#include <stdlib.h>

// The call under way.
struct info {
	const struct options *opts;
	struct progress progress;
	struct analysis analysis;
};

// A sink that prints the rows of memory_ranges and vcpus, one way or the other.
struct printer {
	struct sink sink; // first: emit() casts back
	const struct analysis *analysis;
	struct paint paint;
	struct json json;
};

static void label(const struct printer *p, const char *name)
{
	(void)printf("%s%-11s%s", p->paint.label, name, p->paint.off);
}

static void line(const struct printer *p, const char *name, const char *value)
{
	if (!value)
		return;
	label(p, name);
	print_escaped(stdout, value);
	(void)putchar('\n');
}

// --- text ---

static void print_range(const struct row_memory_ranges *r)
{
	char size[SIZE_TEXT];

	(void)printf("  0x%016" PRIx64 "-0x%016" PRIx64 " %-8s%s\n", r->start_pa.v, r->end_pa.v,
		     r->state.p, size_text(size, r->end_pa.v - r->start_pa.v));
}

static void print_reg(const char *name, struct opt_addr v)
{
	if (v.set)
		(void)printf(" %s=0x%" PRIx64, name, v.v);
}

static void print_vcpu(const struct row_vcpus *r)
{
	(void)printf("  CPU %" PRId64 ":", r->cpu.v);
	print_reg("rip", r->rip);
	print_reg("cs", r->cs);
	print_reg("rsp", r->rsp);
	print_reg("cr3", r->cr3);
	print_reg("task", r->task_addr);
	(void)putchar('\n');
}

static void text_emit(struct sink *sink, enum table_id table, const void *row)
{
	(void)sink;
	if (table == TABLE_memory_ranges)
		print_range(row);
	else
		print_vcpu(row);
}

static void print_file(const struct printer *p)
{
	const struct image *img = p->analysis->image;
	char size[SIZE_TEXT];

	line(p, "Image", p->analysis->opts.image);
	line(p, "Format", img->fmt->name);
	line(p, "Because", img->why);
	line(p, "Unpacked", img->compression);
	line(p, "Damage", img->truncated_why);
	for (const struct image_fact *f = img->facts; f; f = f->next)
		line(p, f->name, f->value);
	label(p, "Memory");
	(void)printf("up to 0x%" PRIx64 " (%s)\n", physmem_end(img->mem),
		     size_text(size, physmem_end(img->mem)));
}

static void print_kernel(const struct printer *p)
{
	const struct kernel *k = p->analysis->kernel;

	if (!k)
		return;
	line(p, "Kernel", k->release ? k->release : "of unknown release");
	line(p, "Banner", k->banner);
	line(p, "Build id", k->build_id);
	label(p, "Placed");
	(void)printf("KASLR offset 0x%" PRIx64 ", virtual minus physical address 0x%" PRIx64 "\n",
		     k->kaslr_offset, k->image_offset);
	_cleanup_(arena_fini) struct arena arena = {0};
	const char *types = analysis_types_source(p->analysis, &arena);
	const char *symbols = analysis_symbols_source(p->analysis, &arena);
	line(p, "Types", types ? types : "none");
	line(p, "Symbols", symbols ? symbols : "none");
}

static void print_text(struct analysis *a, enum color_when color)
{
	struct printer p = {
		.sink.emit = text_emit, .analysis = a, .paint = paint_for(color, stdout)};

	print_file(&p);
	rows_memory_ranges(a, &p.sink);
	line(&p, "Layout", a->image->layout_note);
	label(&p, "vCPUs");
	(void)printf("%zu with registers\n", a->image->n_vcpus);
	rows_vcpus(a, &p.sink);
	print_kernel(&p);
}

// --- JSON: each row an object of its table's columns ---

static void json_emit(struct sink *sink, enum table_id table, const void *row)
{
	struct printer *p = (struct printer *)sink;

	json_table_row(&p->json, NULL, &schema_tables[table], row);
}

static void json_kernel(struct json *j, const struct analysis *a)
{
	const struct kernel *k = a->kernel;

	json_open(j, "kernel", '{');
	json_text(j, "release", k->release);
	json_text(j, "banner", k->banner);
	json_text(j, "build_id", k->build_id);
	json_hex(j, "kaslr_offset", k->kaslr_offset);
	json_text(j, "arch", arch_name(k->arch));
	if (k->arch == ARCH_X86_64)
		json_hex(j, "phys_base", KERNEL_IMAGE_BASE - k->image_offset);
	json_hex(j, "image_offset", k->image_offset);
	_cleanup_(arena_fini) struct arena arena = {0};
	json_text(j, "types_source", analysis_types_source(a, &arena));
	json_text(j, "symbols_source", analysis_symbols_source(a, &arena));
	json_close(j, '}');
}

static void json_file(struct json *j, const struct analysis *a)
{
	const struct image *img = a->image;

	json_text(j, "image", a->opts.image);
	json_text(j, "format", img->fmt->name);
	json_text(j, "format_reason", img->why);
	json_text(j, "compression", img->compression);
	json_bool(j, "truncated", img->truncated);
	json_text(j, "truncated_reason", img->truncated_why);
	json_text(j, "layout", img->layout_note);
	json_open(j, "facts", '[');
	for (const struct image_fact *f = img->facts; f; f = f->next) {
		json_open(j, NULL, '{');
		json_text(j, "name", f->name);
		json_text(j, "value", f->value);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void print_json(struct analysis *a)
{
	struct printer p = {.sink.emit = json_emit, .analysis = a};
	struct json *j = &p.json;

	json_init(j, stdout);
	json_open(j, NULL, '{');
	json_file(j, a);
	json_open(j, "memory_ranges", '[');
	rows_memory_ranges(a, &p.sink);
	json_close(j, ']');
	json_open(j, "vcpus", '[');
	rows_vcpus(a, &p.sink);
	json_close(j, ']');
	if (a->kernel)
		json_kernel(j, a);
	else
		json_text(j, "kernel", NULL);
	json_close(j, '}');
	json_fini(j);
}

static void print_info(struct info *i)
{
	progress_clear(&i->progress);
	if (i->opts->json)
		print_json(&i->analysis);
	else
		print_text(&i->analysis, i->opts->color);
}

// The call under way, for the handler that has no argument.
static struct info *active;

// --max-memory, or the machine's: what is known so far is printed. Does not return.
static void out_of_memory(size_t asked)
{
	struct info *i = active;

	if (!i)
		return; // a second time: mem.c gives up
	active = NULL;
	if (i->analysis.image)
		print_info(i);
	say("%s: the memory limit was reached (%zu bytes more were needed): raise --max-memory",
	    i->opts->image, asked);
	exit(EXIT_PARTIAL);
}

static void begin(struct info *i, const struct options *o)
{
	i->opts = o;
	progress_init(&i->progress, !o->quiet && !o->no_progress);
	const struct analysis_options options = options_of_analysis(o, &i->progress);
	analysis_init(&i->analysis, &options);
	active = i;
	mem_on_exhausted(out_of_memory);
	if (o->max_memory)
		mem_set_limit(o->max_memory);
}

static void end(struct info *i)
{
	active = NULL;
	mem_on_exhausted(NULL);
	progress_clear(&i->progress);
	analysis_fini(&i->analysis);
}

// The container is worth printing also where no kernel is found in it.
struct err *call_info(const struct options *o, enum exit_status *status)
{
	struct info i;

	begin(&i, o);
	confine_to_image(o);
	struct err *e = analysis_open(&i.analysis);
	bool opened = !e;
	if (opened)
		e = analysis_find_kernel(&i.analysis);
	struct err kept = e ? *e : (struct err){0}; // printing may put another one in its place
	confine_to_open_files(o);
	if (opened)
		print_info(&i);
	*status = opened && (i.analysis.image->truncated || analysis_has_changed(&i.analysis))
			  ? EXIT_PARTIAL
			  : EXIT_ANALYSED;
	end(&i);
	return e ? err_new(kept.code, "%s", kept.msg) : NULL;
}
