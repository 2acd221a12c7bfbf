// SPDX-License-Identifier: LGPL-2.1-or-later
// Units of bytes, which are powers of 1024.
#include "src/base/size.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// The power of two behind a number: K, M, G, T, with or without iB; -1 if it is none.
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *at = isalpha((unsigned char)*unit) ? strchr(letters, toupper(*unit)) : NULL;

	if (!*unit)
		return 0;
	if (!at || (unit[1] && strcmp(unit + 1, "iB") != 0))
		return -1;
	return 10 * (int)(at - letters + 1);
}

bool size_parse(const char *text, size_t *out)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	int shift = unit_shift(end);
	if (*text < '0' || *text > '9' || errno || shift < 0 || n == 0 || n > SIZE_MAX >> shift)
		return false;
	*out = (size_t)n << shift;
	return true;
}
