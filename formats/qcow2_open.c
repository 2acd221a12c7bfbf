// SPDX-License-Identifier: LGPL-2.1-or-later
// VM state in internal snapshots of a qcow2 image (savevm): one of them is opened as a stream.
#include "formats/readers.h"

#include "formats/probe.h"
#include "formats/qcow2.h"
#include "formats/qemu_stream.h"
#include "src/base/scope.h"

#include <string.h>
#include <time.h>

enum { LISTED_MAX = 64 };

static const char *qcow2_probe(const struct fmt_probe *p)
{
	return probe_has(p, 0, "QFI\xfb", 4) ? "qcow2 disk image with saved VM state" : NULL;
}

static const char *day(const struct qcow2_snapshot *s, char *buf, size_t n)
{
	time_t t = (time_t)s->date;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(buf, n, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return "no date";
	return buf;
}

static bool is_called(const struct qcow2_snapshot *s, const char *wanted)
{
	return strcmp(s->name, wanted) == 0 || strcmp(s->id, wanted) == 0;
}

// The one that is asked for, else the newest; of the same second the later one.
static const struct qcow2_snapshot *choose(const struct qcow2 *q, const char *wanted, size_t *n)
{
	const struct qcow2_snapshot *s, *best = NULL;

	*n = 0;
	vec_foreach (s, &q->snapshots) {
		if (s->vm_state_size == 0)
			continue;
		++*n;
		if (wanted ? !best && is_called(s, wanted) : !best || s->date >= best->date)
			best = s;
	}
	return best;
}

static struct err *refuse(const struct qcow2 *q, const char *wanted, size_t n)
{
	if (n == 0)
		return err_new(ERR_UNSUPPORTED,
			       "a qcow2 disk image without saved VM state (%zu snapshots, of the "
			       "disk only): no memory in it; give a snapshot of the guest's memory",
			       q->snapshots.n);
	return err_new(ERR_USAGE,
		       "no snapshot with VM state is called %s; `vmiscan info` lists them", wanted);
}

static void tell(struct image *img, const struct qcow2 *q, const struct qcow2_snapshot *chosen,
		 size_t n)
{
	const struct qcow2_snapshot *s;
	char when[32];
	size_t listed = 0;

	image_fact(img, "Version", "%u, clusters of %llu bytes, packed ones by %s%s", q->version,
		   1ULL << q->cluster_bits, q->compression == QCOW2_ZSTD ? "zstd" : "zlib",
		   q->extended_l2 ? ", extended L2 entries" : "");
	image_fact(img, "Snapshot", "%s (number %s, %s)%s", chosen->name, chosen->id,
		   day(chosen, when, sizeof(when)),
		   n > 1 && !img->opts->snapshot ? ", the newest; --snapshot takes another" : "");
	vec_foreach (s, &q->snapshots)
		if (s->vm_state_size && s != chosen && listed++ < LISTED_MAX)
			image_fact(img, "Also has", "snapshot %s (number %s, %s)", s->name, s->id,
				   day(s, when, sizeof(when)));
}

static struct err *open_state(struct image *img, struct qcow2 *q)
{
	const char *wanted = img->opts->snapshot;
	size_t n;
	const struct qcow2_snapshot *s = choose(q, wanted, &n);

	if (!s)
		return refuse(q, wanted, n);
	if (qcow2_lacks(q->compression))
		return err_new(ERR_UNSUPPORTED,
			       "a qcow2 image compressed in a way that this build can't unpack: it "
			       "lacks %s",
			       qcow2_lacks(q->compression));
	TRY(qcow2_state_open(img->io, q, s, &img->io));
	tell(img, q, s, n);
	struct err *e = qemu_stream_open(img, 0, NULL);
	return e ? err_wrap(e, "snapshot %s", s->name) : NULL;
}

static struct err *qcow2_reader_open(struct image *img)
{
	_cleanup_(qcow2_fini) struct qcow2 q = {0};

	TRY(qcow2_open(img->io, &q));
	return open_state(img, &q);
}

const struct fmt_ops fmt_qcow2 = {
	.name = "qcow2",
	.doc = "VM state in a snapshot inside a qcow2 image (savevm)",
	.probe = qcow2_probe,
	.open = qcow2_reader_open,
	.close = qemu_stream_close,
};
