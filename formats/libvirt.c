// SPDX-License-Identifier: LGPL-2.1-or-later
// Domains saved by libvirt (`virsh save`, managed save): a header, the domain's XML, and QEMU's
// stream, plain or as gzip, bzip2, xz, lzop or zstd write it.
//
// libvirt src/qemu/qemu_saveimage.h: 16 bytes of magic, then u32 version, length of the XML and
// what is with it, was the domain running, format, place of the cookie, 14 unused; in the byte
// order of the host. In a "sparse" image the stream is mapped-ram, with offsets of this file.
#include "formats/readers.h"

#include "formats/layers.h"
#include "formats/libvirt_xml.h"
#include "formats/probe.h"
#include "formats/qemu_stream.h"
#include "formats/slice.h"
#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <string.h>

enum {
	HEADER_SIZE = 92,
	MAGIC_SIZE = 16,
	VERSION_MAX = 3,
	XML_MAX = 64 << 20,
};

static const char unfinished[] = "LibvirtQemudPart", whole[] = "LibvirtQemudSave";

static const char *const formats[] = {"raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse"};

struct header {
	uint32_t version, data_size, was_running, format;
	bool finished;
};

static const char *libvirt_probe(const struct fmt_probe *p)
{
	if (probe_has(p, 0, whole, MAGIC_SIZE))
		return "domain saved by libvirt";
	return probe_has(p, 0, unfinished, MAGIC_SIZE)
		       ? "domain whose save by libvirt is unfinished"
		       : NULL;
}

static uint32_t field(const uint8_t *h, unsigned i, bool big)
{
	const uint8_t *p = h + MAGIC_SIZE + (size_t)i * 4;

	return big ? be32(p) : le32(p);
}

static struct err *take_header(struct io *io, struct header *out)
{
	uint8_t h[HEADER_SIZE];
	size_t got;

	TRY(io_read(io, 0, h, sizeof(h), &got));
	if (got < sizeof(h))
		return err_new(ERR_FORMAT, "a domain saved by libvirt, cut inside the header");
	bool big = field(h, 0, false) > 0xffff;
	*out = (struct header){field(h, 0, big), field(h, 1, big), field(h, 2, big),
			       field(h, 3, big), memcmp(h, whole, MAGIC_SIZE) == 0};
	if (out->version > VERSION_MAX)
		return err_new(ERR_UNSUPPORTED,
			       "a domain saved by libvirt in version %u of its format; up to %d is "
			       "read",
			       out->version, VERSION_MAX);
	if (out->data_size > io->size - HEADER_SIZE)
		return err_new(ERR_FORMAT, "a domain saved by libvirt, cut inside its XML");
	return NULL;
}

static struct err *take_xml(struct image *img, const struct header *h, struct qemu_hints *hints)
{
	size_t n = h->data_size < XML_MAX ? h->data_size : XML_MAX, got;
	_cleanup_free_ char *xml = mem_alloc(n + 1);

	TRY(io_read(img->io, HEADER_SIZE, xml, n, &got));
	xml[got] = '\0'; // it has a NUL of its own, and padding behind that
	libvirt_xml(xml, img, hints);
	return NULL;
}

static void tell(struct image *img, const struct header *h)
{
	size_t n = sizeof(formats) / sizeof(formats[0]);

	image_fact(img, "Saved", "by libvirt (version %u, %s)%s", h->version,
		   h->format < n ? formats[h->format] : "in an unknown format",
		   h->was_running ? ", was running until then" : ", was paused already");
	if (!h->finished)
		image_damaged(img, "libvirt did not finish this save");
}

static bool is_stream(struct io *io, uint64_t off)
{
	uint8_t magic[4];
	size_t got;

	return !io_read(io, off, magic, sizeof(magic), &got) && got == sizeof(magic) &&
	       memcmp(magic, "QEVM", 4) == 0;
}

static struct err *refuse_payload(const struct header *h)
{
	if (h->format < sizeof(formats) / sizeof(formats[0]))
		return err_new(ERR_UNSUPPORTED,
			       "a domain saved by libvirt as %s, and in it is nothing that can be "
			       "unpacked by this build to a stream of QEMU",
			       formats[h->format]);
	return err_new(ERR_UNSUPPORTED, "a domain saved by libvirt in an unknown format (%u)",
		       h->format);
}

static struct err *unpack(struct image *img, const struct header *h, uint64_t off)
{
	_cleanup_(layers_fini) struct layers layers = {0};

	img->io = slice_new(img->io, off);
	TRY(layers_open(&img->io, img->opts, &layers));
	char *before = img->compression;
	img->compression = before && layers.kinds ? mem_printf("%s, %s", before, layers.kinds)
			   : layers.kinds	  ? mem_strdup(layers.kinds)
						  : before;
	if (img->compression != before)
		mem_free(before);
	if (layers.damage)
		image_damaged(img, "%s", layers.damage);
	return is_stream(img->io, 0) ? NULL : refuse_payload(h);
}

// Straight behind the XML, but a sparse image may be padded up to where its file system likes it.
static bool find_stream(struct io *io, uint64_t *off)
{
	static const uint64_t aligns[] = {1, 4 << 10, 64 << 10, 1 << 20};
	uint64_t from = *off;

	for (size_t i = 0; i < sizeof(aligns) / sizeof(aligns[0]); i++) {
		*off = (from + aligns[i] - 1) / aligns[i] * aligns[i];
		if (is_stream(io, *off))
			return true;
	}
	*off = from;
	return false;
}

static struct err *libvirt_open(struct image *img)
{
	struct qemu_hints hints = {0};
	struct header h = {0};

	TRY(take_header(img->io, &h));
	TRY(take_xml(img, &h, &hints));
	tell(img, &h);
	uint64_t off = HEADER_SIZE + (uint64_t)h.data_size;
	if (!find_stream(img->io, &off)) {
		TRY(unpack(img, &h, off));
		off = 0;
	}
	return qemu_stream_open(img, off, &hints);
}

const struct fmt_ops fmt_libvirt = {
	.name = "libvirt",
	.doc = "domain saved by libvirt: virsh save, managed save",
	.probe = libvirt_probe,
	.open = libvirt_open,
	.close = qemu_stream_close,
};
