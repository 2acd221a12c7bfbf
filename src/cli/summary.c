// SPDX-License-Identifier: LGPL-2.1-or-later
// Numbers out of the tally, names escaped.
#include "src/cli/summary.h"

#include "src/cli/json.h"
#include "src/cli/terminal.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

// One line of the screen under way.
struct line {
	FILE *out;
	struct paint paint;
};

static void label(const struct line *l, const char *name)
{
	(void)fprintf(l->out, "%s%-11s%s", l->paint.label, name, l->paint.off);
}

static void words(const struct line *l, const char *before, const char *s)
{
	if (!s || !*s)
		return;
	(void)fputs(before, l->out);
	print_escaped(l->out, s);
}

// "3 threads", "1 thread"
static void count(const struct line *l, const char *before, uint64_t n, const char *noun,
		  const char *plural)
{
	(void)fprintf(l->out, "%s%" PRIu64 " %s%s", before, n, noun, n == 1 ? "" : plural);
}

static void end(const struct line *l)
{
	(void)fputc('\n', l->out);
}

static void image_line(const struct line *l, const struct analysis *a)
{
	char size[SIZE_TEXT];
	uint64_t present = 0;
	size_t n;

	label(l, "Image");
	words(l, "", a->opts.image);
	if (a->image) {
		const struct mem_run *runs = physmem_runs(a->image->mem, &n);
		for (size_t i = 0; i < n; i++)
			present += runs[i].size;
		words(l, ": ", a->image->fmt->name);
		words(l, ", ", a->image->compression);
		(void)fprintf(l->out, ", %s of memory", size_text(size, present));
	}
	end(l);
}

static void uptime(const struct line *l, int64_t seconds)
{
	if (seconds >= 0)
		(void)fprintf(l->out, ", up %" PRId64 "d %02d:%02d:%02d", seconds / 86400,
			      (int)(seconds / 3600 % 24), (int)(seconds / 60 % 60),
			      (int)(seconds % 60));
}

static void system_lines(const struct line *l, const struct tally *t, const struct kernel *k)
{
	label(l, "Kernel");
	words(l, "", *t->release ? t->release : k && k->release ? k->release : "(unknown)");
	words(l, " ", t->arch);
	words(l, ", ", t->os_name);
	end(l);
	label(l, "Host");
	words(l, "", *t->hostname ? t->hostname : "(unknown)");
	words(l, ", clock ", t->clock);
	uptime(l, t->uptime);
	end(l);
	if (t->cpus > 0 || *t->cpu) {
		label(l, "CPU");
		words(l, "", t->cpu);
		if (t->cpus > 0)
			count(l, *t->cpu ? ", " : "", (uint64_t)t->cpus, "CPU", "s");
		end(l);
	}
}

static void process_lines(const struct line *l, const struct tally *t)
{
	label(l, "Processes");
	(void)fprintf(l->out, "%" PRIu64 " (", t->rows[TABLE_processes] - t->outside_processes);
	count(l, "", t->kthreads, "kernel thread", "s");
	(void)fputc(')', l->out);
	count(l, ", ", t->rows[TABLE_threads] - t->outside_threads, "thread", "s");
	for (size_t i = LIVE + 1; i < LIFECYCLE_COUNT; i++)
		if (t->lifecycle[i])
			(void)fprintf(l->out, ", %" PRIu64 " %s", t->lifecycle[i],
				      lifecycle_names[i]);
	end(l);
	label(l, "Memory");
	count(l, "", t->rows[TABLE_process_memory_map], "mapping", "s");
	count(l, ", ", t->rows[TABLE_process_page_map], "page run", "s");
	end(l);
}

static void object_lines(const struct line *l, const struct tally *t)
{
	label(l, "Files");
	count(l, "", t->rows[TABLE_process_open_files], "open descriptor", "s");
	count(l, ", ", t->rows[TABLE_mounts], "mount", "s");
	end(l);
	label(l, "Network");
	count(l, "", t->rows[TABLE_interface_details], "interface", "s");
	count(l, ", ", t->rows[TABLE_interface_addresses], "address", "es");
	count(l, ", ", t->rows[TABLE_sockets], "socket", "s");
	(void)fprintf(l->out, " (TCP: %" PRIu64 " listening, %" PRIu64 " established)",
		      t->listening, t->established);
	end(l);
	label(l, "Modules");
	(void)fprintf(l->out, "%" PRIu64, t->rows[TABLE_kernel_modules]);
	end(l);
}

