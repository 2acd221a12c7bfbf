// SPDX-License-Identifier: LGPL-2.1-or-later
// The writers of Xen's cores and saved domains.
#include "tests/unit/xen_build.h"

#include "src/base/mem.h"

#include <elf.h>

#include <string.h>

enum { PAGE = 4096, CONTEXT = 5168 };

static const char names[] = "\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_shared_info\0.xen_pages\0"
			    ".xen_pfn\0.xen_p2m";

static uint32_t name_at(const char *name)
{
	for (size_t i = 1; i < sizeof(names); i += strlen(names + i) + 1)
		if (strcmp(names + i, name) == 0)
			return (uint32_t)i;
	return 0;
}

void xen_context(uint8_t *ctx, unsigned n, uint64_t flags, uint16_t cs)
{
	for (uint64_t off = 0; off < CONTEXT; off += 8)
		memcpy(ctx + off, &(uint64_t){n * 100000 + off}, 8);
	memcpy(ctx + 512, &flags, 8);
	memcpy(ctx + 656, &cs, 2);
}

void xen_core_init(struct xen_core *c, bool pv, unsigned n)
{
	*c = (struct xen_core){.pv = pv,
			       .n = n,
			       .n_cpus = 2,
			       .magic = pv ? 0xf00febed : 0xf00febee,
			       .page_size = PAGE,
			       .format = 1,
			       .cs = 0x10,
			       .flags = 4,
			       .context_size = CONTEXT,
			       .machine = EM_X86_64};
	for (unsigned i = 0; i < n; i++) {
		c->frame[i] = i;
		c->host[i] = 0x100000 + i * 3 % n; // no two the same while 3 does not divide n
	}
}

size_t xen_core_section(unsigned i)
{
	return sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Shdr);
}

size_t xen_core_list(const struct xen_core *c)
{
	return XC_PAGES + (size_t)c->n * PAGE;
}

size_t xen_core_names(const struct xen_core *c)
{
	return xen_core_list(c) + (size_t)c->n * (c->pv ? 16 : 8);
}

static void put_note(struct blob *b, size_t *at, uint32_t type, const void *desc, uint32_t n)
{
	uint32_t head[4] = {4, n, type, 0};

	memcpy(&head[3], "Xen", 4);
	blob_put(b, *at, head, sizeof(head));
	if (n)
		blob_put(b, *at + sizeof(head), desc, n);
	*at += sizeof(head) + n;
}

static size_t put_notes(struct blob *b, const struct xen_core *c)
{
	uint64_t header[4] = {c->magic, c->n_cpus, c->nr_pages ? c->nr_pages : c->n, c->page_size};
	uint8_t version[1280] = {4, 0, 0, 0, 0, 0, 0, 0, 17};
	size_t at = XC_NOTES;

	put_note(b, &at, 0x2000000, NULL, 0);
	put_note(b, &at, 0x2000001, header, sizeof(header));
	put_note(b, &at, 0x2000002, version, sizeof(version));
	put_note(b, &at, 0x2000003, &c->format, 8);
	return at - XC_NOTES;
}

static void put_sections(struct blob *b, const struct xen_core *c, size_t notes)
{
	size_t list = xen_core_list(c), entry = c->pv ? 16 : 8;
	Elf64_Shdr s[XC_SECTIONS] = {
		{0},
		{name_at(".shstrtab"), SHT_STRTAB, 0, 0, xen_core_names(c),
		 c->without_names ? 0 : sizeof(names), 0, 0, 0, 0},
		{name_at(".note.Xen"), SHT_NOTE, 0, 0, XC_NOTES, notes, 0, 0, 0, 0},
		{name_at(".xen_prstatus"), SHT_PROGBITS, 0, 0, XC_PRSTATUS,
		 (size_t)c->n_cpus * c->context_size, 0, 0, 8, c->context_size},
		{name_at(".xen_shared_info"), SHT_PROGBITS, 0, 0, 0x3000, 0x1000, 0, 0, 8, PAGE},
		{name_at(".xen_pages"), SHT_PROGBITS, 0, 0, XC_PAGES, (size_t)c->n * PAGE, 0, 0,
		 PAGE, PAGE},
		{name_at(c->pv ? ".xen_p2m" : ".xen_pfn"), SHT_PROGBITS, 0, 0, list,
		 (size_t)c->n * entry, 0, 0, 8, entry},
	};

	blob_put(b, xen_core_section(0), s, sizeof(s));
}

