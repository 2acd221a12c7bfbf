// SPDX-License-Identifier: LGPL-2.1-or-later
// The first screen's HTML.
#include "src/report/first_screen.h"

#include "src/base/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// Of tables that have one row.
static struct opt_text first_text(const struct data *d, enum table_id table, const char *column)
{
	struct opt_text t = data_text(d, table, 0, column);

	return t.n > 0 ? t : (struct opt_text){0};
}

static int64_t first_int(const struct data *d, enum table_id table, const char *column)
{
	return data_int(d, table, 0, column);
}

static void put_text(page_text *out, struct opt_text t)
{
	put_html(out, t.p, t.n);
}

static void put_known(page_text *out, const char *before, struct opt_text t)
{
	if (!t.p)
		return;
	put(out, before);
	put_text(out, t);
}

static void put_text_or(page_text *out, struct opt_text t, const char *otherwise)
{
	put_text(out, t.p ? t : some_text(otherwise));
}

static void put_number(page_text *out, uint64_t n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	put(out, text);
}

// --- who it is ---

static void put_host(page_text *out, const struct data *d)
{
	struct opt_text host = first_text(d, TABLE_system_info, "hostname");
	struct opt_text os = first_text(d, TABLE_os_version, "name");
	struct opt_text release = first_text(d, TABLE_run, "kernel_release");

	put(out, "<div class=\"who\">\n<p class=\"eyebrow\">Memory of</p>\n<h1><bdi>");
	put_text_or(out, host, "(unknown host)");
	put(out, "</bdi></h1>\n<p class=\"sub\">");
	put_text_or(out, os, "Linux");
	put_known(out, " ", first_text(d, TABLE_os_version, "version"));
	put(out, "</p>\n<p class=\"sub mono\">");
	put_text_or(out, release, "(unknown kernel)");
	put_known(out, " ", first_text(d, TABLE_system_info, "machine"));
	put(out, "</p>\n</div>\n");
}

// --- the verdict ---

static const struct verdict {
	const char *word, *kind, *meaning;
} verdicts[] = {
	{"atomic-compatible", "good", "Nothing says that it was read at more than one instant."},
	{"locally torn", "fair",
	 "A few places were read at another instant than the rest: what joins them may not fit."},
	{"torn", "bad",
	 "The guest ran while it was read: what joins tables may be of different instants."},
	{"undecidable", "none", "Too little could be checked to say when it was read."},
	{NULL, "none", "Whether it was read at one instant was not checked."},
};

static bool is(struct opt_text t, const char *word)
{
	return t.p && t.n == strlen(word) && memcmp(t.p, word, t.n) == 0;
}

static const struct verdict *verdict_of(struct opt_text word)
{
	const struct verdict *v = verdicts;

	while (v->word && !is(word, v->word))
		v++;
	return v;
}

static void put_verdict(page_text *out, const struct data *d)
{
	const struct verdict *v = verdict_of(first_text(d, TABLE_run, "atomicity"));

	put(out, "<section class=\"verdict ");
	put(out, v->kind);
	put(out, "\" aria-label=\"Verdict\">\n<p class=\"eyebrow\">Verdict</p>\n<h2>");
	put(out, v->word ? v->word : "not checked");
	put(out, "</h2>\n<p>");
	put(out, v->meaning);
	put(out, "</p>\n");
	struct opt_text reason = first_text(d, TABLE_run, "atomicity_reason");
	if (reason.p) {
		put(out, "<p class=\"reason\">");
		put_text(out, reason);
		put(out, "</p>\n");
	}
	put(out, "</section>\n");
}

// --- counts ---

static void put_count(page_text *out, const char *view, uint64_t n, const char *noun,
		      const char *plural)
{
	put(out, "<li><a href=\"#");
	put(out, view);
	put(out, "\"><b>");
	put_number(out, n);
	put(out, "</b> <span>");
	put(out, noun);
	put(out, n == 1 ? "" : plural);
	put(out, "</span></a></li>\n");
}

static void put_tables(page_text *out, const struct data *d)
{
	put_count(out, "processes", d->rows[TABLE_threads], "thread", "s");
	put_count(out, "processes", d->rows[TABLE_process_open_files], "open file", "s");
	put_count(out, "processes", d->rows[TABLE_process_memory_map], "mapping", "s");
	put_count(out, "connections", d->rows[TABLE_sockets], "socket", "s");
	put_count(out, "system", d->rows[TABLE_kernel_modules], "module", "s");
	put_count(out, "findings", d->rows[TABLE_inconsistencies], "finding", "s");
}

