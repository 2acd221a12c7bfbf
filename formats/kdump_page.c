// SPDX-License-Identifier: LGPL-2.1-or-later
// Pages of a kdump-compressed dump: descriptor, bytes, decompression.
//
// A page's compression is what its descriptor says, whatever the header's status: a page that did
// not shrink is stored as it is, and all pages of zeros may share one place.
#include "formats/kdump.h"

#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <string.h>

struct desc {
	uint64_t off;
	uint32_t size, flags;
};

static const uint64_t NO_BLOCK = UINT64_MAX;

void kdump_pages_init(struct kdump *k)
{
	// More than any of the four makes of a block that does not shrink.
	k->packed_max = k->block_size + k->block_size / 6 + 1024;
	k->packed = mem_alloc(k->packed_max);
	k->block = mem_alloc(k->block_size);
	k->block_number = NO_BLOCK;
	k->unpacker = block_unpacker_new();
}

void kdump_pages_fini(struct kdump *k)
{
	mem_free(k->packed);
	mem_free(k->block);
	block_unpacker_free(k->unpacker);
}

static const struct kdump_part *part_of(const struct kdump *k, uint64_t number)
{
	size_t i = 0;

	while (i + 1 < k->n_parts && number >= k->part[i + 1].first)
		i++;
	return &k->part[i];
}

// Descriptors from this one on into the window; they do not pass the part's.
static bool load_window(struct kdump *k, const struct kdump_part *p, uint64_t number)
{
	uint64_t i = number - p->first, left = p->n_descs - i;
	size_t n = left < KDUMP_DESC_WINDOW ? (size_t)left : KDUMP_DESC_WINDOW, got;

	k->window_n = 0;
	if (io_read(p->io, p->descs + i * KDUMP_DESC_SIZE, k->window, n * KDUMP_DESC_SIZE, &got))
		return false;
	k->window_first = number;
	k->window_n = got / KDUMP_DESC_SIZE;
	return k->window_n > 0;
}

static bool get_desc(struct kdump *k, const struct kdump_part *p, uint64_t number, struct desc *d)
{
	if (number - p->first >= p->n_descs)
		return false;
	if ((number < k->window_first || number - k->window_first >= k->window_n) &&
	    !load_window(k, p, number))
		return false;
	const uint8_t *raw = k->window + (number - k->window_first) * KDUMP_DESC_SIZE;
	*d = (struct desc){le64(raw), le32(raw + 8), le32(raw + 12)};
	return true;
}

static bool codec_of(uint32_t flags, enum block_codec *codec)
{
	switch (flags & KDUMP_PACKED) {
	case KDUMP_ZLIB:
		*codec = BLOCK_ZLIB;
		return true;
	case KDUMP_LZO:
		*codec = BLOCK_LZO;
		return true;
	case KDUMP_SNAPPY:
		*codec = BLOCK_SNAPPY;
		return true;
	case KDUMP_ZSTD:
		*codec = BLOCK_ZSTD;
		return true;
	default:
		return false;
	}
}

static bool read_whole(struct io *io, uint64_t off, void *buf, size_t n)
{
	size_t got;

	return !io_read(io, off, buf, n, &got) && got == n;
}

bool kdump_page(struct kdump *k, uint64_t number, uint8_t *to)
{
	const struct kdump_part *p = part_of(k, number);
	enum block_codec codec;
	struct desc d;

	if (!get_desc(k, p, number, &d))
		return false;
	if ((d.flags & KDUMP_PACKED) == 0)
		return d.size == k->block_size && read_whole(p->io, d.off, to, d.size);
	return d.size > 0 && d.size <= k->packed_max && codec_of(d.flags, &codec) &&
	       read_whole(p->io, d.off, k->packed, d.size) &&
	       block_unpack(k->unpacker, codec, k->packed, d.size, to, k->block_size);
}

// The writers store pages in order, all but the page of zeros that others share: from the last
// descriptor back to the first one that is of another place than it.
uint64_t kdump_promised_end(struct kdump *k, const struct kdump_part *p)
{
	struct desc last, d;
	uint64_t end = 0;

	if (p->n_descs == 0 || !get_desc(k, p, p->first + p->n_descs - 1, &last))
		return 0;
	for (uint64_t i = p->n_descs; i > 0; i--) {
		uint64_t at = i - 1;
		// Windows are loaded forward: start one so that it ends here.
		if (at < k->window_first - p->first &&
		    !load_window(k, p,
				 p->first +
					 (at < KDUMP_DESC_WINDOW ? 0 : at + 1 - KDUMP_DESC_WINDOW)))
			break;
		if (!get_desc(k, p, p->first + at, &d))
			break;
		uint64_t this_end = d.off > UINT64_MAX - d.size ? UINT64_MAX : d.off + d.size;
		end = this_end > end ? this_end : end;
		if (d.off != last.off)
			break;
	}
	return end;
}
