// SPDX-License-Identifier: LGPL-2.1-or-later
// What stands between the brackets of USING vmiscan(...).
#ifndef VMI_EXTENSION_ARGUMENTS_H
#define VMI_EXTENSION_ARGUMENTS_H

#include "src/analyse/analyse.h"
#include "src/db/sqlite.h"

// Words without =, then NAME=VALUE.
enum argument {
	ARG_IMAGE,
	ARG_TABLE,
	ARG_FIRST_NAMED,
	ARG_FORMAT = ARG_FIRST_NAMED,
	ARG_VMSS,
	ARG_SNAPSHOT,
	ARG_VMLINUX,
	ARG_SYSTEM_MAP,
	ARG_SYMBOLS,
	ARG_MAX_MEMORY,
	N_ARGUMENTS
};

struct arguments {
	char *value[N_ARGUMENTS]; // NULL: not given; of sqlite3_malloc()
	size_t max_memory;
};

// argv as xCreate gets it. False, and *why in words, if it is wrong.
bool arguments_parse(struct arguments *a, int argc, const char *const *argv, char **why);
void arguments_fini(struct arguments *a);

// One image with one set of options is told from another by this text, of sqlite3_malloc().
char *arguments_key(const struct arguments *a);

// Borrows from a.
struct analysis_options arguments_options(const struct arguments *a);

#endif
