// SPDX-License-Identifier: LGPL-2.1-or-later
// Saved domains of Xen: xl's header, libxl's header and record, libxc's stream; each of the inner
// two also alone.
//
// In the page tables and CR3 of a paravirtual guest libxc replaced the host's frames by the
// guest's, so here, unlike in a core, they are followed as they are.
#include "formats/readers.h"

#include "formats/probe.h"
#include "formats/xensave.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <string.h>

static const char XL_MAGIC[] = "Xen saved domain, xl format\n \0 \r";
static const char LIBXL_MAGIC[] = "LibxlFmt";
static const char LIBXC_MAGIC[] = "\xff\xff\xff\xff\xff\xff\xff\xffXENF";

enum {
	XL_MAGIC_SIZE = 32,
	MAGIC_SIZE = 8,
	XL_HEAD = 48,
	LIBXL_HEAD = 16,
	LIBXC_HEAD = 24 + 16, // of the image and of the domain
	LIBXL_VERSION = 2,
	LIBXL_CONTEXT = 1, // the record after which libxc's stream comes
	TYPE_PV = 1,
	TYPE_HVM = 2,
};
#define XL_BYTE_ORDER 0x01020304U

static const char *xensave_probe(const struct fmt_probe *p)
{
	if (probe_has(p, 0, XL_MAGIC, XL_MAGIC_SIZE))
		return "domain saved by xl";
	if (probe_has(p, 0, LIBXL_MAGIC, MAGIC_SIZE))
		return "domain saved by libxl";
	if (probe_has(p, 0, LIBXC_MAGIC, sizeof(LIBXC_MAGIC) - 1))
		return "domain saved by libxc";
	return NULL;
}

static struct err *cut(const char *where)
{
	return err_new(ERR_FORMAT, "a saved domain of Xen that is cut inside %s", where);
}

static struct err *other_order(void)
{
	return err_new(ERR_UNSUPPORTED, "a saved domain of a big-endian host; only x86-64 guests "
					"are read");
}

static bool next_is(struct xensave *s, const char *magic, size_t n)
{
	return window_need(&s->w, n) && memcmp(window_at(&s->w), magic, n) == 0;
}

// Streams of Xen 4.5 and before have no magic of their own.
static struct err *legacy(void)
{
	return err_new(ERR_UNSUPPORTED,
		       "a domain saved by Xen 4.5 or older (legacy stream): recognised, not "
		       "supported; restore it and save it again with a newer Xen, or dump its "
		       "memory (xl dump-core)");
}

static struct err *skip_xl_head(struct xensave *s)
{
	const uint8_t *p;

	if (!next_is(s, XL_MAGIC, XL_MAGIC_SIZE))
		return NULL;
	if (!window_take(&s->w, XL_HEAD, &p))
		return cut("xl's header");
	if (le32(p + 32) != XL_BYTE_ORDER)
		return other_order();
	window_skip(&s->w, le32(p + 44)); // the domain's configuration
	if (!window_need(&s->w, MAGIC_SIZE))
		return cut("xl's header");
	return next_is(s, LIBXL_MAGIC, MAGIC_SIZE) ? NULL : legacy();
}

static struct err *skip_libxl_head(struct xensave *s)
{
	const uint8_t *p;

	if (!next_is(s, LIBXL_MAGIC, MAGIC_SIZE))
		return NULL;
	if (!window_take(&s->w, LIBXL_HEAD, &p))
		return cut("libxl's header");
	if (be32(p + 8) != LIBXL_VERSION)
		return err_new(ERR_UNSUPPORTED,
			       "a saved domain of libxl stream version %u; %d is "
			       "read",
			       be32(p + 8), LIBXL_VERSION);
	if (be32(p + 12) & 1)
		return other_order();
	while (window_take(&s->w, 8, &p)) {
		uint64_t size = le32(p + 4);
		if (le32(p) == LIBXL_CONTEXT)
			return NULL;
		window_skip(&s->w, (size + 7) / 8 * 8);
	}
	return cut("libxl's records");
}

static struct err *take_domain(struct xensave *s, const uint8_t *head)
{
	uint32_t type = le32(head);

	if (type != TYPE_PV && type != TYPE_HVM)
		return err_new(
			ERR_UNSUPPORTED,
			"a saved domain of type %u; only x86 PV, PVH and HVM guests are read",
			type);
	if (le16(head + 4) != PAGE_SHIFT)
		return err_new(
			ERR_UNSUPPORTED,
			"a saved domain with pages of 2^%u bytes; only x86-64 guests are read",
			le16(head + 4));
	s->pv = type == TYPE_PV;
	image_fact(s->img, "Saved by", "Xen %u.%u, libxc stream version %u", le32(head + 8),
		   le32(head + 12), s->version);
	return NULL;
}

static struct err *take_libxc_head(struct xensave *s)
{
	const uint8_t *p;

	if (!window_take(&s->w, LIBXC_HEAD, &p))
		return cut("libxc's header");
	if (memcmp(p, LIBXC_MAGIC, sizeof(LIBXC_MAGIC) - 1) != 0)
		return legacy();
	s->version = be32(p + 12);
	if (s->version != 2 && s->version != 3)
		return err_new(ERR_UNSUPPORTED,
			       "a saved domain of libxc stream version %u; 2 and 3 "
			       "are read",
			       s->version);
	if (p[17] & 1) // be16 options at 16
		return other_order();
	return take_domain(s, p + 24);
}

static void tell(struct xensave *s)
{
	typedef unsigned long long ull;

	if (!s->ended)
		image_damaged(s->img, "the stream has no end: it is cut, and pages may be of older "
				      "passes, or missing");
	if (s->n_beyond)
		image_damaged(s->img, "%llu pages lie beyond the end of the file",
			      (ull)s->n_beyond);
	if (s->n_odd)
		image_damaged(s->img, "%llu records have contents that pass their ends",
			      (ull)s->n_odd);
	if (s->frames.n_impossible)
		image_damaged(s->img, "%llu frames are beyond any memory",
			      (ull)s->frames.n_impossible);
}

static struct err *open_stream(struct xensave *s)
{
	struct image *img = s->img;

	TRY(skip_xl_head(s));
	TRY(skip_libxl_head(s));
	TRY(take_libxc_head(s));
	TRY(xensave_records(s));
	img->runs = frames_settle(&s->frames, &img->n_runs);
	if (img->n_runs == 0)
		return err_new(ERR_FORMAT, "a saved domain of Xen without a page of memory%s",
			       s->ended ? "" : ": it is cut");
	tell(s);
	img->vcpus = s->vcpus.at;
	img->n_vcpus = s->vcpus.n;
	s->vcpus.at = NULL;
	img->source.read = fmt_read_plain;
	img->why = s->pv ? "saved Xen domain (xl save), PV guest"
			 : "saved Xen domain (xl save), PVH or HVM guest";
	return NULL;
}

static struct err *xensave_open(struct image *img)
{
	struct xensave s = {.img = img};

	window_init(&s.w, img->io, 0, XENSAVE_WINDOW);
	struct err *e = open_stream(&s);
	window_fini(&s.w);
	frames_fini(&s.frames);
	vec_fini(&s.vcpus);
	return e;
}

const struct fmt_ops fmt_xensave = {
	.name = "xen-save",
	.doc = "Xen xl save: PV, PVH and HVM guests, libxc streams of version 2 and 3",
	.probe = xensave_probe,
	.open = xensave_open,
};
