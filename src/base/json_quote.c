// SPDX-License-Identifier: LGPL-2.1-or-later
// Escapes of RFC 8259.
#include "src/base/json_quote.h"

#include "src/base/text.h"

#include <stdint.h>

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
