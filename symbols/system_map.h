// SPDX-License-Identifier: LGPL-2.1-or-later
// System.map and /proc/kallsyms: a line a symbol, "ffffffff81000000 T _text", there with the
// module in brackets behind a tab.
#ifndef VMI_SYMBOLS_SYSTEM_MAP_H
#define VMI_SYMBOLS_SYSTEM_MAP_H

#include "src/base/err.h"
#include "symbols/symtab.h"

// Whether the text begins with such a line.
bool system_map_looks_like(const char *text, size_t n);

// Symbols of modules are left out. ERR_FORMAT names the line; a stub of Debian's packages and the
// zeros that /proc/kallsyms shows to the unprivileged are refused as what they are.
struct err *system_map_read(const char *text, size_t n, struct symtab **out);

#endif