// What is in no task list is no process of the guest's, as in the summary of an analysis.
static void put_processes(page_text *out, const struct data *d)
{
	uint64_t listed = 0, kthreads = 0, not_live = 0;

	for (size_t i = 0; i < d->tables[TABLE_processes].n_rows; i++) {
		listed += is(data_text(d, TABLE_processes, i, "found_by"), "tasks");
		kthreads += data_int(d, TABLE_processes, i, "is_kthread") == 1;
		not_live += !is(data_text(d, TABLE_processes, i, "lifecycle"), "live");
	}
	put_count(out, "processes", listed, "process", "es");
	put_count(out, "processes", kthreads, "kernel thread", "s");
	put_count(out, "processes", not_live, "not alive", "");
}

static void put_problems(page_text *out, const struct data *d)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d->tables[TABLE_problems].n_rows; i++)
		n += !is(data_text(d, TABLE_problems, i, "severity"), "note");
	put_count(out, "coverage", n, "problem", "s");
}

static void put_counts(page_text *out, const struct data *d)
{
	put(out, "<ul class=\"counts\" aria-label=\"Counts\">\n");
	put_processes(out, d);
	put_tables(out, d);
	put_problems(out, d);
	put(out, "</ul>\n");
}

// --- what is known of image, guest and run ---

static void begin_fact(page_text *out, const char *label)
{
	put(out, "<dt>");
	put(out, label);
	put(out, "</dt><dd>");
}

static void put_fact(page_text *out, const char *label, struct opt_text t)
{
	if (!t.p)
		return;
	begin_fact(out, label);
	put_text(out, t);
	put(out, "</dd>\n");
}

static void put_size(page_text *out, const char *before, int64_t bytes, const char *after)
{
	char size[SIZE_TEXT];

	if (bytes < 0)
		return;
	put(out, before);
	put(out, size_text(size, (uint64_t)bytes));
	put(out, after);
}

static void put_image(page_text *out, const struct data *d)
{
	struct opt_text path = first_text(d, TABLE_evidence, "path");

	put_fact(out, "Image", path.p ? path : some_text("(path not recorded)"));
	begin_fact(out, "Container");
	put_known(out, "", first_text(d, TABLE_evidence, "format"));
	put_known(out, ", ", first_text(d, TABLE_evidence, "compression"));
	put_size(out, ", ", first_int(d, TABLE_evidence, "size"), "");
	put(out, "</dd>\n");
	put_fact(out, "SHA-256", first_text(d, TABLE_evidence, "sha256"));
	put_fact(out, "Damage", first_text(d, TABLE_evidence, "truncated_reason"));
}

static void put_uptime(page_text *out, const struct data *d)
{
	int64_t s = first_int(d, TABLE_uptime, "total_seconds");
	char text[64];

	if (s < 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRId64 " d %02d:%02d:%02d", s / 86400,
		       (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
	put_fact(out, "Up", some_text(text));
}

static void put_machine(page_text *out, const struct data *d)
{
	int64_t cpus = first_int(d, TABLE_system_info, "cpu_logical_cores");

	put_fact(out, "Clock", first_text(d, TABLE_time, "datetime"));
	put_uptime(out, d);
	begin_fact(out, "Processor");
	put_known(out, "", first_text(d, TABLE_system_info, "cpu_brand"));
	if (cpus > 0) {
		put(out, ", ");
		put_number(out, (uint64_t)cpus);
		put(out, cpus == 1 ? " CPU" : " CPUs");
	}
	put(out, "</dd>\n");
	begin_fact(out, "Memory");
	put_size(out, "", first_int(d, TABLE_memory_info, "memory_total"), "");
	put_size(out, ", ", first_int(d, TABLE_memory_info, "memory_free"), " free");
	put(out, "</dd>\n");
}

static void put_run(page_text *out, const struct data *d)
{
	put_fact(out, "Types", first_text(d, TABLE_run, "types_source"));
	put_fact(out, "Symbols", first_text(d, TABLE_run, "symbols_source"));
	if (first_int(d, TABLE_run, "symbols_forced") == 1)
		put_fact(out, "Beware",
			 some_text("types or symbols are another kernel's (--force-symbols): "
				   "nothing here can be relied on"));
	put_fact(out, "Layout", first_text(d, TABLE_run, "layout"));
	put_fact(out, "Result", first_text(d, TABLE_run, "status"));
	begin_fact(out, "Made by");
	put(out, "vmiscan");
	put_known(out, " ", first_text(d, TABLE_run, "tool_version"));
	put(out, "</dd>\n");
}

void first_screen_put(page_text *out, const struct data *d)
{
	put(out, "<div class=\"hero\">\n");
	put_host(out, d);
	put_verdict(out, d);
	put(out, "</div>\n");
	put_counts(out, d);
	put(out, "<dl class=\"facts\">\n");
	put_image(out, d);
	put_machine(out, d);
	put_fact(out, "Command line", first_text(d, TABLE_kernel_info, "arguments"));
	put_run(out, d);
	put(out, "</dl>\n");
}
