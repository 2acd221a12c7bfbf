// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory without a header: pmemsave, .vmem, LiME raw and padded, /dev/mem copies.
//
// Last resort: opens whatever nobody else knows. A hole of a sparse file is read like its zeros are
// everywhere else: how a copy was stored must not change what is reported of it.
#include "formats/readers.h"

#include "formats/probe.h"
#include "src/base/mem.h"

#include <string.h>

static const char *raw_probe(const struct fmt_probe *p)
{
	if (p->size < PAGE_SIZE || probe_is_text(p))
		return NULL;
	return "no known header, so offset = physical address";
}

static struct err *raw_open(struct image *img)
{
	img->runs = mem_alloc(sizeof(*img->runs));
	img->runs[0] = (struct mem_run){0, img->io->size, 0, MEM_PRESENT};
	img->n_runs = 1;
	img->flat = memcpy(mem_alloc(sizeof(*img->runs)), img->runs, sizeof(*img->runs));
	img->n_flat = 1;
	img->flat_size = img->io->size;
	img->source.read = fmt_read_plain;
	if (!img->truncated && img->io->size % PAGE_SIZE)
		image_damaged(img, "the size is not a multiple of the page size: cut?");
	return NULL;
}

const struct fmt_ops fmt_raw = {
	.name = "raw",
	.doc = "memory without a header: pmemsave, .vmem, LiME raw or padded",
	.probe = raw_probe,
	.open = raw_open,
};
