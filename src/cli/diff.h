// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of `vmiscan diff`: what is compared, and what came out.
//
// Things of two snapshots are the same if their keys are: kernel addresses, which a guest's life
// keeps, with what tells a thing from a later one at the same address. A process is its task_struct
// and its start since boot, never its pid alone; if one of the two has no starts, task_struct and
// pid.
#ifndef VMI_CLI_DIFF_H
#define VMI_CLI_DIFF_H

#include "src/cli/load.h"

#include <stdio.h>

enum { DIFF_COLUMNS = 28 };

// A table that is compared, by names of its columns; NULL ends each list.
struct diff_subject {
	enum table_id table;
	bool of_process; // begins with the process's key
	const char *key[DIFF_COLUMNS];
	const char *compared[DIFF_COLUMNS]; // what makes a thing changed
	const char *shown[DIFF_COLUMNS];    // what people know it by
};

extern const struct diff_subject diff_subjects[];
extern const size_t diff_n_subjects;

enum change { SAME, APPEARED, GONE, CHANGED, N_CHANGES };
extern const char *const change_names[N_CHANGES];

struct diff_result {
	enum change change;
	const void *before, *after; // rows; NULL where there is none
};

struct diff_table {
	const struct diff_subject *subject;
	VEC(struct diff_result) results; // but those that are the same; gone ones first
	size_t count[N_CHANGES];
};

// A snapshot, and its word of the command line.
struct diff_side {
	const char *word;
	struct loaded loaded;
	bool partial;
};

void diff_join(const struct diff_side sides[2], const struct diff_subject *s,
	       struct diff_table *out);

// The columns in the subject's lists that the two rows differ in; true while there is one at *i or
// later, which *i then is the number of.
bool diff_next_column(const struct diff_subject *s, const struct diff_result *r, size_t *i,
		      const struct column **out);

const struct column *diff_column(const struct diff_subject *s, const char *name);

// Why what came out may be no change of the guest: sentences, in the arena.
typedef VEC(const char *) diff_warnings;
void diff_warn(const struct diff_side sides[2], struct arena *a, diff_warnings *out);
// False if one side's table was not extracted.
bool diff_is_there(const struct diff_side sides[2], enum table_id id);
// False if one side's table was not, or not all of it.
bool diff_is_whole(const struct diff_side sides[2], enum table_id id);
// Whether it says when its processes started.
bool diff_has_starts(const struct diff_side *side);

struct diff {
	struct diff_side sides[2];
	struct diff_table *tables; // [diff_n_subjects]; without a subject if one side lacks it
	diff_warnings warnings;
};

void diff_print(const struct diff *d, const struct options *o, FILE *out);
void diff_json(const struct diff *d, FILE *out);

#endif
