// SPDX-License-Identifier: LGPL-2.1-or-later
// The PCI hole of images without a header: where low RAM may end, and the layouts that follow.
//
// A file by pmemsave holds the hole, so that offset = physical address; a .vmem and the memory
// files of Firecracker and Cloud Hypervisor are the RAM below and above it, concatenated. Nothing
// in the file says which, so the kernel search tries the candidates.
#include "formats/readers.h"

#include "src/base/mem.h"

static const uint64_t HIGH_RAM = UINT64_C(4) << 30;

// The smallest memory that any machine splits: q35's low RAM ends at 2 GiB.
static const uint64_t LEAST_SPLIT = UINT64_C(2) << 30;

const uint64_t image_hole_candidates[] = {
	0,	    // pmemsave, LiME padded, a machine below its split
	0xc0000000, // QEMU pc and microvm, VMware, Firecracker
	0x80000000, // QEMU q35
	0xe0000000, // QEMU pc up to 1.7, VirtualBox
	0xb0000000, // QEMU q35 with less than that
	0xf0000000, // Xen HVM
	0xd0000000, // Firecracker, older
	0xf8000000, // Hyper-V generation 1; QEMU with max-ram-below-4g=4G
};
const size_t image_hole_n_candidates =
	sizeof(image_hole_candidates) / sizeof(image_hole_candidates[0]);

bool image_hole_unknown(const struct image *img)
{
	return img->n_flat && img->flat_size > LEAST_SPLIT;
}

// The part of a run below low_end, then the part above it, as far as there are such parts.
static size_t split(struct mem_run *out, const struct mem_run *r, uint64_t low_end)
{
	uint64_t low = r->pa >= low_end ? 0 : low_end - r->pa;
	size_t n = 0;

	if (low_end == 0 || low > r->size)
		low = r->size;
	if (low > 0)
		out[n++] = (struct mem_run){r->pa, low, r->off, r->state};
	if (low < r->size)
		out[n++] = (struct mem_run){r->pa + low - low_end + HIGH_RAM, r->size - low,
					    r->off + low, r->state};
	return n;
}

size_t hole_lay_out(struct mem_run *out, const struct mem_run *flat, size_t n, uint64_t low_end)
{
	size_t n_out = 0;

	for (size_t i = 0; i < n; i++)
		n_out += split(out + n_out, &flat[i], low_end);
	return n_out;
}

struct err *image_set_hole(struct image *img, uint64_t low_end, const char *note)
{
	struct mem_run *runs = mem_alloc((img->n_flat + 1) * sizeof(*runs));

	if (!image_hole_unknown(img) || low_end % PAGE_SIZE || low_end > HIGH_RAM) {
		mem_free(runs);
		return err_new(ERR_INTERNAL, "low RAM can't end at 0x%llx here",
			       (unsigned long long)low_end);
	}
	mem_free(img->runs);
	img->runs = runs;
	img->n_runs = hole_lay_out(runs, img->flat, img->n_flat, low_end);
	mem_free(img->layout_note);
	img->layout_note = note ? mem_strdup(note) : NULL;
	return physmem_move(img->mem, img->runs, img->n_runs);
}
