// SPDX-License-Identifier: LGPL-2.1-or-later
// kdump-compressed dumps: QEMU's kdump-zlib, -lzo and -snappy, makedumpfile's -c, -l, -p and -z.
//
// A dump that makedumpfile split is read as far as its parts are given; the rest is absent.
#include "formats/readers.h"

#include "formats/elfcore.h"
#include "formats/kdump.h"
#include "formats/layers.h"
#include "formats/probe.h"
#include "src/base/scope.h"

#include <stdlib.h>
#include <string.h>

enum { VMCOREINFO_MAX = 64 << 10 };

typedef unsigned long long ull;

static const char *kdump_probe(const struct fmt_probe *p)
{
	return probe_has(p, 0, "KDUMP   ", 8) ? "kdump-compressed dump" : NULL;
}

// --- The parts ---

static struct err *open_part(struct image *img, const char *path, struct io **io)
{
	_cleanup_(layers_fini) struct layers layers = {0};

	TRY(io_open_file(path, io));
	TRY(layers_open(io, img->opts, &layers));
	if (layers.damage)
		image_damaged(img, "%s: %s", path, layers.damage);
	return NULL;
}

static struct err *check_sibling(const struct kdump *k, const struct kdump_part *p, size_t size)
{
	const struct kdump_part *first = &k->part[0];

	if (!p->split || !first->split)
		return err_new(ERR_USAGE, "--part is for dumps that makedumpfile split, and this "
					  "is a whole one");
	if (size != k->block_size || p->n_pfns != first->n_pfns ||
	    memcmp(p->utsname, first->utsname, sizeof(p->utsname)) != 0)
		return err_new(ERR_USAGE, "it is a part of another dump");
	return NULL;
}

static struct err *add_part(struct image *img, struct kdump *k, const char *path)
{
	struct kdump_part *p = &k->part[k->n_parts];
	struct io *io = NULL;
	size_t size;
	struct err *e = open_part(img, path, &io);

	if (!e)
		e = kdump_head(io, p, &size);
	if (!e)
		e = check_sibling(k, p, size);
	if (!e)
		k->n_parts++;
	else
		io_close(io);
	return e ? err_wrap(e, "--part %s", path) : NULL;
}

static int by_start(const void *a, const void *b)
{
	const struct kdump_part *x = a, *y = b;

	return (x->start_pfn > y->start_pfn) - (x->start_pfn < y->start_pfn);
}

static struct err *check_overlap(const struct kdump *k)
{
	for (size_t i = 1; i < k->n_parts; i++)
		if (k->part[i].start_pfn < k->part[i - 1].end_pfn)
			return err_new(ERR_USAGE, "two parts hold the same pages; was one given "
						  "twice?");
	return NULL;
}

static struct err *take_parts(struct image *img, struct kdump *k)
{
	if (img->opts->n_parts >= KDUMP_PARTS_MAX)
		return err_new(ERR_LIMIT, "more than %d parts", KDUMP_PARTS_MAX);
	k->part = mem_alloc((img->opts->n_parts + 1) * sizeof(*k->part));
	TRY(kdump_head(img->io, &k->part[0], &k->block_size));
	k->n_parts = 1;
	for (size_t i = 0; i < img->opts->n_parts; i++)
		TRY(add_part(img, k, img->opts->parts[i]));
	qsort(k->part, k->n_parts, sizeof(k->part[0]), by_start);
	return check_overlap(k);
}

static struct err *map_parts(struct kdump *k)
{
	uint64_t first = 0;

	for (size_t i = 0; i < k->n_parts; i++) {
		k->part[i].first = first;
		TRY(kdump_map(k, &k->part[i]));
		first += k->part[i].n_descs;
	}
	if (k->runs.n == 0)
		return err_new(ERR_FORMAT, "a kdump-compressed dump without memory in it%s",
			       k->part[0].bitmap_cut ? ": the file is cut inside its bitmaps" : "");
	return NULL;
}

// --- What it says of itself ---

static const struct {
	uint32_t flag;
	enum block_codec codec;
} packings[] = {
	{KDUMP_ZLIB, BLOCK_ZLIB},
	{KDUMP_LZO, BLOCK_LZO},
	{KDUMP_SNAPPY, BLOCK_SNAPPY},
	{KDUMP_ZSTD, BLOCK_ZSTD},
};
enum { N_PACKINGS = sizeof(packings) / sizeof(packings[0]) };

static const char *packing_name(uint32_t status)
{
	for (size_t i = 0; i < N_PACKINGS; i++)
		if (status & packings[i].flag)
			return block_name(packings[i].codec);
	return "not packed";
}

static struct err *check_packing(uint32_t status)
{
	for (size_t i = 0; i < N_PACKINGS; i++) {
		const char *lacks = block_lacks(packings[i].codec);
		if ((status & packings[i].flag) && lacks)
			return err_new(ERR_UNSUPPORTED,
				       "a kdump-compressed dump with pages in %s: this build of "
				       "vmiscan lacks %s; build it where that library is installed",
				       block_name(packings[i].codec), lacks);
	}
	return NULL;
}

static struct err *take_vmcoreinfo(struct image *img, const struct kdump_part *p)
{
	size_t n = p->info_size < VMCOREINFO_MAX ? (size_t)p->info_size : 0, got;

