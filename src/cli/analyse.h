// SPDX-License-Identifier: LGPL-2.1-or-later
// An image with the kernel found in it: all that the command line needs of the analysis.
#ifndef VMI_CLI_ANALYSE_H
#define VMI_CLI_ANALYSE_H

#include "formats/fmt.h"
#include "src/cli/options.h"
#include "src/cli/progress.h"
#include "src/kernel/kernel.h"

struct analysis {
	const struct options *opts;
	struct progress progress;
	struct image *image;			   // NULL until it is open
	struct kernel *kernel;			   // NULL until it is found
	struct symfiles *symfiles;		   // NULL until they are read
	char atomicity[24], atomicity_reason[256]; // as in the table run; "" for unknown
	bool damaged;				   // a walk met damage that lies in the image
};

void analysis_init(struct analysis *a, const struct options *o);
void analysis_fini(struct analysis *a);

// Opens the image; then finds its kernel, and with it the layout of an image that records none.
struct err *analysis_open(struct analysis *a);
struct err *analysis_find_kernel(struct analysis *a);

// Everything that the kernel's structures give, and the coverage of their tables.
void analysis_walk(struct analysis *a, struct sink *sink);

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