static void put_page(struct blob *b, const struct xen_core *c, unsigned i)
{
	uint8_t page[PAGE] = {0};

	if (c->frame[i] != XC_NONE)
		noise_fill(c->frame[i] * PAGE, page, PAGE);
	blob_put(b, XC_PAGES + (size_t)i * PAGE, page, PAGE);
	size_t entry = c->pv ? 16 : 8, at = xen_core_list(c) + i * entry;
	blob_put(b, at, &c->frame[i], 8);
	if (c->pv)
		blob_put(b, at + 8, &c->host[i], 8);
}

struct blob xen_core_write(const struct xen_core *c)
{
	struct blob b = {0};
	uint8_t ctx[CONTEXT];
	Elf64_Ehdr e = {.e_type = ET_CORE,
			.e_machine = c->machine,
			.e_version = EV_CURRENT,
			.e_shoff = xen_core_section(0),
			.e_ehsize = sizeof(e),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = XC_SECTIONS,
			.e_shstrndx = 1};

	memcpy(e.e_ident,
	       "\x7f"
	       "ELF\2\1\1",
	       7);
	blob_put(&b, 0, &e, sizeof(e));
	put_sections(&b, c, put_notes(&b, c));
	for (unsigned i = 0; i < c->n_cpus; i++) {
		xen_context(ctx, i, c->flags, c->cs);
		blob_put(&b, XC_PRSTATUS + (size_t)i * CONTEXT, ctx, CONTEXT);
	}
	for (unsigned i = 0; i < c->n; i++)
		put_page(&b, c, i);
	if (!c->without_names)
		blob_put(&b, xen_core_names(c), names, sizeof(names));
	return b;
}

// --- saved domains ---

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void begin_xl(struct blob *b)
{
	static const char config[21] = "{ \"c_info\": {} }";
	uint32_t rest[5] = {0x01020304, 3, 0, 4 + sizeof(config), sizeof(config)};

	blob_append(b, "Xen saved domain, xl format\n \0 \r", 32);
	blob_append(b, rest, sizeof(rest));
	blob_append(b, config, sizeof(config));
}

static void begin_libxl(struct blob *b)
{
	uint8_t head[16] = "LibxlFmt";

	put_be32(head + 8, 2);
	blob_append(b, head, sizeof(head));
	xen_save_record(b, 0x80000001, "optional", 5); // one that no reader knows
	xen_save_record(b, 1, "", 0);
}

struct blob xen_save_begin(enum xen_wrap wrap, uint32_t type, uint32_t version)
{
	uint8_t head[24] = "\xff\xff\xff\xff\xff\xff\xff\xffXENF";
	struct {
		uint32_t type;
		uint16_t shift, zero;
		uint32_t major, minor;
	} domain = {type, 12, 0, 4, 17};
	struct blob b = {0};

	if (wrap == XEN_XL)
		begin_xl(&b);
	if (wrap != XEN_LIBXC)
		begin_libxl(&b);
	put_be32(head + 12, version);
	blob_append(&b, head, sizeof(head));
	blob_append(&b, &domain, sizeof(domain));
	return b;
}

void xen_save_record(struct blob *b, uint32_t type, const void *body, size_t n)
{
	uint32_t head[2] = {type, (uint32_t)n};

	blob_append(b, head, sizeof(head));
	blob_append(b, body, n);
	blob_append(b, "\0\0\0\0\0\0\0", -n % 8);
}

void xen_save_pages(struct blob *b, const uint64_t *entries, uint32_t n, uint64_t seed)
{
	struct blob body = {0};
	uint8_t page[PAGE];

	blob_append(&body, &(uint64_t){n}, 8);
	blob_append(&body, entries, n * (size_t)8);
	for (uint32_t i = 0; i < n; i++) {
		if (entries[i] >> 60 >= 0xd)
			continue;
		noise_fill((entries[i] << 12) + seed, page, PAGE);
		blob_append(&body, page, PAGE);
	}
	xen_save_record(b, 1, body.at, body.n);
	blob_fini(&body);
}

void xen_save_end(struct blob *b)
{
	xen_save_record(b, 0, "", 0);
	xen_save_record(b, 0, "", 0); // libxl's own
}
