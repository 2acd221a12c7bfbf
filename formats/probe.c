// SPDX-License-Identifier: LGPL-2.1-or-later
// What the readers see of a file to recognise it.
#include "formats/probe.h"

#include "src/base/text.h"

#include <string.h>

enum { MAGIC_MOST = 16 }; // bytes of a stream's first words, which may be cut

static bool is_hole(const uint8_t *p, size_t n)
{
	return n > 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static struct err *load_head(struct io *io, uint8_t *head, struct fmt_probe *out)
{
	size_t rest = 0;

	TRY(io_read(io, 0, head, PROBE_FIRST, &out->head_size));
	if (out->head_size < PROBE_FIRST ||
	    !(is_hole(head, PROBE_FIRST - MAGIC_MOST) || probe_is_text(out)))
		return NULL;
	TRY(io_read(io, PROBE_FIRST, head + PROBE_FIRST, PROBE_HEAD - PROBE_FIRST, &rest));
	out->head_size += rest;
	return NULL;
}

struct err *probe_load(struct io *io, struct probe_bytes *bytes, struct fmt_probe *out)
{
	uint64_t tail = io->size > PROBE_TAIL ? io->size - PROBE_TAIL : 0;

	*out = (struct fmt_probe){.head = bytes->head, .tail = bytes->tail, .size = io->size};
	TRY(load_head(io, bytes->head, out));
	TRY(io_read(io, tail, bytes->tail, PROBE_TAIL, &out->tail_size));
	if (out->tail_size < io->size - tail)
		out->tail_size = 0; // the end of the file is what can't be read
	return NULL;
}

bool probe_has(const struct fmt_probe *p, size_t off, const void *magic, size_t n)
{
	return off <= p->head_size && n <= p->head_size - off &&
	       memcmp(p->head + off, magic, n) == 0;
}

static bool is_control(uint8_t c)
{
	return (c < 0x20 && !(c >= '\t' && c <= '\r')) || c == 0x7f;
}

bool probe_is_text(const struct fmt_probe *p)
{
	size_t i = 0, n = p->head_size;

	while (i < n && !is_control(p->head[i])) {
		size_t len = text_utf8_len((const char *)p->head + i, n - i);
		if (len == 0)
			break;
		i += len;
	}
	// The last character may be cut by the end of the head.
	return n > 0 && (i == n || (n >= PROBE_FIRST && n - i < 4 && p->head[i] >= 0x80));
}
