// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of the shell, which begin with a dot.
#ifndef VMI_CLI_COMMANDS_H
#define VMI_CLI_COMMANDS_H

#include "src/sql/session.h"

extern const char *const command_names[]; // with their dots; NULL ends them

// A line of one. *quit is set where it says so.
struct err *command_run(struct session *s, struct printer *p, const char *line, bool *quit);

#endif