	if (img->vmcoreinfo || n == 0)
		return NULL;
	char *text = mem_alloc(n + 1);
	struct err *e = io_read(p->io, p->info, text, n, &got);
	if (e || got == 0) {
		mem_free(text);
		return e;
	}
	text[got] = '\0';
	img->vmcoreinfo = text;
	img->vmcoreinfo_size = got;
	return NULL;
}

// Each part has them; those of the file that was given first count.
static struct err *take_notes(struct image *img, const struct kdump_part *p)
{
	_cleanup_free_ struct elfcore_map *notes = mem_zalloc(1, sizeof(*notes));

	while (p->io != img->io)
		p++;
	notes->notes[0] = (Elf64_Phdr){.p_offset = p->notes, .p_filesz = p->n_notes};
	notes->n_notes = p->n_notes > 0;
	const char *why = img->why; // not what the same notes mean in an ELF core
	TRY(elfcore_notes(notes, img));
	img->why = why;
	return take_vmcoreinfo(img, p);
}

static void describe(struct image *img, const struct kdump *k)
{
	const struct kdump_part *p = &k->part[0];
	uint64_t left_out = 0;

	for (size_t i = 0; i < k->n_parts; i++)
		left_out += k->part[i].n_left_out;
	image_fact(img, "Version", "%u", p->version);
	image_fact(img, "Pages", "%s; dump level %u, %llu pages left out", packing_name(p->status),
		   p->dump_level, (ull)left_out);
	if (p->split)
		image_fact(img, "Parts", "%zu", k->n_parts);
}

// --- What is wrong with it ---

static void note_gaps(struct image *img, const struct kdump *k)
{
	const struct kdump_part *last = &k->part[k->n_parts - 1];
	uint64_t here = 0;

	if (!last->split)
		return;
	for (size_t i = 0; i < k->n_parts; i++)
		here += k->part[i].end_pfn - k->part[i].start_pfn;
	if (here < last->n_pfns)
		image_damaged(img,
			      "a part of a dump that was split: %llu of its %llu pages are in "
			      "other files, which --part adds",
			      (ull)(last->n_pfns - here), (ull)last->n_pfns);
}

static void note_damage(struct image *img, struct kdump *k, const struct kdump_part *p)
{
	uint64_t table = p->descs + p->n_descs * KDUMP_DESC_SIZE;

	if (p->status & KDUMP_INCOMPLETE)
		image_damaged(img, "makedumpfile ran out of space and marked it as incomplete");
	if (p->bitmap_cut)
		image_damaged(img, "the file ends inside its bitmaps");
	uint64_t end = kdump_promised_end(k, p);
	if (end < table)
		end = table;
	if (end > p->io->size)
		image_damaged(img, "its pages reach to byte %llu, the file has %llu", (ull)end,
			      (ull)p->io->size);
}

// --- Reading ---

// n bytes from `skip` on in a block.
static bool read_block(struct kdump *k, uint64_t number, size_t skip, uint8_t *buf, size_t n)
{
	if (n == k->block_size)
		return kdump_page(k, number, buf);
	if (k->block_number != number) {
		k->block_number = UINT64_MAX;
		if (!kdump_page(k, number, k->block))
			return false;
		k->block_number = number;
	}
	memcpy(buf, k->block + skip, n);
	return true;
}

static struct err *kdump_read(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			      void *buf, size_t n, size_t *got)
{
	struct kdump *k = ((struct image *)src)->priv;
	uint64_t at = run->off + delta;

	for (*got = 0; *got < n;) {
		size_t skip = (size_t)((at + *got) % k->block_size), part = k->block_size - skip;
		if (part > n - *got)
			part = n - *got;
		if (!read_block(k, (at + *got) / k->block_size, skip, (uint8_t *)buf + *got, part))
			break;
		*got += part;
	}
	return NULL;
}

static struct err *kdump_open(struct image *img)
{
	struct kdump *k = img->priv = mem_zalloc(1, sizeof(*k));

	TRY(take_parts(img, k));
	TRY(check_packing(k->part[0].status));
	TRY(map_parts(k));
	kdump_pages_init(k);
	TRY(take_notes(img, &k->part[0]));
	describe(img, k);
	note_gaps(img, k);
	for (size_t i = 0; i < k->n_parts; i++)
		note_damage(img, k, &k->part[i]);
	img->source.read = kdump_read;
	img->runs = k->runs.at;
	img->n_runs = k->runs.n;
	k->runs.at = NULL;
	return NULL;
}

static void kdump_close(struct image *img)
{
	struct kdump *k = img->priv;

	if (!k)
		return;
	for (size_t i = 0; i < k->n_parts; i++)
		if (k->part[i].io != img->io)
			io_close(k->part[i].io);
	mem_free(k->part);
	kdump_pages_fini(k);
	vec_fini(&k->runs);
	mem_free(k);
}

const struct fmt_ops fmt_kdump = {
	.name = "kdump",
	.doc = "kdump-compressed dump, split ones too: QEMU kdump-zlib, makedumpfile",
	.probe = kdump_probe,
	.open = kdump_open,
	.close = kdump_close,
};