static void finding_lines(const struct line *l, const struct analysis *a, const struct tally *t)
{
	label(l, "Findings");
	(void)fprintf(l->out, "%" PRIu64 " intrinsic, %" PRIu64 " extrinsic inconsistencies",
		      t->intrinsic, t->extrinsic);
	if (a->atomicity[0])
		(void)fprintf(l->out, "; %s", a->atomicity);
	end(l);
	label(l, "Problems");
	bool none = !t->errors && !t->warnings && !t->partial && !t->unavailable;
	(void)fputs(none ? l->paint.good : l->paint.bad, l->out);
	count(l, "", t->errors, "error", "s");
	count(l, ", ", t->warnings, "warning", "s");
	count(l, ", ", t->partial, "table", "s");
	count(l, " partial, ", t->unavailable, "table", "s");
	(void)fprintf(l->out, " unavailable%s", l->paint.off);
	end(l);
}

static void damage_line(const struct line *l, const struct analysis *a, const struct outcome *o)
{
	if (!o->partial)
		return;
	label(l, "Damage");
	(void)fputs(l->paint.bad, l->out);
	words(l, "", outcome_words(a, o));
	(void)fputs(l->paint.off, l->out);
	end(l);
}

static void database_line(const struct line *l, const struct summary *s)
{
	struct stat st;
	char size[SIZE_TEXT];

	label(l, "Database");
	words(l, "", s->opts->output);
	if (stat(s->opts->output, &st) == 0)
		(void)fprintf(l->out, ", %s", size_text(size, (uint64_t)st.st_size));
	(void)fprintf(l->out, ", in %" PRId64 " ms", s->duration_ns / 1000000);
	end(l);
}

void summary_text(const struct summary *s, FILE *out)
{
	const struct line l = {out, paint_for(s->opts->color, out)};

	image_line(&l, s->analysis);
	system_lines(&l, s->tally, s->analysis->kernel);
	process_lines(&l, s->tally);
	object_lines(&l, s->tally);
	finding_lines(&l, s->analysis, s->tally);
	damage_line(&l, s->analysis, s->outcome);
	database_line(&l, s);
}

// --- JSON ---

static const char *known(const char *s)
{
	return *s ? s : NULL;
}

static void json_system(struct json *j, const struct tally *t)
{
	json_text(j, "hostname", known(t->hostname));
	json_text(j, "kernel", known(t->release));
	json_text(j, "arch", known(t->arch));
	json_text(j, "os", known(t->os_name));
	json_text(j, "clock", known(t->clock));
}

static void json_counts(struct json *j, const struct tally *t)
{
	json_open(j, "tables", '{');
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		json_int(j, schema_tables[id].name, (int64_t)t->rows[id]);
	json_close(j, '}');
	json_open(j, "lifecycle", '{');
	for (size_t i = 0; i < LIFECYCLE_COUNT; i++)
		json_int(j, lifecycle_names[i], (int64_t)t->lifecycle[i]);
	json_close(j, '}');
	json_open(j, "inconsistencies", '{');
	json_int(j, "intrinsic", (int64_t)t->intrinsic);
	json_int(j, "extrinsic", (int64_t)t->extrinsic);
	json_close(j, '}');
	json_open(j, "problems", '{');
	json_int(j, "errors", (int64_t)t->errors);
	json_int(j, "warnings", (int64_t)t->warnings);
	json_int(j, "tables_partial", (int64_t)t->partial);
	json_int(j, "tables_unavailable", (int64_t)t->unavailable);
	json_close(j, '}');
}

void summary_json(const struct summary *s, FILE *out)
{
	const struct analysis *a = s->analysis;
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_text(&j, "image", a->opts.image);
	json_text(&j, "database", s->opts->output);
	json_int(&j, "exit_status", s->outcome->partial);
	json_text(&j, "format", a->image ? a->image->fmt->name : NULL);
	json_text(&j, "compression", a->image ? a->image->compression : NULL);
	json_text(&j, "damage", a->image ? a->image->truncated_why : NULL);
	json_system(&j, s->tally);
	json_counts(&j, s->tally);
	json_text(&j, "atomicity", known(a->atomicity));
	json_int(&j, "duration_ms", s->duration_ns / 1000000);
	json_close(&j, '}');
	json_fini(&j);
}
