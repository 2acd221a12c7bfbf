// SPDX-License-Identifier: LGPL-2.1-or-later
// The SHA-256 of a file of evidence, as it lies on disk.
#ifndef VMI_CLI_HASH_H
#define VMI_CLI_HASH_H

#include "src/base/err.h"
#include "src/cli/progress.h"

enum { SHA256_TEXT = 65 };

// In lower-case hex digits, NUL-terminated.
struct err *hash_sha256(const char *path, struct progress *p, char out[static SHA256_TEXT]);

#endif
