// SPDX-License-Identifier: LGPL-2.1-or-later
// An image without a header of more than 1 GiB may have a PCI hole that the file leaves out; a
// stream of QEMU says where low RAM ends, but not where the rest of it starts. Each candidate is
// tried: the right one is where all RAM of the guest's own memory map (e820) is there.
#include "src/analyse/layout.h"

#include "src/kernel/e820.h"

#include <inttypes.h>
#include <stdio.h>

// How well a layout fits; ram is 0 where the kernel's memory map can't be read.
struct fit {
	uint64_t ram, missing, score;
};

struct ram_count {
	struct physmem *mem;
	struct fit *fit;
};

static uint64_t overlap(const struct mem_run *r, uint64_t start, uint64_t end)
{
	uint64_t from = r->pa > start ? r->pa : start;
	uint64_t to = r->pa + r->size < end ? r->pa + r->size : end;

	return to > from ? to - from : 0;
}

static void count_ram(void *arg, uint64_t start, uint64_t end)
{
	const struct ram_count *c = arg;
	size_t n;
	const struct mem_run *runs = physmem_runs(c->mem, &n);
	uint64_t there = 0;

	for (size_t i = 0; i < n; i++)
		there += overlap(&runs[i], start, end);
	c->fit->ram += end - start;
	c->fit->missing += end - start - there;
}

static struct fit fit_of(struct image *img, struct kernel *k)
{
	struct fit f = {.score = kernel_score(k)};
	struct ram_count c = {img->mem, &f};

	if (!e820_each_ram(k, count_ram, &c))
		f.ram = f.missing = 0;
	return f;
}

static bool perfect(const struct fit *f)
{
	return f->ram && !f->missing && kernel_score_is_whole(f->score);
}

static bool better(const struct fit *a, const struct fit *b)
{
	if (a->ram && b->ram && a->missing != b->missing)
		return a->missing < b->missing;
	return a->score > b->score;
}

static struct err *find(struct image *img, enum find_effort effort,
			const struct kernel_supply *supply, struct kernel **out)
{
	uint64_t cr3s[64];
	size_t n = 0;

	for (size_t i = 0; i < img->n_vcpus && n < sizeof(cr3s) / sizeof(cr3s[0]); i++)
		if (img->vcpus[i].has & 1U << VCPU_CR3)
			cr3s[n++] = img->vcpus[i].reg[VCPU_CR3];
	const struct find_options o = {cr3s, n, effort, *supply};
	return kernel_find(img->mem, &o, out);
}

static void describe(char *note, size_t n, const struct image *img, struct hole hole,
		     const struct fit *f)
{
	char where[128];

	if (hole.low_end)
		(void)snprintf(where, sizeof(where),
			       "low RAM ends at 0x%" PRIx64 "%s, the rest lies from %" PRIu64
			       " GiB on",
			       hole.low_end, img->flat_low_end ? " (by the machine's CMOS)" : "",
			       hole.high_start >> 30);
	else
		(void)snprintf(where, sizeof(where), "offset in the file = physical address");
	if (!f->ram)
		(void)snprintf(note, n, "%s (the layout from which most tasks can be reached)",
			       where);
	else
		(void)snprintf(note, n,
			       "%s (the guest's memory map has %" PRIu64
			       " MiB of RAM, of which %" PRIu64 " KiB are not in the file)",
			       where, f->ram >> 20, f->missing >> 10);
}

struct choice {
	struct fit fit;
	struct hole hole;
	char note[256];
	bool made;
};

// Tries a layout; remembers it if it beats the choice so far. *out is the kernel found there.
static struct err *try_layout(struct image *img, struct hole hole,
			      const struct kernel_supply *supply, struct choice *best,
			      struct kernel **out)
{
	TRY(image_set_hole(img, hole, NULL));
	TRY(find(img, FIND_QUICK, supply, out));
	struct fit f = fit_of(img, *out);
	if (!best->made || better(&f, &best->fit)) {
		*best = (struct choice){.fit = f, .hole = hole, .made = true};
		describe(best->note, sizeof(best->note), img, hole, &f);
	}
	return NULL;
}

// The best of the candidates; *out only if it is so good that no other need be tried.
static struct err *choose_layout(struct image *img, const struct kernel_supply *supply,
				 struct choice *best, struct kernel **out)
{
	struct hole hole;

	for (size_t i = 0; image_hole_candidate(img, i, &hole); i++) {
		struct kernel *k = NULL;
		struct err *e = try_layout(img, hole, supply, best, &k);
		if (!e && perfect(&best->fit)) {
			*out = k;
			break;
		}
		kernel_free(k);
	}
	if (!best->made)
		(void)image_hole_candidate(img, 0, &best->hole);
	return image_set_hole(img, best->hole, best->made ? best->note : NULL);
}

// Memory that begins elsewhere than at 0: page tables of the kernel lead astray, but for one base.
static struct err *find_at_base(struct image *img, const struct kernel_supply *supply,
				struct kernel **out)
{
	char note[96];

	for (size_t i = 0; i < image_base_n_candidates; i++) {
		uint64_t base = image_base_candidates[i];
		(void)snprintf(note, sizeof(note),
			       "the file begins at 0x%" PRIx64 " (page tables fit)", base);
		TRY(image_set_base(img, base, note));
		if (!find(img, FIND_CLOSER, supply, out))
			return NULL;
	}
	return image_set_base(img, 0, NULL);
}

struct err *layout_find_kernel(struct image *img, const struct kernel_supply *supply,
			       struct kernel **out)
{
	struct choice best = {0};

	*out = NULL;
	if (image_hole_unknown(img))
		TRY(choose_layout(img, supply, &best, out));
	if (*out || !find(img, FIND_QUICK, supply, out))
		return NULL;
	if (!find(img, FIND_CLOSER, supply, out))
		return NULL;
	if (img->n_flat && !img->flat_low_end)
		TRY(find_at_base(img, supply, out));
	if (*out)
		return NULL;
	if (image_hole_unknown(img))
		TRY(image_set_hole(img, best.hole, best.made ? best.note : NULL));
	return find(img, FIND_EVERYWHERE, supply, out);
}
