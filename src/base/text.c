// SPDX-License-Identifier: LGPL-2.1-or-later
// Escapes that keep every byte readable and none active.
#include "src/base/text.h"

#include <stdint.h>
#include <string.h>

// Smallest code point that a sequence of this length may encode (RFC 3629: no overlong forms).
static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};

static uint32_t decode(const unsigned char *s, size_t len)
{
	static const unsigned char lead_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = s[0] & lead_mask[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3fU);
	return c;
}

static size_t lead_len(unsigned char b)
{
	if (b < 0x80)
		return 1;
	if (b >= 0xc2 && b <= 0xdf)
		return 2;
	if (b >= 0xe0 && b <= 0xef)
		return 3;
	return b >= 0xf0 && b <= 0xf4 ? 4 : 0;
}

size_t text_utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = n ? lead_len(u[0]) : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	uint32_t c = decode(u, len);
	return c >= least[len] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? len : 0;
}

static const char hex_digits[] = "0123456789abcdef";

// "\xNN"
static size_t put_hex_byte(char *d, uint32_t c)
{
	const char text[4] = {'\\', 'x', hex_digits[c >> 4 & 0xf], hex_digits[c & 0xf]};

	memcpy(d, text, sizeof(text));
	return sizeof(text);
}

// "\u{NNNN}", without leading zeros
static size_t put_code_point(char *d, uint32_t c)
{
	size_t n = 0;
	int shift = 20;

	d[n++] = '\\';
	d[n++] = 'u';
	d[n++] = '{';
	while (shift > 0 && c >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		d[n++] = hex_digits[c >> shift & 0xf];
	d[n++] = '}';
	return n;
}

static bool database_keeps(const char *s, size_t len)
{
	return len > 0 && *s != '\0';
}

// Characters that move the cursor, hide, or turn the direction of text around.
static bool is_active(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}

static size_t clean_prefix(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		size_t len = text_utf8_len(s + i, n - i);
		if (!database_keeps(s + i, len))
			break;
		i += len;
	}
	return i;
}

const char *text_for_database(struct arena *a, const char *s, size_t n, size_t *out_n)
{
	size_t o = clean_prefix(s, n);

	*out_n = n;
	if (o == n)
		return s;
	char *d = arena_alloc(a, o + 4 * (n - o) + 1);
	memcpy(d, s, o);
	for (size_t i = o; i < n;) {
		size_t len = text_utf8_len(s + i, n - i);
		if (database_keeps(s + i, len)) {
			memcpy(d + o, s + i, len);
			o += len;
			i += len;
		} else {
			o += put_hex_byte(d + o, (unsigned char)s[i++]);
		}
	}
	*out_n = o;
	return d;
}

// One character to d, escaped if need be; how much was taken from s is in *took.
static size_t terminal_char(char *d, const char *s, size_t n, size_t *took)
{
	size_t len = text_utf8_len(s, n);
	uint32_t c = len ? decode((const unsigned char *)s, len) : (unsigned char)*s;

	*took = len ? len : 1;
	if (len && !is_active(c)) {
		memcpy(d, s, len);
		return len;
	}
	return c < 0x100 ? put_hex_byte(d, c) : put_code_point(d, c);
}

const char *text_for_terminal(struct arena *a, const char *s, size_t n)
{
	char *d = arena_alloc(a, 5 * n + 1); // "\u{e0001}" stands for 4 bytes, "\x1b" for one
	size_t o = 0, took;

	for (size_t i = 0; i < n; i += took)
		o += terminal_char(d + o, s + i, n - i, &took);
	d[o] = '\0';
	return d;
}

uint64_t text_hash(uint64_t start, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		start = (start ^ (uint8_t)s[i]) * 0x100000001b3ULL;
	return start;
}
