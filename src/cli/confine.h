// SPDX-License-Identifier: LGPL-2.1-or-later
// The sandbox as the command line has it: on, unless --no-sandbox, and told of by -v.
#ifndef VMI_CLI_CONFINE_H
#define VMI_CLI_CONFINE_H

#include "src/cli/options.h"
#include "src/sandbox/sandbox.h"

// Enters a sandbox with these needs, which it frees.
void confine(const struct options *o, struct sandbox_needs *n);

// The two steps of a call on an image: before its first byte is read, and once all files that it
// needs are open. What is to be written is open before the first.
void confine_to_image(const struct options *o);
void confine_to_open_files(const struct options *o);

// For a call that reads databases.
void confine_to_databases(const struct options *o, char *const *paths, int n);

// For a call whose images are named as it goes: all files may be read, and none of them written.
void confine_to_reading(const struct options *o);

// For statements on an image or a database, perhaps with a prompt; then, once all is open that
// tables need, for the prompt alone.
void confine_to_query(const struct options *o, bool at_prompt);
void confine_to_prompt(const struct options *o);

#endif
