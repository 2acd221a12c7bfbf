// SPDX-License-Identifier: LGPL-2.1-or-later
// Timesketch's CSV and JSON Lines (its guide "Import from JSON or CSV"): message, datetime and
// timestamp_desc must be there, timestamp is microseconds, and further columns are free.
#include "src/cli/timeline.h"

#include "src/base/scope.h"
#include "src/base/text.h"
#include "src/cli/json.h"

#include <inttypes.h>
#include <string.h>

// A moment in the columns of both forms; NULL and absent ones stay empty.
struct line {
	const char *message, *desc, *table, *hostname, *process, *path;
	struct opt_int pid;
	struct opt_addr task_addr;
	int64_t ns;
};

static struct line line_of(const struct timeline *t, const struct moment *m)
{
	struct line l = {.message = m->message,
			 .desc = moment_names[m->kind],
			 .table = schema_tables[moment_table(m->kind)].name,
			 .hostname = timeline_hostname(t),
			 .ns = m->ns};
	const struct row_processes *p = m->row;
	const struct row_process_open_files *f = m->row;

	if (m->kind == MOMENT_PROCESS) {
		l.process = p->name.p;
		l.path = p->path.p;
		l.pid = p->pid;
		l.task_addr = p->task_addr;
	} else if (moment_table(m->kind) == TABLE_process_open_files) {
		l.path = f->path.p;
		l.pid = f->pid;
		l.task_addr = f->task_addr;
	}
	return l;
}

// --- CSV ---

// RFC 4180. What a spreadsheet would run (= + - @) gets an apostrophe before it; control characters
// become visible.
static void put_field(FILE *out, const char *s, const char *end)
{
	_cleanup_(arena_fini) struct arena a = {0};

	if (s) {
		(void)fputs(*s && strchr("=+-@", *s) ? "\"'" : "\"", out);
		for (const char *p = text_for_terminal(&a, s, strlen(s)); *p; p++) {
			if (*p == '"')
				(void)fputc('"', out);
			(void)fputc(*p, out);
		}
		(void)fputc('"', out);
	}
	(void)fputs(end, out);
}

static void csv_line(FILE *out, const struct line *l)
{
	char iso[ISO_TEXT];

	put_field(out, l->message, ",");
	(void)fprintf(out, "%s,%s,%" PRId64 ",%s,", iso_time(iso, l->ns, 6, "+00:00"), l->desc,
		      whole(l->ns, 1000), l->table);
	put_field(out, l->hostname, ",");
	if (l->pid.set)
		(void)fprintf(out, "%" PRId64, l->pid.v);
	(void)fputc(',', out);
	put_field(out, l->process, ",");
	put_field(out, l->path, ",");
	if (l->task_addr.set)
		(void)fprintf(out, "0x%016" PRIx64, l->task_addr.v);
	(void)fputs("\r\n", out);
}

void timesketch_csv(struct timeline *t, FILE *out)
{
	const struct moment *m;

	(void)fputs("message,datetime,timestamp_desc,timestamp,data_type,hostname,pid,process,path,"
		    "task_addr\r\n",
		    out);
	vec_foreach (m, &t->moments) {
		struct line l = line_of(t, m);
		csv_line(out, &l);
	}
}

// --- JSON Lines ---

static void json_line(FILE *out, const struct line *l)
{
	char iso[ISO_TEXT];
	struct json j;

	json_init_line(&j, out);
	json_open(&j, NULL, '{');
	json_text(&j, "message", l->message);
	json_text(&j, "datetime", iso_time(iso, l->ns, 6, "+00:00"));
	json_text(&j, "timestamp_desc", l->desc);
	json_int(&j, "timestamp", whole(l->ns, 1000));
	json_text(&j, "data_type", l->table);
	if (l->hostname)
		json_text(&j, "hostname", l->hostname);
	if (l->pid.set)
		json_int(&j, "pid", l->pid.v);
	if (l->process)
		json_text(&j, "process", l->process);
	if (l->path)
		json_text(&j, "path", l->path);
	if (l->task_addr.set)
		json_hex(&j, "task_addr", l->task_addr.v);
	json_close(&j, '}');
	json_fini(&j);
}

void timesketch_jsonl(struct timeline *t, FILE *out)
{
	const struct moment *m;

	vec_foreach (m, &t->moments) {
		struct line l = line_of(t, m);
		json_line(out, &l);
	}
}
