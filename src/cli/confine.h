// SPDX-License-Identifier: LGPL-2.1-or-later
// The sandbox as the command line has it: on, unless --no-sandbox, and told of by -v.
#ifndef VMI_CLI_CONFINE_H
#define VMI_CLI_CONFINE_H

#include "src/cli/options.h"
#include "src/sandbox/sandbox.h"

// Enters a sandbox with these needs, which it frees.
void confine(const struct options *o, struct sandbox_needs *n);

// The two steps of a call on an image: before its first byte is read, and once all files that it
// needs are open. output is the file that appears at the end, or NULL.
void confine_to_image(const struct options *o, const char *output);
void confine_to_open_files(const struct options *o, const char *output);

// For a call whose images are named as it goes: all files may be read, and none of them written.
void confine_to_reading(const struct options *o);

// For statements on an image or a database, which may need tables, and files for them, at any time;
// perhaps with a prompt.
void confine_to_query(const struct options *o, bool at_prompt);

#endif
