// SPDX-License-Identifier: LGPL-2.1-or-later
// Statements and commands, line by line: of a person at a terminal, or of a file on stdin.
#ifndef VMI_CLI_SHELL_H
#define VMI_CLI_SHELL_H

#include "src/sql/session.h"

// At the prompt errors are told and the next line is asked for; an error of stdin's ends it.
// greeting: the first line of it.
struct err *shell_prompt(struct session *s, struct printer *p, const char *greeting);
struct err *shell_stdin(struct session *s, struct printer *p);

#endif
