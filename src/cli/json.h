// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON to a stream. All of it is ASCII: what is not is escaped, so that no byte of the image can
// act on a terminal, and none is lost.
#ifndef VMI_CLI_JSON_H
#define VMI_CLI_JSON_H

#include "src/base/json_quote.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	int depth;
	bool comma; // a member comes before the next one
	bool one_line;
	struct arena text;
};

void json_init(struct json *j, FILE *out);
void json_init_line(struct json *j, FILE *out); // for JSON Lines
void json_fini(struct json *j);

// key is NULL in arrays and for the outermost value.
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_text(struct json *j, const char *key, const char *s); // NULL is null
void json_bytes(struct json *j, const char *key, const char *s, size_t n);
void json_int(struct json *j, const char *key, int64_t v);
void json_double(struct json *j, const char *key, double v); // finite
void json_bool(struct json *j, const char *key, bool v);
void json_hex(struct json *j, const char *key, uint64_t v); // as addresses in the database

#endif
