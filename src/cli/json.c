// SPDX-License-Identifier: LGPL-2.1-or-later
// Members, commas, indentation and escapes.
#include "src/cli/json.h"

#include "src/base/text.h"

#include <inttypes.h>
#include <string.h>

// The code point of a valid UTF-8 sequence.
static uint32_t decode(const char *s, size_t len)
{
	static const unsigned char lead_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)s[0] & lead_mask[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3fU);
	return c;
}

// \uNNNN
static size_t put_unit(char *d, uint32_t unit)
{
	static const char digits[] = "0123456789abcdef";

	*d++ = '\\';
	*d++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*d++ = digits[unit >> shift & 15];
	return 6;
}

// Beyond 16 bits a pair of surrogates (RFC 8259, 7).
static size_t put_escape(char *d, uint32_t c)
{
	if (c < 0x10000)
		return put_unit(d, c);
	c -= 0x10000;
	return put_unit(d, 0xd800 + (c >> 10)) + put_unit(d + 6, 0xdc00 + (c & 0x3ff));
}

static size_t put_char(char *d, uint32_t c)
{
	if (c < 0x20 || c > 0x7e)
		return put_escape(d, c);
	size_t n = 0;
	if (c == '"' || c == '\\')
		d[n++] = '\\';
	d[n++] = (char)c;
	return n;
}

const char *json_quote(struct arena *a, const char *s, size_t n)
{
	const char *clean = text_for_database(a, s, n, &n);
	char *out = arena_alloc(a, 6 * n + 3), *d = out; // 12 for 4 bytes at most, 6 for one

	*d++ = '"';
	for (size_t i = 0, len; i < n; i += len) {
		len = text_utf8_len(clean + i, n - i);
		d += put_char(d, decode(clean + i, len));
	}
	*d++ = '"';
	*d = '\0';
	return out;
}

void json_init(struct json *j, FILE *out)
{
	*j = (struct json){.out = out};
}

void json_init_line(struct json *j, FILE *out)
{
	*j = (struct json){.out = out, .one_line = true};
}

void json_fini(struct json *j)
{
	(void)fputc('\n', j->out);
	arena_fini(&j->text);
}

static void begin_member(struct json *j, const char *key)
{
	if (j->one_line)
		(void)fputs(j->comma ? ", " : "", j->out);
	else if (j->depth > 0)
		(void)fprintf(j->out, "%s\n%*s", j->comma ? "," : "", 2 * j->depth, "");
	if (key)
		(void)fprintf(j->out, "\"%s\": ", key);
	j->comma = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin_member(j, key);
	(void)fputc(bracket, j->out);
	j->depth++;
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->comma && !j->one_line)
		(void)fprintf(j->out, "\n%*s", 2 * j->depth, "");
	(void)fputc(bracket, j->out);
	j->comma = true;
}

void json_text(struct json *j, const char *key, const char *s)
{
	begin_member(j, key);
	(void)fputs(s ? json_quote(&j->text, s, strlen(s)) : "null", j->out);
	arena_reset(&j->text);
}

void json_int(struct json *j, const char *key, int64_t v)
{
	begin_member(j, key);
	(void)fprintf(j->out, "%" PRId64, v);
}

void json_double(struct json *j, const char *key, double v)
{
	begin_member(j, key);
	(void)fprintf(j->out, "%.6g", v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	begin_member(j, key);
	(void)fputs(v ? "true" : "false", j->out);
}

void json_hex(struct json *j, const char *key, uint64_t v)
{
	begin_member(j, key);
	(void)fprintf(j->out, "\"0x%016" PRIx64 "\"", v);
}
