// SPDX-License-Identifier: LGPL-2.1-or-later
// Volatility 3's symbol files (ISF): JSON of base types, structs, enums and symbols, as dwarf2json
// 0.6 to 0.9 writes them (schema 6.x).
#ifndef VMI_SYMFILES_ISF_H
#define VMI_SYMFILES_ISF_H

#include "symbols/profile.h"
#include "symbols/wanted.h"

// Takes the types that are asked for, all symbols, and the banner. ERR_FORMAT, ERR_LIMIT.
struct err *convert_isf(const char *json, size_t n, const struct type_wants *wants,
			struct profile *p);

#endif
