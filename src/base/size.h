// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes for people.
#ifndef VMI_BASE_SIZE_H
#define VMI_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// 268435456 is "256 MiB".
enum { SIZE_TEXT = 24 };
const char *size_text(char buf[static SIZE_TEXT], uint64_t bytes);

// "64M", "2GiB", "1000": false if it is none, or 0.
bool size_parse(const char *text, size_t *out);

#endif
