// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines that a person types: edited, remembered, names completed; plain without libedit.
#ifndef VMI_CLI_PROMPT_H
#define VMI_CLI_PROMPT_H

#include "formats/fmt.h"
#include "src/sandbox/sandbox.h"
#include "src/sql/session.h"

struct prompt;

// libedit, present or not.
extern const struct fmt_library prompt_libraries[];

// What it needs of the system, for a sandbox that is entered before; makes the file of the
// history.
void prompt_needs(struct sandbox_needs *n);

// The session is asked for the names of tables and columns; `words` are commands that begin with a
// dot, NULL ends them. History is kept in $XDG_STATE_HOME/vmiscan, or not at all.
struct prompt *prompt_new(struct session *s, const char *const *words);
void prompt_free(struct prompt *p); // NULL is fine

enum typed { TYPED_LINE, TYPED_END, TYPED_INTERRUPT };

// *line is valid until the next one, and has no newline.
enum typed prompt_read(struct prompt *p, const char *before, const char **line);

// What the arrow keys bring back.
void prompt_remember(struct prompt *p, const char *statement);

#endif
