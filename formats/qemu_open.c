// SPDX-License-Identifier: LGPL-2.1-or-later
// The reader of migration streams: indexed once when it is opened, then read at random.
#include "formats/qemu_stream.h"

#include "formats/probe.h"
#include "formats/readers.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <string.h>

static bool read_page(struct qemu_stream *s, uint64_t page, uint8_t *out)
{
	return s->mapped ? qemu_mapped_read(s, page, out)
			 : qindex_read(&s->ix, s->img->io, page, out);
}

static struct err *stream_read(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			       void *buf, size_t n, size_t *got)
{
	struct qemu_stream *s = ((const struct image *)src)->priv;
	uint8_t page[PAGE_SIZE];

	while (*got < n) {
		uint64_t at = run->off + delta + *got;
		size_t in = at % PAGE_SIZE, room = PAGE_SIZE - in;
		size_t part = room < n - *got ? room : n - *got;
		bool whole = part == PAGE_SIZE;
		if (!read_page(s, at / PAGE_SIZE, whole ? (uint8_t *)buf + *got : page))
			break;
		if (!whole)
			memcpy((uint8_t *)buf + *got, page + in, part);
		*got += part;
	}
	return NULL;
}

static void tell(const struct qemu_stream *s)
{
	image_fact(s->img, "Stream", "of version 3%s", s->footers ? "" : ", without footers");
	if (s->machine[0])
		image_fact(s->img, "Machine", "%s", s->machine);
	qemu_ram_facts(s);
	if (s->runstate[0])
		image_fact(s->img, "Guest", "%s when it was saved", s->runstate);
}

// Those that write footers also describe their devices, at the very end.
static void check_end(const struct qemu_stream *s)
{
	if (s->dev_off && s->dev_end == s->end && s->footers && !s->described)
		image_damaged(s->img, "the migration stream ends inside the sections of its "
				      "devices");
}

static struct err *open_all(struct qemu_stream *s)
{
	TRY(qemu_take_all(s));
	if (s->blocks.n == 0)
		return err_new(ERR_FORMAT, "a migration stream without RAM in it%s%s",
			       s->img->truncated_why ? ": " : "",
			       s->img->truncated_why ? s->img->truncated_why : "");
	if (s->mapped)
		TRY(qemu_mapped_settle(s));
	qemu_devices(s);
	check_end(s);
	tell(s);
	return qemu_layout(s);
}

struct err *qemu_stream_open(struct image *img, uint64_t off, const struct qemu_hints *hints)
{
	struct qemu_stream *s = mem_zalloc(1, sizeof(*s));

	s->img = img;
	s->hints = hints;
	s->end = img->io->size;
	img->priv = s;
	img->source.read = stream_read;
	window_init(&s->w, img->io, off, WINDOW_SIZE);
	struct err *e = open_all(s);
	window_fini(&s->w);
	s->hints = NULL;
	return e;
}

void qemu_stream_close(struct image *img)
{
	struct qemu_stream *s = img->priv;

	if (!s)
		return;
	for (size_t i = 0; i < s->blocks.n; i++)
		mem_free(s->blocks.at[i].bitmap);
	vec_fini(&s->blocks);
	qindex_fini(&s->ix);
	window_fini(&s->w);
	mem_free(s);
	img->priv = NULL;
}

static const char magic[8] = {'Q', 'E', 'V', 'M', 0, 0, 0, 3};

// `migrate file:NAME,offset=N` leaves a hole before the stream.
static const char *stream_probe(const struct fmt_probe *p)
{
	size_t n = 0;

	if (probe_has(p, 0, magic, 4))
		return "migration stream of QEMU";
	while (n < p->head_size && p->head[n] == 0)
		n++;
	return probe_has(p, n, magic, sizeof(magic)) ? "migration stream of QEMU, behind a hole"
						     : NULL;
}

// Where nothing but the user says that there is a stream, something else may stand before it.
static struct err *find_start(struct io *io, uint64_t *off)
{
	uint8_t first[sizeof(magic)];
	size_t got;

	*off = 0;
	TRY(io_read(io, 0, first, sizeof(first), &got));
	if (got == sizeof(first) && memcmp(first, magic, sizeof(magic)) == 0)
		return NULL;
	_cleanup_free_ uint8_t *head = mem_alloc(PROBE_HEAD);
	TRY(io_read(io, 0, head, PROBE_HEAD, &got));
	const uint8_t *at = memmem(head, got, magic, sizeof(magic));
	*off = at ? (uint64_t)(at - head) : 0;
	return NULL;
}

static struct err *stream_open(struct image *img)
{
	uint64_t off;

	TRY(find_start(img->io, &off));
	return qemu_stream_open(img, off, NULL);
}

const struct fmt_ops fmt_qemu_stream = {
	.name = "qemu",
	.doc = "QEMU migration stream: migrate to a file, virsh dump without --memory-only",
	.probe = stream_probe,
	.open = stream_open,
	.close = qemu_stream_close,
};
