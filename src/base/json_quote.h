// SPDX-License-Identifier: LGPL-2.1-or-later
// A string of JSON, in ASCII alone.
#ifndef VMI_BASE_JSON_QUOTE_H
#define VMI_BASE_JSON_QUOTE_H

#include "src/base/arena.h"

// The string with its quotes, in the arena. Bytes that are not UTF-8 become \xNN as in the
// database.
const char *json_quote(struct arena *a, const char *s, size_t n);

#endif
