// SPDX-License-Identifier: LGPL-2.1-or-later
// Which page of .xen_pages is which frame: entry i of the list tells of page i.
#include "formats/xencore.h"

#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <string.h>

enum { BATCH = 64 << 10 };

// A page of a live dump that the guest gave up meanwhile: the list was filled up with these.
#define NO_FRAME UINT64_MAX

static const struct {
	const char *name;
	uint32_t type;
	uint64_t entsize, other_entsize, align;
} shapes[XEN_PARTS] = {
	[XEN_NOTE] = {".note.Xen", SHT_NOTE, 0, 0, 0},
	[XEN_PRSTATUS] = {".xen_prstatus", SHT_PROGBITS, 5168, 2800, 8},
	[XEN_PAGES] = {".xen_pages", SHT_PROGBITS, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE},
	[XEN_P2M] = {".xen_p2m", SHT_PROGBITS, 16, 16, 8},
	[XEN_PFN] = {".xen_pfn", SHT_PROGBITS, 8, 8, 8},
};

static bool has_shape(const Elf64_Shdr *s, enum xen_part p)
{
	return s->sh_type == shapes[p].type && s->sh_addralign == shapes[p].align &&
	       (s->sh_entsize == shapes[p].entsize || s->sh_entsize == shapes[p].other_entsize);
}

static void find_by_shape(struct xencore *c, const struct elf_file *f)
{
	Elf64_Shdr s[16];
	size_t n = f->n_shdrs < 16 ? (size_t)f->n_shdrs : 16, got;

	if (f->ehdr.e_shentsize != sizeof(s[0]) || elf_shdrs(f, 0, s, n, &got))
		return;
	for (size_t i = 1; i < got; i++)
		for (unsigned p = 0; p < XEN_PARTS; p++)
			if (has_shape(&s[i], (enum xen_part)p))
				c->part[p] = s[i];
}

void xencore_find_parts(struct xencore *c, const struct elf_file *f)
{
	for (unsigned p = 0; p < XEN_PARTS; p++)
		c->named |= elf_section(f, shapes[p].name, &c->part[p]);
	if (!c->named && f->is64)
		find_by_shape(c, f);
}

// What is wrong with the list as a whole is told once, at the end.
struct reading {
	struct xencore *c;
	const Elf64_Shdr *list;
	size_t entry;
	uint64_t n;	  // entries to read
	uint64_t n_there; // pages whose bytes the file has
	uint64_t n_read, n_beyond;
};

static void take(struct reading *r, const uint8_t *entry)
{
	uint64_t i = r->n_read++, frame = le64(entry);

	if (frame == NO_FRAME)
		return;
	if (i >= r->n_there) {
		r->n_beyond++;
		return;
	}
	frames_add(&r->c->frames, frame, r->c->part[XEN_PAGES].sh_offset + i * PAGE_SIZE);
	if (r->entry == 16 && frame < FRAMES_END && le64(entry + 8) < FRAMES_END)
		hostmap_add(&r->c->host, le64(entry + 8), frame);
}

static struct err *read_batches(struct reading *r)
{
	_cleanup_free_ uint8_t *buf = mem_alloc(BATCH);
	size_t batch = BATCH / r->entry, got = batch * r->entry;

	while (r->n_read < r->n && got == batch * r->entry) {
		if (r->n - r->n_read < batch)
			batch = (size_t)(r->n - r->n_read);
		uint64_t off = r->list->sh_offset + r->n_read * r->entry;
		TRY(io_read(r->c->img->io, off, buf, batch * r->entry, &got));
		for (size_t i = 0; i < got / r->entry; i++)
			take(r, buf + i * r->entry);
	}
	return NULL;
}

// Without its list, which is written last, a dump of a guest with its own physical addresses still
// shows what it has: xl writes pages in order, without video memory and the last MiB below 4 GiB
// (Xen 4.17, tools/libs/ctrl/xc_core.c, xc_domain_dumpcore_via_callback()).
static void guess_list(struct reading *r)
{
	for (uint64_t i = 0; i < r->n_there && i < r->c->nr_pages; i++) {
		uint64_t frame = i < 0xa0 ? i : i + 0x20;
		if (frame >= 0xf0000)
			frame += 0x10000;
		frames_add(&r->c->frames, frame, r->c->part[XEN_PAGES].sh_offset + i * PAGE_SIZE);
	}
	image_damaged(r->c->img, "the file is cut before its list of frames: its pages are taken "
				 "to lie in order, which they may not");
}

static void tell(const struct reading *r)
{
	typedef unsigned long long ull;
	struct image *img = r->c->img;

	if (r->n_read < r->n)
		image_damaged(img,
			      "the file ends inside its list of frames: %llu of %llu are there",
			      (ull)r->n_read, (ull)r->n);
	if (r->n_beyond)
		image_damaged(img, "%llu pages that the list has are not in the file",
			      (ull)r->n_beyond);
	if (r->c->frames.n_impossible)
		image_damaged(img, "%llu frames of the list are beyond any memory",
			      (ull)r->c->frames.n_impossible);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void reading_init(struct reading *r, struct xencore *c)
{
	const Elf64_Shdr *pages = &c->part[XEN_PAGES];
	uint64_t size = c->img->io->size;

	r->c = c;
	r->entry = c->pv ? 16 : 8;
	r->list = &c->part[c->pv ? XEN_P2M : XEN_PFN];
	r->n_there = least(pages->sh_offset < size ? size - pages->sh_offset : 0, pages->sh_size) /
		     PAGE_SIZE;
	r->n = least(r->list->sh_size / r->entry, pages->sh_size / PAGE_SIZE);
	r->n = least(r->n, c->nr_pages);
	if (r->list->sh_offset >= size)
		r->n = 0;
}

// Nothing of the list is there.
static struct err *do_without(struct reading *r)
{
	if (r->c->pv)
		return err_new(ERR_FORMAT,
			       "a Xen core of a paravirtual guest that is cut before .xen_p2m: "
			       "its page tables hold the host's addresses, which only this list "
			       "explains");
	guess_list(r);
	return NULL;
}

struct err *xencore_read_list(struct xencore *c)
{
	struct reading r = {0};

	reading_init(&r, c);
	if (r.n_there == 0)
		return err_new(ERR_FORMAT, "a Xen core that is cut before its memory starts");
	TRY(read_batches(&r));
	if (r.n_read == 0)
		return do_without(&r);
	tell(&r);
	hostmap_sort(&c->host);
	return NULL;
}
