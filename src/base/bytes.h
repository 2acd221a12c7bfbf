// SPDX-License-Identifier: LGPL-2.1-or-later
// Loads of either byte order from bytes of the image, and a cursor that can't leave its buffer.
#ifndef VMI_BASE_BYTES_H
#define VMI_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t le16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t le32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t le64(const void *p)
{
	return (uint64_t)le32(p) | (uint64_t)le32((const uint8_t *)p + 4) << 32;
}

// Unsigned little-endian of n bytes, n <= 8.
static inline uint64_t le_n(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | b[n];
	return v;
}

static inline uint16_t be16(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t be32(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

static inline uint64_t be64(const void *p)
{
	return (uint64_t)be32(p) << 32 | (uint64_t)be32((const uint8_t *)p + 4);
}

// A position in bytes [pos, end). A take that would pass the end gives false and does not move.
struct cursor {
	const uint8_t *pos, *end;
};

static inline struct cursor cursor_over(const void *p, size_t n)
{
	return (struct cursor){p, (const uint8_t *)p + n};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->pos);
}

static inline bool cursor_take(struct cursor *c, uint64_t n, const uint8_t **out)
{
	if (n > cursor_left(c))
		return false;
	*out = c->pos;
	c->pos += n;
	return true;
}

static inline bool cursor_u32(struct cursor *c, uint32_t *out)
{
	const uint8_t *p;

	if (!cursor_take(c, 4, &p))
		return false;
	*out = le32(p);
	return true;
}

#endif
