// SPDX-License-Identifier: LGPL-2.1-or-later
// Statements on an image or on a database of ours, which one can't tell apart from here on.
#ifndef VMI_SQL_SESSION_H
#define VMI_SQL_SESSION_H

#include "src/base/err.h"
#include "src/sql/imagedb.h"
#include "src/sql/printer.h"

struct session;

// Whether a file is a database of ours, by its content. An SQLite database that is not is an error.
struct err *session_is_database(const char *path, bool *is);

struct err *session_of_database(const char *path, struct session **out);
// The analysis, its image open, must outlive the session. argv: as in imagedb_new().
struct err *session_of_image(struct analysis *a, const char *argv, struct session **out);
void session_free(struct session *s); // NULL is fine

// Runs the statements of the text, one after the other, up to the first that fails. The text begins
// in this line of what the user gave. Wrong SQL is an ERR_USAGE with SQLite's words and the place.
struct err *session_run(struct session *s, const char *sql, unsigned line, struct printer *p);

// Calls each() with the first column of every row of a query of ours, which ?1 is bound to `like`.
// For completion and commands: it extracts nothing. each() gives whether to go on.
struct err *session_each(struct session *s, const char *sql, const char *like,
			 bool (*each)(void *arg, const char *text), void *arg);

// Whether the text ends a statement.
bool session_is_complete(const char *sql);

// The most that SQLite takes in this process.
void session_limit_memory(size_t bytes);

// Ends what runs with an error; may be called by a signal handler.
void session_interrupt(struct session *s);

// Whether what was extracted, so far or into the database, is not whole, and why; NULL if it is.
const char *session_damage(const struct session *s);

#endif
