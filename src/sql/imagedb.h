// SPDX-License-Identifier: LGPL-2.1-or-later
// The tables of an image in a database in memory, each of them extracted when it is first asked
// for.
#ifndef VMI_SQL_IMAGEDB_H
#define VMI_SQL_IMAGEDB_H

#include "src/analyse/rows.h"
#include "src/db/sqlite.h"

#include <signal.h>

struct imagedb {
	struct analysis *analysis; // borrowed; its image is open, its kernel found when needed
	sqlite3 *db;		   // has all tables and views, empty but for those that are loaded
	bool loaded[TABLE_COUNT];
	struct outcome outcome;	    // of what was extracted so far
	volatile sig_atomic_t stop; // set to end an extraction early
	// The same, asked for now and then; may be NULL.
	bool (*is_stopped)(void *arg);
	void *is_stopped_arg;
	struct err no_kernel; // what the search for it ended with, once it has failed
	bool searched;	      // for the kernel
};

// argv: of the table run, as a JSON array; NULL for none.
struct err *imagedb_new(struct analysis *a, const char *argv, struct imagedb **out);
void imagedb_free(struct imagedb *d); // NULL is fine; the analysis stays

// Extracts those of the wanted tables that are not there yet. The tables that tell of an analysis,
// which are run, coverage and problems, tell of one of all tables: they bring along the others.
struct err *imagedb_load(struct imagedb *d, const bool wanted[TABLE_COUNT]);

#endif
