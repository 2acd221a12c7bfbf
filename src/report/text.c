// SPDX-License-Identifier: LGPL-2.1-or-later
// Escapes of HTML and of JSON within HTML.
#include "src/report/text.h"

#include "src/base/json_quote.h"
#include "src/base/scope.h"
#include "src/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t max_safe = (int64_t)1 << 53; // Number.MAX_SAFE_INTEGER + 1

void put_bytes(page_text *out, const char *p, size_t n)
{
	if (out->cap - out->n < n) {
		out->cap = 2 * out->cap + n;
		out->at = mem_grow(out->at, out->cap, 1);
	}
	if (n > 0)
		memcpy(out->at + out->n, p, n);
	out->n += n;
}

void put(page_text *out, const char *s)
{
	put_bytes(out, s, strlen(s));
}

void put_json_int(page_text *out, int64_t v)
{
	const char *quote = v >= max_safe || v <= -max_safe ? "\"" : "";
	char text[32];

	(void)snprintf(text, sizeof(text), "%s%" PRId64 "%s", quote, v, quote);
	put(out, text);
}

void put_json_text(page_text *out, const char *p, size_t n)
{
	_cleanup_(arena_fini) struct arena a = {0};

	for (const char *s = json_quote(&a, p, n); *s; s++)
		if (*s == '<')
			put(out, "\\u003c");
		else if (*s == '>')
			put(out, "\\u003e");
		else if (*s == '&')
			put(out, "\\u0026");
		else
			put_bytes(out, s, 1);
}

void put_html(page_text *out, const char *p, size_t n)
{
	_cleanup_(arena_fini) struct arena a = {0};

	for (const char *s = text_for_terminal(&a, p, n); *s; s++)
		if (*s == '<')
			put(out, "&lt;");
		else if (*s == '>')
			put(out, "&gt;");
		else if (*s == '&')
			put(out, "&amp;");
		else if (*s == '"')
			put(out, "&quot;");
		else if (*s == '\'')
			put(out, "&#39;");
		else
			put_bytes(out, s, 1);
}
