// SPDX-License-Identifier: LGPL-2.1-or-later
// Cores by xl dump-core: ELF with sections and no program headers (Xen docs/misc/dump-core-format,
// format version 0.1).
//
// Guests with physical addresses of their own (HVM, PVH) have their frames in .xen_pfn; those of
// paravirtual guests are in .xen_p2m with the host's frame beside each, and their page tables and
// CR3 hold the host's.
#include "formats/readers.h"

#include "formats/xencore.h"
#include "formats/xencpu.h"
#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <gelf.h>

#include <string.h>

enum {
	NOTES_MAX = 64 << 10,
	VCPUS_MAX = 8192,
	NOTE_HEADER = 0x2000001, // xen/include/public/elfnote.h
	NOTE_XEN = 0x2000002,
	NOTE_FORMAT = 0x2000003,
};
#define MAGIC_PV  0xf00febedU
#define MAGIC_HVM 0xf00febeeU

static const char *xencore_probe(const struct fmt_probe *p)
{
	const uint8_t *h = p->head;

	if (p->head_size < sizeof(Elf64_Ehdr) || memcmp(h, ELFMAG, SELFMAG) != 0 ||
	    h[EI_CLASS] != ELFCLASS64 || h[EI_DATA] != ELFDATA2LSB)
		return NULL;
	bool core = le16(h + offsetof(Elf64_Ehdr, e_type)) == ET_CORE;
	bool loads = le16(h + offsetof(Elf64_Ehdr, e_phnum)) != 0;
	bool sections = le16(h + offsetof(Elf64_Ehdr, e_shnum)) != 0;
	return core && sections && !loads ? "ELF core with sections only, as xl dump-core writes"
					  : NULL;
}

// --- notes ---

static struct err *take_header(struct xencore *c, const uint8_t *desc)
{
	uint64_t magic = le64(desc), page_size = le64(desc + 24);

	if (magic != MAGIC_PV && magic != MAGIC_HVM)
		return err_new(ERR_UNSUPPORTED, "a Xen core with the unknown magic 0x%llx",
			       (unsigned long long)magic);
	if (page_size != PAGE_SIZE)
		return err_new(ERR_UNSUPPORTED,
			       "a Xen core with pages of %llu bytes; only x86-64 guests are read",
			       (unsigned long long)page_size);
	c->pv = magic == MAGIC_PV;
	c->nr_pages = le64(desc + 16);
	return NULL;
}

static struct err *take_note(struct xencore *c, const GElf_Nhdr *h, const uint8_t *desc)
{
	if (h->n_type == NOTE_HEADER && h->n_descsz >= 32)
		return take_header(c, desc);
	if (h->n_type == NOTE_XEN && h->n_descsz >= 16)
		image_fact(c->img, "Saved by", "Xen %llu.%llu", (unsigned long long)le64(desc),
			   (unsigned long long)le64(desc + 8));
	if (h->n_type == NOTE_FORMAT && h->n_descsz >= 8)
		image_fact(c->img, "Version", "%llu.%llu", (unsigned long long)(le64(desc) >> 32),
			   (unsigned long long)(le64(desc) & UINT32_MAX));
	if (h->n_type == NOTE_FORMAT && h->n_descsz >= 8 && le64(desc) >> 32 != 0)
		return err_new(ERR_UNSUPPORTED, "a Xen core of format %llu.%llu; 0.1 is read",
			       (unsigned long long)(le64(desc) >> 32),
			       (unsigned long long)(le64(desc) & UINT32_MAX));
	return NULL;
}

static struct err *read_notes(struct xencore *c)
{
	const Elf64_Shdr *s = &c->part[XEN_NOTE];
	size_t size = s->sh_size < NOTES_MAX ? (size_t)s->sh_size : NOTES_MAX;
	_cleanup_free_ uint8_t *buf = mem_alloc(size + 1);
	size_t got, at = 0, name, desc;
	GElf_Nhdr h;

	TRY(io_read(c->img->io, s->sh_offset, buf, size, &got));
	Elf_Data data = {
		.d_buf = buf, .d_type = ELF_T_NHDR, .d_version = EV_CURRENT, .d_size = got};
	while ((at = gelf_getnote(&data, at, &h, &name, &desc)) > 0)
		if (h.n_namesz == 4 && memcmp(buf + name, "Xen", 4) == 0)
			TRY(take_note(c, &h, buf + desc));
	return NULL;
}

