// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows into moments.
#include "src/cli/timeline.h"

#include <stdlib.h>
#include <string.h>

const char *const moment_names[N_MOMENTS] = {
	"Boot Time",	 "Snapshot Time", "Process Start Time", "Kernel Log",
	"File Modified", "File Accessed", "File Changed",
};

enum table_id moment_table(enum moment_kind kind)
{
	switch (kind) {
	case MOMENT_PROCESS:
		return TABLE_processes;
	case MOMENT_LOG:
		return TABLE_dmesg;
	case MOMENT_MODIFIED:
	case MOMENT_ACCESSED:
	case MOMENT_CHANGED:
		return TABLE_process_open_files;
	case MOMENT_BOOT:
	case MOMENT_SNAPSHOT:
	case N_MOMENTS:
		break;
	}
	return TABLE_time;
}

void timeline_choose_tables(bool wanted[TABLE_COUNT])
{
	static const enum table_id tables[] = {
		TABLE_time,	 TABLE_system_info,	   TABLE_kernel_info,
		TABLE_processes, TABLE_process_open_files, TABLE_dmesg};

	memset(wanted, 0, TABLE_COUNT * sizeof(*wanted));
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		wanted[tables[i]] = true;
}

const char *timeline_hostname(const struct timeline *t)
{
	const struct row_system_info *s = loaded_row(&t->loaded, TABLE_system_info, 0);

	return s ? s->hostname.p : NULL;
}

static const char *or_text(struct opt_text t, const char *other)
{
	return t.p && t.n ? t.p : other;
}

static void add(struct timeline *t, struct opt_int ns, enum moment_kind kind, const char *message,
		const void *row)
{
	if (ns.set)
		vec_push(&t->moments, ((struct moment){ns.v, t->moments.n, kind, message, row}));
	else
		t->without_time++;
}

static void add_guest(struct timeline *t)
{
	const struct row_time *time = loaded_row(&t->loaded, TABLE_time, 0);
	const struct row_kernel_info *k = loaded_row(&t->loaded, TABLE_kernel_info, 0);
	const char *host = timeline_hostname(t), *release = k ? or_text(k->version, "?") : "?";

	if (!time)
		return;
	add(t, time->boot_ns, MOMENT_BOOT,
	    arena_printf(&t->texts, "Linux %s booted on %s", release, host ? host : "?"), NULL);
	add(t, time->unix_ns, MOMENT_SNAPSHOT,
	    arena_printf(&t->texts, "Memory of %s was saved", host ? host : "?"), NULL);
}

static void add_processes(struct timeline *t)
{
	const struct row_processes *p;

	for (size_t i = 0; (p = loaded_row(&t->loaded, TABLE_processes, i)); i++)
		add(t, p->start_ns, MOMENT_PROCESS,
		    arena_printf(&t->texts, "Process %lld (%s) started, parent %lld: %s",
				 (long long)p->pid.v, or_text(p->name, "?"), (long long)p->parent.v,
				 or_text(p->cmdline, or_text(p->path, "no command line"))),
		    p);
}

// The log counts from boot, on a clock that stands still in suspend.
static struct opt_int log_time(const struct row_time *time, const struct row_dmesg *d)
{
	int64_t ns;

	if (!time || !time->boot_ns.set || !d->timestamp_ns.set ||
	    __builtin_add_overflow(time->boot_ns.v, d->timestamp_ns.v, &ns))
		return (struct opt_int){0};
	return some_int(ns);
}

static void add_log(struct timeline *t)
{
	const struct row_time *time = loaded_row(&t->loaded, TABLE_time, 0);
	const struct row_dmesg *d;

	for (size_t i = 0; (d = loaded_row(&t->loaded, TABLE_dmesg, i)); i++)
		add(t, log_time(time, d), MOMENT_LOG, or_text(d->message, ""), d);
}

// --- files, each once however many have it open ---

static int compare_texts(struct opt_text x, struct opt_text y)
{
	return strcmp(or_text(x, ""), or_text(y, ""));
}

static int same_file(const struct row_process_open_files *x, const struct row_process_open_files *y)
{
	int devices = compare_texts(x->device, y->device);

	if (x->inode.v != y->inode.v)
		return x->inode.v < y->inode.v ? -1 : 1;
	return devices ? devices : compare_texts(x->path, y->path);
}

// Rows of one table: what comes first in it is the smaller.
static int by_file(const void *a, const void *b)
{
	const struct row_process_open_files *const *x = a, *const *y = b;
	int files = same_file(*x, *y);

	return files ? files : *x < *y ? -1 : *x > *y;
}

static int by_row(const void *a, const void *b)
{
	const struct row_process_open_files *const *x = a, *const *y = b;

	return *x < *y ? -1 : *x > *y;
}

// Those with a path: times of pipes and sockets are those of their making and their last byte.
static void find_files(struct timeline *t)
{
	const struct row_process_open_files *f;
	size_t n = 0;

	for (size_t i = 0; (f = loaded_row(&t->loaded, TABLE_process_open_files, i)); i++)
		if (f->path.p && f->path.p[0] == '/')
			vec_push(&t->files, f); // NOLINT(bugprone-sizeof-expression): of pointers
	if (t->files.n == 0)
		return;
	// NOLINTBEGIN(bugprone-sizeof-expression): of pointers
	qsort(t->files.at, t->files.n, sizeof(*t->files.at), by_file);
	for (size_t i = 0; i < t->files.n; i++)
		if (n == 0 || same_file(t->files.at[n - 1], t->files.at[i]) != 0)
			t->files.at[n++] = t->files.at[i];
	t->files.n = n;
	qsort(t->files.at, t->files.n, sizeof(*t->files.at), by_row);
	// NOLINTEND(bugprone-sizeof-expression)
}

static void add_files(struct timeline *t)
{
	find_files(t);
	for (size_t i = 0; i < t->files.n; i++) {
		const struct row_process_open_files *f = t->files.at[i];
		add(t, f->mtime_ns, MOMENT_MODIFIED, f->path.p, f);
		add(t, f->atime_ns, MOMENT_ACCESSED, f->path.p, f);
		add(t, f->ctime_ns, MOMENT_CHANGED, f->path.p, f);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void timeline_collect(struct timeline *t)
{
	add_guest(t);
	add_processes(t);
	add_log(t);
	add_files(t);
	if (t->moments.n)
		qsort(t->moments.at, t->moments.n, sizeof(*t->moments.at), by_time);
}
