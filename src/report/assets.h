// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of src/report/page, embedded by the build: cmake/embed.cmake.
#ifndef VMI_REPORT_ASSETS_H
#define VMI_REPORT_ASSETS_H

#include <stddef.h>

struct asset {
	const char *bytes;
	size_t n;
};

extern const struct asset asset_page;	// page.html
extern const struct asset asset_style;	// style.css and its like, one after the other
extern const struct asset asset_script; // the .js files, in the order of CMakeLists.txt

#endif
