// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON read member by member, without a tree: for descriptions inside images, which are hostile.
#ifndef VMI_FORMATS_JSON_IN_H
#define VMI_FORMATS_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A position; once it is bad nothing more is taken from it.
struct json_in {
	const char *p, *end;
	bool bad;
};

// Steps into an object '{' or array '['.
bool json_in_open(struct json_in *j, char bracket);
// Whether there is another member before the closing bracket; steps over that if not.
bool json_in_more(struct json_in *j, char close);

// The name of a member, or a string; what does not fit into n bytes is left out.
bool json_in_name(struct json_in *j, char *buf, size_t n);
bool json_in_string(struct json_in *j, char *buf, size_t n);
// A whole number of at least 0.
bool json_in_number(struct json_in *j, uint64_t *out);
// Any value.
void json_in_skip(struct json_in *j);

#endif
