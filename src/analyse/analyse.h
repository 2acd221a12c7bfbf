// SPDX-License-Identifier: LGPL-2.1-or-later
// An image, its kernel, and its tables into a sink: the analysis as who uses it sees it.
#ifndef VMI_ANALYSE_ANALYSE_H
#define VMI_ANALYSE_ANALYSE_H

#include "formats/fmt.h"
#include "schema/schema.h"
#include "src/analyse/changes.h"
#include "src/kernel/kernel.h"
#include "src/sandbox/sandbox.h"
#include "src/symfiles/supply.h"

// What is to be analysed, and how. Strings are borrowed; NULL is what was not given.
struct analysis_options {
	const char *image, *format, *vmss, *snapshot;
	const char *const *parts; // the other files of a split dump
	size_t n_parts;
	struct symfile_options symbols;
	size_t max_memory; // the limit that the user knows of; 0: none
	bool reproducible; // nothing of this run in the rows
	// Called now and then on long work; may be NULL.
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total);
	void *progress_arg;
	// Called when no file will be opened any more: the kernel is found, or there is none. May
	// be NULL.
	void (*all_open)(void *arg);
	void *all_open_arg;
	// A line on what was done and how long it took; may be NULL.
	void (*say)(void *arg, const char *line);
	void *say_arg;
};

struct analysis {
	struct analysis_options opts;
	struct image *image;			   // NULL until it is open
	struct kernel *kernel;			   // NULL until it is found
	struct symfiles *symfiles;		   // NULL until they are read
	seen_files seen;			   // of the evidence, as it was opened
	char atomicity[24], atomicity_reason[256]; // as in the table run; "" for unknown
	bool damaged;				   // a walk met damage that lies in the image
};

void analysis_init(struct analysis *a, const struct analysis_options *o);
void analysis_fini(struct analysis *a);

// Adds what opening it and finding its kernel need, and makes the files for it that they write to.
void analysis_needs(const struct analysis_options *o, struct sandbox_needs *n);

// Opens the image; then finds its kernel, and with it the layout of an image that records none.
struct err *analysis_open(struct analysis *a);
struct err *analysis_find_kernel(struct analysis *a);

// Everything that the kernel's structures give of the wanted tables, and the coverage of all tables
// that it makes. May be called again, for others: no state stays but what is above.
void analysis_walk(struct analysis *a, const bool wanted[TABLE_COUNT], struct sink *sink);

// Whether something of what was read so far is missing: the image is cut, or broken within.
bool analysis_is_damaged(const struct analysis *a);

// Whether a file of it is not what it was when it was opened.
bool analysis_has_changed(const struct analysis *a);

// The task that ran on a virtual CPU; false if its registers do not tell.
bool analysis_task_on(struct analysis *a, const struct vcpu *v, uint64_t *task_addr);

// Where the kernel's types and symbols came from, in words; NULL for nowhere.
const char *analysis_types_source(const struct analysis *a, struct arena *arena);
// The same of the file's types alone, used or not.
const char *analysis_file_types_source(const struct analysis *a, struct arena *arena);
const char *analysis_symbols_source(const struct analysis *a, struct arena *arena);

// Whether types or symbols are those of another kernel, because of --force-symbols.
bool analysis_is_forced(const struct analysis *a);

#endif
