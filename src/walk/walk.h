// SPDX-License-Identifier: LGPL-2.1-or-later
// Extractors: kernel structures in, rows out. One file a subject; src/analyse lists
// them (extractors.c) and hands them to walk_all().
//
// An extractor never fails: what it can't read is an absent column, a `problems` row and a partial
// table; what its kernel does not have at all makes the table unavailable, with the reason.
#ifndef VMI_WALK_WALK_H
#define VMI_WALK_WALK_H

#include "schema/schema.h"
#include "src/kernel/iter.h"
#include "src/kernel/kernel.h"

struct tasks; // every task of the image, found once: src/walk/tasks.h

// One analysis under way.
struct walk {
	struct kernel *k;
	struct sink *sink;
	const bool *wanted; // [TABLE_COUNT]
	struct arena run;   // lives as long as the walk
	struct arena row;   // reset by WALK_EMIT: whatever a row's text points to
	struct tasks *tasks;
	struct {
		bool done, partial, unavailable;
		uint64_t rows, problems, faults;
		int64_t duration_ns; // -1: made along with another table
		const char *reason;  // in the run arena
	} cover[TABLE_COUNT];
	// Whether the memory was read at one instant, and why; in the run arena, NULL until known.
	const char *atomicity, *atomicity_reason;
	bool damaged;		      // something was partial for a reason that lies in the image
	uint64_t ram_pages, max_rows; // of the image; of any table: more is made up
	// The clock of the guest, for start times: ns since the epoch at boot; absent if unknown.
	struct opt_int boot_ns;
	struct opt_int now_boottime; // ns since boot at the snapshot
	// Called now and then on long work; may be NULL.
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *progress_arg;
};

struct extractor {
	const char *name;
	enum table_id tables[6]; // what it emits, the first n_tables
	size_t n_tables;
	enum field needs[12]; // fields without which it can't run, the first n_needs
	size_t n_needs;
	void (*run)(struct walk *w);
};

void walk_init(struct walk *w, struct kernel *k, struct sink *sink, const bool *wanted);
void walk_fini(struct walk *w);

// Runs those of the extractors (in their order, NULL ends them) of which a table is wanted, and
// emits the coverage rows of all their tables.
void walk_all(struct walk *w, const struct extractor *const *extractors);

// A row of the table, unless it is not wanted or full; counts it, then resets the row arena.
#define WALK_EMIT(w, name, r)                                                                      \
	do {                                                                                       \
		const struct row_##name *walk_row_ = (r);                                          \
		walk_emit((w), TABLE_##name, walk_row_);                                           \
	} while (0)
void walk_emit(struct walk *w, enum table_id table, const void *row);
// The same for rows that have texts in common: the row arena stays.
void walk_emit_keeping(struct walk *w, enum table_id table, const void *row);

static inline bool walk_wants(const struct walk *w, enum table_id t)
{
	return w->wanted[t];
}

// Whether the table has had so many rows that more would be left out.
static inline bool walk_is_full(const struct walk *w, enum table_id t)
{
	return w->cover[t].rows >= w->max_rows;
}

// --- what went wrong ---
enum severity { NOTE, WARNING, ERROR };

// A `problems` row; WARNING and ERROR make the table partial with this message as its reason
// (the first one stays). task and addr may be 0.
void walk_problem(struct walk *w, enum severity severity, enum table_id table, uint64_t task,
		  uint64_t addr, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
// The table can't be made at all from this kernel.
void walk_unavailable(struct walk *w, enum table_id table, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
// A problem unless the walk of a list ended well. what: "the list of modules".
void walk_check_end(struct walk *w, enum table_id table, uint64_t task, uint64_t addr,
		    enum iter_end end, const char *what);
// The same for a list that was walked, whose back links count as well.
void walk_check_list(struct walk *w, enum table_id table, uint64_t task, const struct list_iter *it,
		     const char *what);

// --- columns out of kernel fields ---

// Numbers of the guest can be of any size: their sum wraps around, and does not overflow.
static inline int64_t wrapping_sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

struct opt_int col_int(struct walk *w, uint64_t base, enum field f);
struct opt_addr col_addr(struct walk *w, uint64_t base, enum field f); // a pointer; NULL is absent
struct opt_addr col_ptr(uint64_t va);				       // absent if 0
// A char array field, in the row arena.
struct opt_text col_text(struct walk *w, uint64_t base, enum field f);
// A string behind a char * field, in the row arena.
struct opt_text col_string(struct walk *w, uint64_t base, enum field f, size_t max);
struct opt_text row_printf(struct walk *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
