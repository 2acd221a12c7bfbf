// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of the optional libraries are in this build.
#include "src/symfiles/supply.h"

#ifdef HAVE_DWARF
#define DWARF true
#else
#define DWARF false
#endif
#ifdef HAVE_LZ4
#define LZ4 true
#else
#define LZ4 false
#endif

const struct fmt_library symfile_libraries[] = {
	{"libdwarf", DWARF}, {"liblz4", LZ4}, {NULL, false}};
