// SPDX-License-Identifier: LGPL-2.1-or-later
// From a path to a physical memory: file, decompression, detection, reader, checks.
#include "formats/readers.h"

#include "formats/known.h"
#include "formats/probe.h"
#include "formats/zstd.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void image_damaged(struct image *img, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	char *before = img->truncated_why;
	img->truncated_why = before ? mem_printf("%s; %s", before, words) : mem_strdup(words);
	mem_free(before);
	img->truncated = true;
}

struct err *fmt_read_plain(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			   void *buf, size_t n, size_t *got)
{
	const struct image *img = (const struct image *)src;

	return io_read(img->io, run->off + delta, buf, n, got);
}

static struct err *unpack(struct image *img, const struct fmt_options *opts,
			  const struct fmt_probe *p, bool *changed)
{
	struct zstd_view view;

	*changed = zstd_is(p);
	if (!*changed)
		return NULL;
	TRY(zstd_open(img->io, p, opts, &view));
	img->io = view.io;
	img->compression = mem_strdup(view.kind);
	if (view.damage)
		image_damaged(img, "%s", view.damage);
	mem_free(view.damage);
	return NULL;
}

static struct err *forced(struct image *img, const char *name)
{
	for (const struct fmt_ops *const *f = fmt_registry; *f; f++)
		if (strcmp((*f)->name, name) == 0) {
			img->fmt = *f;
			img->why = "--format";
			return NULL;
		}
	return err_new(ERR_USAGE, "there is no format named %s; `--format help` lists them", name);
}

static struct err *nobody(const struct fmt_probe *p)
{
	if (p->size < PAGE_SIZE)
		return err_new(ERR_FORMAT, "not a memory image: only %llu bytes, less than a page",
			       (unsigned long long)p->size);
	return err_new(ERR_FORMAT, "not a memory image: it is text");
}

static struct err *detect(struct image *img, const struct fmt_probe *p)
{
	struct err *known = known_refusal(p);

	if (known)
		return known;
	for (const struct fmt_ops *const *f = fmt_registry; *f; f++) {
		img->why = (*f)->probe(p);
		img->fmt = *f;
		if (img->why)
			return NULL;
	}
	return nobody(p);
}

static struct err *recognise(struct image *img, const struct fmt_options *opts)
{
	_cleanup_free_ struct probe_bytes *bytes = mem_alloc(sizeof(*bytes));
	struct fmt_probe p;
	bool changed;

	TRY(probe_load(img->io, bytes, &p));
	TRY(unpack(img, opts, &p, &changed));
	if (changed)
		TRY(probe_load(img->io, bytes, &p));
	if (opts->format)
		return forced(img, opts->format);
	return p.head_size ? detect(img, &p) : err_new(ERR_IO, "its first bytes can't be read");
}

static struct err *open_inside(struct image *img, const struct fmt_options *opts)
{
	TRY(recognise(img, opts));
	TRY(img->fmt->open(img));
	return physmem_new(&img->source, img->runs, img->n_runs, &img->mem);
}

struct err *image_open(const char *path, const struct fmt_options *opts, struct image **out)
{
	static const struct fmt_options defaults;
	struct image *img = mem_zalloc(1, sizeof(*img));
	struct err *e = io_open_file(path, &img->io);

	if (!e) {
		e = open_inside(img, opts ? opts : &defaults);
		if (e)
			e = err_wrap(e, "%s", path);
	}
	if (e)
		image_close(img);
	else
		*out = img;
	return e;
}

void image_close(struct image *img)
{
	if (!img)
		return;
	if (img->fmt && img->fmt->close)
		img->fmt->close(img);
	physmem_free(img->mem);
	io_close(img->io);
	mem_free(img->compression);
	mem_free(img->runs);
	mem_free(img->vcpus);
	mem_free(img->vmcoreinfo);
	mem_free(img->truncated_why);
	mem_free(img->layout_note);
	mem_free(img);
}
