// SPDX-License-Identifier: LGPL-2.1-or-later
// From a path to a physical memory: file, decompression, detection, reader, checks.
#include "formats/readers.h"

#include "formats/known.h"
#include "formats/layers.h"
#include "formats/probe.h"
#include "formats/scratch.h"
#include "formats/vmware_partner.h"
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

void image_fact(struct image *img, const char *name, const char *fmt, ...)
{
	struct image_fact *f = mem_zalloc(1, sizeof(*f)), **last = &img->facts;
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	f->name = name;
	f->value = mem_strdup(words);
	while (*last)
		last = &(*last)->next;
	*last = f;
}

static void free_facts(struct image_fact *f)
{
	while (f) {
		struct image_fact *next = f->next;
		mem_free(f->value);
		mem_free(f);
		f = next;
	}
}

struct err *fmt_read_plain(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			   void *buf, size_t n, size_t *got)
{
	const struct image *img = (const struct image *)src;

	return io_read(img->io, run->off + delta, buf, n, got);
}

static struct err *take_layers_off(struct image *img, const struct fmt_options *opts,
				   struct probe_bytes *bytes, struct fmt_probe *inside)
{
	_cleanup_(layers_fini) struct layers layers = {0};

	TRY(layers_open_probed(&img->io, opts, bytes, inside, &layers));
	img->compression = layers.kinds;
	layers.kinds = NULL;
	if (layers.damage)
		image_damaged(img, "%s", layers.damage);
	return NULL;
}

// With fewer bytes of a longer file, a reader's own magic may be cut while another's is whole. No
// disk has smaller sectors.
enum { HEAD_LEAST = 512 };

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

	TRY(take_layers_off(img, opts, bytes, &p));
	if (opts->format)
		return forced(img, opts->format);
	if (p.head_size < HEAD_LEAST && p.head_size < p.size)
		return err_new(ERR_IO, "its first bytes can't be read");
	return detect(img, &p);
}

// Memory without a header may be half of a VMware snapshot.
static struct err *pair(struct image *img, const struct fmt_options *opts)
{
	if (img->fmt != &fmt_raw || opts->format)
		return opts->vmss ? err_new(ERR_USAGE,
					    "--vmss is for a .vmem, but the image is taken for %s",
					    img->fmt->name)
				  : NULL;
	if (opts->vmss)
		TRY(vmware_open_named(opts->vmss, &img->beside));
	else
		img->beside = vmware_find_state(img);
	if (img->beside) {
		img->fmt = &fmt_vmware;
		img->beside_role = "state";
		img->why = "memory that goes with a VMware state file (.vmss, .vmsn)";
	}
	return NULL;
}

static struct err *open_inside(struct image *img, const struct fmt_options *opts)
{
	TRY(recognise(img, opts));
	if (opts->n_parts > 0 && img->fmt != &fmt_kdump)
		return err_new(ERR_USAGE, "--part is for dumps that makedumpfile split, and this "
					  "is none");
	TRY(pair(img, opts));
	TRY(img->fmt->open(img));
	return physmem_new(&img->source, img->runs, img->n_runs, &img->mem);
}

// An error of reading has the name of its file before it.
static struct err *name(struct err *e, const char *path)
{
	size_t n = strlen(path);

	return strncmp(e->msg, path, n) == 0 && e->msg[n] == ':' ? e : err_wrap(e, "%s", path);
}

struct err *image_open(const char *path, const struct fmt_options *opts, struct image **out)
{
	static const struct fmt_options defaults;
	struct image *img = mem_zalloc(1, sizeof(*img));
	struct err *e = io_open_file(path, &img->io);

	img->opts = opts ? opts : &defaults;
	if (!e) {
		e = open_inside(img, img->opts);
		img->opts = NULL;
		if (e)
			e = name(e, path);
	}
	if (e)
		image_close(img);
	else
		*out = img;
	return e;
}

void image_files(const char *path, const struct fmt_options *opts,
		 void (*visit)(void *arg, const char *path), void *arg)
{
	visit(arg, path);
	if (opts->vmss)
		visit(arg, opts->vmss);
	for (size_t i = 0; i < opts->n_parts; i++)
		visit(arg, opts->parts[i]);
	vmware_partners(path, visit, arg);
}

// Of every file one layer is unpacked, and once more the memory in a save of libvirt.
void image_scratch_ready(const struct fmt_options *opts)
{
	scratch_ready(2 + opts->n_parts);
}

void image_close(struct image *img)
{
	if (!img)
		return;
	if (img->fmt && img->fmt->close)
		img->fmt->close(img);
	physmem_free(img->mem);
	io_close(img->io);
	io_close(img->beside);
	mem_free(img->compression);
	mem_free(img->runs);
	mem_free(img->vcpus);
	mem_free(img->vmcoreinfo);
	mem_free(img->truncated_why);
	mem_free(img->layout_note);
	mem_free(img->flat);
	free_facts(img->facts);
	mem_free(img);
}
