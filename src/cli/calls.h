// SPDX-License-Identifier: LGPL-2.1-or-later
// The calls of the command line, one file each.
#ifndef VMI_CLI_CALLS_H
#define VMI_CLI_CALLS_H

#include "src/cli/options.h"

// The exit statuses of vmiscan(1).
enum exit_status {
	EXIT_ANALYSED = 0,
	EXIT_PARTIAL = 1,
	EXIT_USAGE = 2,
	EXIT_UNREADABLE = 3,
	EXIT_NO_KERNEL = 4,
	EXIT_OUTPUT = 5,
	EXIT_INTERNAL = 70,
};

enum exit_status exit_status_of(const struct err *e);

// What calls.def has. *status is EXIT_ANALYSED or EXIT_PARTIAL where there is no error.
#define CALL(id, name, word, least, most, args, doc, examples, statuses)                           \
	struct err *call_##id(const struct options *o, enum exit_status *status);
#include "src/cli/calls.def"
#undef CALL

#endif
