// SPDX-License-Identifier: LGPL-2.1-or-later
// file:PATH with every byte escaped that a URI may read otherwise.
#include "src/db/uri.h"

#include "src/base/vec.h"

#include <stdio.h>
#include <string.h>

char *uri_of_evidence(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-";
	VEC(char) uri = {0};
	char escaped[4];

	for (const char *p = *path == '/' ? "file:" : "file:./"; *p; p++)
		vec_push(&uri, *p);
	for (const char *p = path; *p; p++) {
		(void)snprintf(escaped, sizeof(escaped), "%%%02x", (unsigned char)*p);
		if (strchr(plain, *p))
			vec_push(&uri, *p);
		else
			for (size_t i = 0; i < 3; i++)
				vec_push(&uri, escaped[i]);
	}
	for (const char *p = "?mode=ro&immutable=1"; *p; p++)
		vec_push(&uri, *p);
	vec_push(&uri, '\0');
	return uri.at;
}
