// SPDX-License-Identifier: LGPL-2.1-or-later
// VMCOREINFO: lines looked up where they are, without a copy.
#include "symbols/vmcoreinfo.h"

#include "src/base/bytes.h"

#include <stdio.h>
#include <string.h>

static const char first_key[] = "OSRELEASE=";
static const char note_name[] = "VMCOREINFO"; // with its NUL the 11 bytes of namesz

bool vmcoreinfo_init(struct vmcoreinfo *v, const void *bytes, size_t n)
{
	*v = (struct vmcoreinfo){0};
	if (n > VMCOREINFO_LARGEST)
		n = VMCOREINFO_LARGEST;
	n = strnlen(bytes, n);
	const char *newline = memrchr(bytes, '\n', n);
	if (!newline || n < sizeof(first_key) - 1 ||
	    memcmp(bytes, first_key, sizeof(first_key) - 1) != 0)
		return false;
	*v = (struct vmcoreinfo){bytes, (size_t)(newline + 1 - (const char *)bytes)};
	return true;
}

bool vmcoreinfo_init_note(struct vmcoreinfo *v, const void *bytes, size_t n)
{
	const uint8_t *note =
		bytes; // Elf64_Nhdr: namesz, descsz, type; then the name, padded to 12

	*v = (struct vmcoreinfo){0};
	if (n < VMCOREINFO_NOTE_HEAD || le32(note) != sizeof(note_name) || le32(note + 8) != 0 ||
	    memcmp(note + 12, note_name, sizeof(note_name)) != 0)
		return false;
	n -= VMCOREINFO_NOTE_HEAD;
	return vmcoreinfo_init(v, note + VMCOREINFO_NOTE_HEAD,
			       le32(note + 4) < n ? le32(note + 4) : n);
}

// The value of the line PREFIX(NAME)=..., or with name NULL of PREFIX=...; the first one.
static const char *find(const struct vmcoreinfo *v, const char *prefix, const char *name,
			size_t *len)
{
	char key[256];
	int n = snprintf(key, sizeof(key), name ? "%s(%s)=" : "%s=", prefix, name);

	if (n < 0 || (size_t)n >= sizeof(key))
		return NULL;
	for (size_t at = 0; at < v->n;) {
		const char *line = v->text + at;
		const char *newline = memchr(line, '\n', v->n - at); // text ends with one
		size_t length = (size_t)(newline - line);
		if (length >= (size_t)n && memcmp(line, key, (size_t)n) == 0) {
			*len = length - (size_t)n;
			return line + n;
		}
		at += length + 1;
	}
	return NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

// All of s[0..len), some at least, as digits of that base; false also if they do not fit.
static bool parse(const char *s, size_t len, unsigned int base, uint64_t *value)
{
	uint64_t v = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int d = (unsigned int)digit(s[i]);
		if (d >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			return false;
	}
	*value = v;
	return true;
}

static bool find_u32(const struct vmcoreinfo *v, const char *prefix, const char *name,
		     uint32_t *value)
{
	size_t len;
	uint64_t wide;
	const char *s = find(v, prefix, name, &len);

	if (!s || !parse(s, len, 10, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}

const char *vmcoreinfo_get(const struct vmcoreinfo *v, const char *key, size_t *len)
{
	return find(v, key, NULL, len);
}

bool vmcoreinfo_string(const struct vmcoreinfo *v, const char *key, char *buf, size_t n)
{
	size_t len;
	const char *s = find(v, key, NULL, &len);

	if (!s || len >= n)
		return false;
	memcpy(buf, s, len);
	buf[len] = '\0';
	return true;
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *v, const char *name, uint64_t *va)
{
	size_t len;
	const char *s = find(v, "SYMBOL", name, &len);

	return s && parse(s, len, 16, va);
}

bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, int64_t *value)
{
	size_t len;
	uint64_t bits;
	const char *s = find(v, "NUMBER", name, &len);

	if (!s)
		return false;
	bool negative = len > 0 && *s == '-';
	bool hex = len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	size_t skip = hex ? 2 : negative;
	if (!parse(s + skip, len - skip, hex ? 16 : 10, &bits))
		return false;
	if (!hex && bits > (uint64_t)INT64_MAX + negative)
		return false;
	*value = (int64_t)(negative ? -bits : bits);
	return true;
}

bool vmcoreinfo_offset(const struct vmcoreinfo *v, const char *member, uint32_t *off)
{
	return find_u32(v, "OFFSET", member, off);
}

bool vmcoreinfo_size(const struct vmcoreinfo *v, const char *type, uint32_t *size)
{
	return find_u32(v, "SIZE", type, size);
}

bool vmcoreinfo_length(const struct vmcoreinfo *v, const char *array, uint32_t *count)
{
	return find_u32(v, "LENGTH", array, count);
}

bool vmcoreinfo_hex(const struct vmcoreinfo *v, const char *key, uint64_t *value)
{
	size_t len;
	const char *s = find(v, key, NULL, &len);

	return s && parse(s, len, 16, value);
}