// --- registers ---

static void read_contexts(struct xencore *c, uint64_t off, uint64_t n)
{
	uint8_t ctx[XEN_CONTEXT64];
	VEC(struct vcpu) vcpus = {0};
	size_t got;

	for (uint32_t i = 0; i < n && i < VCPUS_MAX; i++) {
		if (io_read(c->img->io, off + i * (uint64_t)sizeof(ctx), ctx, sizeof(ctx), &got) ||
		    got < sizeof(ctx))
			break;
		struct vcpu *v = vec_add(&vcpus);
		*v = (struct vcpu){.cpu = i};
		xen_take_context(v, ctx, c->pv);
	}
	c->img->vcpus = vcpus.at;
	c->img->n_vcpus = vcpus.n;
}

static struct err *read_cpus(struct xencore *c)
{
	const Elf64_Shdr *s = &c->part[XEN_PRSTATUS];

	if (s->sh_size && s->sh_entsize == XEN_CONTEXT32)
		return err_new(ERR_UNSUPPORTED, "a Xen core of a 32-bit paravirtual guest; only "
						"x86-64 guests are read");
	if (s->sh_entsize == XEN_CONTEXT64)
		read_contexts(c, s->sh_offset, s->sh_size / XEN_CONTEXT64);
	return NULL;
}

// --- open ---

static bool guest_frame(struct mem_source *src, uint64_t host, uint64_t *guest)
{
	return hostmap_find(((const struct image *)src)->priv, host, guest);
}

static struct err *check_kind(struct xencore *c, const struct elf_file *f)
{
	if (f->ehdr.e_machine != EM_X86_64 && f->ehdr.e_machine != EM_386)
		return err_new(ERR_UNSUPPORTED,
			       "an ELF core of machine type %u; only x86-64 guests are read",
			       f->ehdr.e_machine);
	if (c->part[XEN_PAGES].sh_size == 0)
		return err_new(ERR_FORMAT, "an ELF core without program headers, and without the "
					   "pages that a Xen core has: no memory in it");
	return NULL;
}

static void keep_host_map(struct xencore *c)
{
	struct hostmap *m = mem_alloc(sizeof(*m));

	*m = c->host;
	c->host = (struct hostmap){0};
	c->img->priv = m;
	c->img->source.guest_frame = guest_frame;
}

static struct err *lay_out(struct xencore *c)
{
	struct image *img = c->img;

	TRY(xencore_read_list(c));
	img->runs = frames_settle(&c->frames, &img->n_runs);
	if (img->n_runs == 0)
		return err_new(ERR_FORMAT, "a Xen core without a single frame of memory");
	if (c->frames.n_replaced)
		image_damaged(img, "%llu frames are given twice; the last ones are taken",
			      (unsigned long long)c->frames.n_replaced);
	if (c->pv)
		keep_host_map(c);
	img->source.read = fmt_read_plain;
	img->why = c->pv ? "core of a Xen PV guest (xl dump-core)"
			 : "core of a Xen PVH or HVM guest (xl dump-core)";
	return NULL;
}

static struct err *open_parts(struct xencore *c, const struct elf_file *f)
{
	xencore_find_parts(c, f);
	TRY(check_kind(c, f));
	c->pv = c->part[XEN_P2M].sh_size != 0;
	TRY(read_notes(c));
	if (c->part[XEN_P2M].sh_size || c->part[XEN_PFN].sh_size) // the list decides
		c->pv = c->part[XEN_P2M].sh_size != 0;
	TRY(read_cpus(c));
	return lay_out(c);
}

static struct err *xencore_open(struct image *img)
{
	struct xencore c = {.img = img, .nr_pages = UINT64_MAX};
	struct elf_file f;

	TRY(elf_open(img->io, &f));
	struct err *e = open_parts(&c, &f);
	frames_fini(&c.frames);
	hostmap_fini(&c.host);
	return e;
}

static void xencore_close(struct image *img)
{
	if (img->priv)
		hostmap_fini(img->priv);
	mem_free(img->priv);
}

const struct fmt_ops fmt_xencore = {
	.name = "xen-core",
	.doc = "Xen xl dump-core: PV, PVH and HVM guests",
	.probe = xencore_probe,
	.open = xencore_open,
	.close = xencore_close,
};
