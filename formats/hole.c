// SPDX-License-Identifier: LGPL-2.1-or-later
// The PCI hole of images without a header: where low RAM may end, and the layouts that follow.
//
// A file by pmemsave holds the hole, so that offset = physical address; a .vmem and the memory
// files of Firecracker and Cloud Hypervisor are the RAM below and above it, concatenated. RAM of
// arm64 machines has no hole, but does not begin at 0. Nothing in the file says which, so the
// kernel search tries the candidates.
#include "formats/readers.h"

#include "src/base/mem.h"

#define GIB UINT64_C(0x40000000)

// The smallest memory that is worth the search: QEMU's machines can be told to end low RAM at 1
// GiB.
static const uint64_t LEAST_SPLIT = GIB;

static const struct hole candidates[] = {
	{0, 4 * GIB},	       // pmemsave, LiME padded, a machine below its split
	{0xc0000000, 4 * GIB}, // QEMU pc and microvm, VMware, Firecracker
	{0x80000000, 4 * GIB}, // QEMU q35
	{0xe0000000, 4 * GIB}, // QEMU pc up to 1.7, VirtualBox
	{0xb0000000, 4 * GIB}, // QEMU q35 with less than that
	{0xf0000000, 4 * GIB}, // Xen HVM
	{0xd0000000, 4 * GIB}, // Firecracker, older
	{0xf8000000, 4 * GIB}, // Hyper-V generation 1; QEMU with max-ram-below-4g=4G
	{0x40000000, 4 * GIB}, // ... with max-ram-below-4g=1G
	// QEMU since 7.1 with a CPU of AMD, where RAM, or room for more of it, would reach the
	// addresses of HyperTransport below 1 TiB (hw/i386/pc.c, pc_set_amd_above_4g_mem_start).
	{0xc0000000, 1024 * GIB},
	{0x80000000, 1024 * GIB},
};

bool image_hole_unknown(const struct image *img)
{
	return img->n_flat && (img->flat_low_end || img->flat_size > LEAST_SPLIT);
}

bool image_hole_candidate(const struct image *img, size_t i, struct hole *out)
{
	size_t n = img->flat_low_end ? 2 : sizeof(candidates) / sizeof(candidates[0]);

	if (i >= n)
		return false;
	*out = img->flat_low_end ? (struct hole){img->flat_low_end, i ? 1024 * GIB : 4 * GIB}
				 : candidates[i];
	return true;
}

// The part of a run below the hole, then the part above it, as far as there are such parts.
static size_t split(struct mem_run *out, const struct mem_run *r, struct hole hole)
{
	uint64_t low = r->pa >= hole.low_end ? 0 : hole.low_end - r->pa;
	size_t n = 0;

	if (hole.low_end == 0 || low > r->size)
		low = r->size;
	if (low > 0)
		out[n++] = (struct mem_run){r->pa, low, r->off, r->state};
	if (low < r->size)
		out[n++] = (struct mem_run){r->pa + low - hole.low_end + hole.high_start,
					    r->size - low, r->off + low, r->state};
	return n;
}

size_t hole_lay_out(struct mem_run *out, const struct mem_run *flat, size_t n, struct hole hole)
{
	size_t n_out = 0;

	for (size_t i = 0; i < n; i++)
		n_out += split(out + n_out, &flat[i], hole);
	return n_out;
}

// Takes the runs over.
static struct err *lay_out(struct image *img, struct mem_run *runs, size_t n, const char *note)
{
	mem_free(img->runs);
	img->runs = runs;
	img->n_runs = n;
	mem_free(img->layout_note);
	img->layout_note = note ? mem_strdup(note) : NULL;
	return physmem_move(img->mem, img->runs, img->n_runs);
}

static bool possible(const struct image *img, struct hole hole)
{
	return image_hole_unknown(img) && hole.low_end % PAGE_SIZE == 0 &&
	       hole.high_start % PAGE_SIZE == 0 && hole.low_end <= hole.high_start &&
	       hole.high_start <= 1024 * GIB;
}

struct err *image_set_hole(struct image *img, struct hole hole, const char *note)
{
	if (!possible(img, hole))
		return err_new(ERR_INTERNAL, "low RAM can't end at 0x%llx here",
			       (unsigned long long)hole.low_end);
	struct mem_run *runs = mem_alloc((img->n_flat + 1) * sizeof(*runs));
	return lay_out(img, runs, hole_lay_out(runs, img->flat, img->n_flat, hole), note);
}

// --- where RAM begins, of machines that have it in one piece ---

const uint64_t image_base_candidates[] = {
	0x40000000, // arm64: QEMU virt, Cloud Hypervisor
	0x80000000, // arm64: Firecracker
};
const size_t image_base_n_candidates =
	sizeof(image_base_candidates) / sizeof(image_base_candidates[0]);

struct err *image_set_base(struct image *img, uint64_t base, const char *note)
{
	if (img->n_flat == 0 || base % PAGE_SIZE || base > UINT64_MAX / 2)
		return err_new(ERR_INTERNAL, "RAM can't begin at 0x%llx here",
			       (unsigned long long)base);
	struct mem_run *runs = mem_alloc(img->n_flat * sizeof(*runs));
	for (size_t i = 0; i < img->n_flat; i++) {
		runs[i] = img->flat[i];
		runs[i].pa += base;
	}
	return lay_out(img, runs, img->n_flat, note);
}
