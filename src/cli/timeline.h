// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of `vmiscan timeline`: moments of a guest's life, in order, and the forms they are
// written in.
#ifndef VMI_CLI_TIMELINE_H
#define VMI_CLI_TIMELINE_H

#include "src/cli/load.h"

#include <stdio.h>

enum moment_kind {
	MOMENT_BOOT,
	MOMENT_SNAPSHOT,
	MOMENT_PROCESS,
	MOMENT_LOG,
	MOMENT_MODIFIED,
	MOMENT_ACCESSED,
	MOMENT_CHANGED, // the inode, not the content
	N_MOMENTS
};

struct moment {
	int64_t ns;   // since the Unix epoch
	size_t order; // of what happened at the same time
	enum moment_kind kind;
	const char *message;
	const void *row; // of the table that moment_table() says; NULL for boot and snapshot
};

// timestamp_desc of Timesketch, and what it is to others.
extern const char *const moment_names[N_MOMENTS];
enum table_id moment_table(enum moment_kind kind);

struct timeline {
	struct loaded loaded;
	VEC(struct moment) moments; // by time
	// Each file once: its row, the first of those with this device, inode and path.
	VEC(const struct row_process_open_files *) files;
	struct arena texts;
	size_t without_time; // what could not be placed
};

// Fills all but loaded, from it.
void timeline_collect(struct timeline *t);
void timeline_choose_tables(bool wanted[TABLE_COUNT]);

// NULL: there is none.
const char *timeline_hostname(const struct timeline *t);

// For --format help.
void timeline_forms(FILE *out);

// Forms; each prints all of it.
void timesketch_csv(struct timeline *t, FILE *out);
void timesketch_jsonl(struct timeline *t, FILE *out);
void body_file(struct timeline *t, FILE *out);
void ecs_jsonl(struct timeline *t, FILE *out);

// 2026-11-23T09:44:49 and `digits` of a second, in UTC, with `zone` behind.
enum { ISO_TEXT = 48 };
const char *iso_time(char buf[static ISO_TEXT], int64_t ns, int digits, const char *zone);
// Whole units of a time, rounded down.
int64_t whole(int64_t ns, int64_t unit);

#endif
