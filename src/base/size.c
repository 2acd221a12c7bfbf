// SPDX-License-Identifier: LGPL-2.1-or-later
// Units of bytes.
#include "src/base/size.h"

#include <stdio.h>

const char *size_text(char buf[static SIZE_TEXT], uint64_t bytes)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t u = 0;
	uint64_t tenths = 10 * (bytes % 1024) / 1024;

	for (; bytes >= 1024; u++) {
		tenths = 10 * (bytes % 1024) / 1024;
		bytes /= 1024;
	}
	if (u > 0 && tenths > 0)
		(void)snprintf(buf, SIZE_TEXT, "%u.%u %s", (unsigned)bytes, (unsigned)tenths,
			       units[u]);
	else
		(void)snprintf(buf, SIZE_TEXT, "%u %s", (unsigned)bytes, units[u]);
	return buf;
}
