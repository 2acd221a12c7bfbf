// SPDX-License-Identifier: LGPL-2.1-or-later
// One image into one database: what `vmiscan IMAGE` does, and `vmiscan batch` with each of its own.
#ifndef VMI_CLI_SCAN_H
#define VMI_CLI_SCAN_H

#include "src/cli/calls.h"
#include "src/cli/summary.h"

// Told of a database that is done, also where memory ran out and the process is about to end.
typedef void scan_report(void *arg, const struct summary *s);

struct err *scan_image(const struct options *o, scan_report *report, void *arg,
		       enum exit_status *status);

#endif
