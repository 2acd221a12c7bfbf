// SPDX-License-Identifier: LGPL-2.1-or-later
// Arguments as a JSON array (RFC 8259).
#include "src/base/text.h"
#include "src/walk/process.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_ESCAPE = 6 }; // \u001b

// One byte of a string to d; bytes that are not part of valid UTF-8 become \\xNN, as everywhere in
// the database, written so that a JSON reader gives \xNN.
static size_t put_char(char *d, const char *s, size_t n, size_t *took)
{
	size_t len = text_utf8_len(s, n);
	unsigned char c = (unsigned char)*s;

	*took = len ? len : 1;
	if (!len)
		return (size_t)snprintf(d, LONGEST_ESCAPE + 1, "\\\\x%02x", c);
	if (c < 0x20 || c == 0x7f)
		return (size_t)snprintf(d, LONGEST_ESCAPE + 1, "\\u%04x", c);
	if (c == '"' || c == '\\') {
		d[0] = '\\';
		d[1] = (char)c;
		return 2;
	}
	memcpy(d, s, len);
	return len;
}

struct opt_text process_argv_json(struct walk *w, const char *p, size_t n)
{
	char *d = arena_alloc(&w->row, (n + 1) * LONGEST_ESCAPE + 8);
	size_t o = 0, took;

	d[o++] = '[';
	for (size_t i = 0; i < n;) {
		size_t end = i + strnlen(p + i, n - i);
		if (o > 1)
			d[o++] = ',';
		d[o++] = '"';
		for (; i < end; i += took)
			o += put_char(d + o, p + i, end - i, &took);
		d[o++] = '"';
		i = end + 1;
	}
	d[o++] = ']';
	return some_bytes(d, o);
}
