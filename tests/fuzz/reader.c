// SPDX-License-Identifier: LGPL-2.1-or-later
// A reader over bytes in memory.
#include "tests/fuzz/reader.h"

#include "formats/probe.h"
#include "src/base/mem.h"
#include "src/phys/runs.h"

#include <string.h>

enum { PAGES_READ = 64, TABLES_TRIED = 16 };

struct fuzz_bytes {
	struct io io;
	const uint8_t *data;
};

static struct err *read_bytes(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	memcpy(buf, ((const struct fuzz_bytes *)io)->data + off, n);
	*got = n;
	return NULL;
}

static void close_bytes(struct io *io)
{
	(void)io;
}

static const struct io_ops ops = {read_bytes, close_bytes};

struct io *fuzz_io(const uint8_t *data, size_t n)
{
	struct fuzz_bytes *b = mem_zalloc(1, sizeof(*b));

	b->io = (struct io){&ops, mem_strdup("memory"), n};
	b->data = data;
	return &b->io;
}

static void read_page(struct image *img, const struct mem_run *run, uint64_t delta)
{
	uint8_t page[PAGE_SIZE];
	uint64_t left = run->size - delta;
	size_t got;

	(void)img->source.read(&img->source, run, delta, page,
			       left < PAGE_SIZE ? (size_t)left : PAGE_SIZE, &got);
}

// What physmem_new() would refuse; then the ends of runs, and what page tables could lead to. A
// physmem itself has a cache so large that most of the time would go into making it.
static void look_around(struct image *img)
{
	struct runs runs;
	uint64_t frame;

	if (runs_init(&runs, img->runs, img->n_runs))
		return;
	for (size_t i = 0; i < runs.n && i < PAGES_READ; i++) {
		if (runs.at[i].state != MEM_PRESENT)
			continue;
		read_page(img, &runs.at[i], 0);
		read_page(img, &runs.at[i], runs.at[i].size - 1);
	}
	for (uint64_t i = 0; i < TABLES_TRIED && img->source.guest_frame; i++)
		(void)img->source.guest_frame(&img->source, 0x100000 + i, &frame);
	runs_fini(&runs);
}

void fuzz_reader(const struct fmt_ops *fmt, const uint8_t *data, size_t n, struct io *beside)
{
	static const struct fmt_options defaults;
	static struct probe_bytes bytes;
	struct image *img = mem_zalloc(1, sizeof(*img));
	struct fmt_probe p;

	*img = (struct image){
		.fmt = fmt, .io = fuzz_io(data, n), .beside = beside, .opts = &defaults};
	if (!probe_load(img->io, &bytes, &p) && (beside || fmt->probe(&p)) && !fmt->open(img))
		look_around(img);
	image_close(img);
}
