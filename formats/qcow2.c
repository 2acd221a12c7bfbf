// SPDX-License-Identifier: LGPL-2.1-or-later
// Headers and snapshot tables of qcow2 (QEMU docs/interop/qcow2.txt, versions 2 and 3).
#include "formats/qcow2.h"

#include "src/base/bytes.h"

#include <string.h>

enum {
	HEADER_V2 = 72,
	HEADER_V3 = 105, // with the compression type
	CLUSTER_BITS_MIN = 9,
	CLUSTER_BITS_MAX = 21,
	CLUSTER_BITS_EXTENDED = 14, // the least with extended L2 entries
	SNAPSHOTS_MAX = 65536,
	ENTRY_SIZE = 40,
	EXTRA_MAX = 1024,
};

// Bits of incompatible_features.
enum {
	FEATURE_DIRTY = 1 << 0,
	FEATURE_CORRUPT = 1 << 1,
	FEATURE_DATA_FILE = 1 << 2,
	FEATURE_COMPRESSION = 1 << 3,
	FEATURE_EXTENDED_L2 = 1 << 4,
	FEATURES = FEATURE_DIRTY | FEATURE_CORRUPT | FEATURE_COMPRESSION | FEATURE_EXTENDED_L2,
};

typedef unsigned long long ull;

static struct err *take_features(struct qcow2 *q, const uint8_t *h, size_t n)
{
	uint64_t features = be64(h + 72);

	if (features & FEATURE_DATA_FILE)
		return err_new(ERR_UNSUPPORTED, "a qcow2 image whose clusters are in another file "
						"(data_file); convert it with qemu-img");
	if (features & ~(uint64_t)FEATURES)
		return err_new(ERR_UNSUPPORTED, "a qcow2 image with unknown features (0x%llx)",
			       (ull)features);
	q->extended_l2 = features & FEATURE_EXTENDED_L2;
	if (!(features & FEATURE_COMPRESSION))
		return NULL;
	if (n < HEADER_V3 || h[104] > QCOW2_ZSTD)
		return err_new(ERR_UNSUPPORTED, "a qcow2 image with an unknown compression");
	q->compression = (enum qcow2_compression)h[104];
	return NULL;
}

static struct err *refuse_encryption(uint32_t method)
{
	if (method == 0)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "an encrypted qcow2 image (%s): recognised, not supported; decrypt it with "
		       "qemu-img convert, or load the snapshot (loadvm) and dump the guest "
		       "(dump-guest-memory)",
		       method == 1   ? "AES"
		       : method == 2 ? "LUKS"
				     : "by an unknown method");
}

static struct err *check_clusters(const struct qcow2 *q, uint32_t bits)
{
	if (bits < CLUSTER_BITS_MIN || bits > CLUSTER_BITS_MAX ||
	    (q->extended_l2 && bits < CLUSTER_BITS_EXTENDED))
		return err_new(ERR_FORMAT, "a qcow2 image with clusters of 2^%u bytes", bits);
	return NULL;
}

static struct err *take_header(struct io *file, struct qcow2 *q)
{
	uint8_t h[HEADER_V3] = {0};
	size_t n;

	TRY(io_read(file, 0, h, sizeof(h), &n));
	if (n < HEADER_V2 || memcmp(h, "QFI\xfb", 4) != 0)
		return err_new(ERR_FORMAT, "a qcow2 image that is cut inside its header");
	uint32_t version = be32(h + 4);
	if (version != 2 && version != 3)
		return err_new(ERR_UNSUPPORTED, "a qcow image of version %u; 2 and 3 are read",
			       version);
	TRY(refuse_encryption(be32(h + 32)));
	if (version == 3)
		TRY(take_features(q, h, n));
	TRY(check_clusters(q, be32(h + 20)));
	q->version = version;
	q->cluster_bits = be32(h + 20);
	q->disk_size = be64(h + 24);
	q->n_snapshots = be32(h + 60);
	q->snapshots_off = be64(h + 64);
	return NULL;
}

// --- Snapshots ---

static struct err *cut_table(void)
{
	return err_new(ERR_FORMAT, "a qcow2 image whose table of snapshots is cut");
}

static bool take_at(struct io *file, uint64_t off, void *buf, size_t n)
{
	size_t got;

	return !io_read(file, off, buf, n, &got) && got == n;
}

// A name that does not fit loses its end.
static bool take_text(struct io *file, uint64_t off, size_t n, char *text, size_t size)
{
	size_t part = n < size ? n : size - 1;

	memset(text, 0, size);
	return take_at(file, off, text, part);
}

static struct err *take_snapshot(struct io *file, const struct qcow2 *q, uint64_t *off,
				 struct qcow2_snapshot *s)
{
	uint8_t h[ENTRY_SIZE], extra[16];

	if (!take_at(file, *off, h, sizeof(h)))
		return cut_table();
	uint32_t n_extra = be32(h + 36);
	uint64_t id = *off + ENTRY_SIZE + n_extra;
	*s = (struct qcow2_snapshot){.l1_off = be64(h),
				     .l1_size = be32(h + 8),
				     .vm_state_size = be32(h + 32),
				     .disk_size = q->disk_size,
				     .date = be32(h + 16)};
	if (n_extra > EXTRA_MAX || (n_extra >= 8 && !take_at(file, *off + ENTRY_SIZE, extra, 8)) ||
	    (n_extra >= 16 && !take_at(file, *off + ENTRY_SIZE + 8, extra + 8, 8)) ||
	    !take_text(file, id, be16(h + 12), s->id, sizeof(s->id)) ||
	    !take_text(file, id + be16(h + 12), be16(h + 14), s->name, sizeof(s->name)))
		return cut_table();
	if (n_extra >= 8)
		s->vm_state_size = be64(extra);
	if (n_extra >= 16)
		s->disk_size = be64(extra + 8);
	*off = (id + be16(h + 12) + be16(h + 14) + 7) & ~UINT64_C(7);
	return NULL;
}

static struct err *take_snapshots(struct io *file, struct qcow2 *q)
{
	struct qcow2_snapshot s;
	uint64_t off = q->snapshots_off;

	if (q->n_snapshots > SNAPSHOTS_MAX)
		return err_new(ERR_LIMIT, "a qcow2 image with %u snapshots; %d are read at most",
			       q->n_snapshots, SNAPSHOTS_MAX);
	if (q->n_snapshots && off > file->size)
		return cut_table();
	for (uint32_t i = 0; i < q->n_snapshots; i++) {
		TRY(take_snapshot(file, q, &off, &s));
		vec_push(&q->snapshots, s);
	}
	return NULL;
}

struct err *qcow2_open(struct io *file, struct qcow2 *q)
{
	*q = (struct qcow2){0};
	TRY(take_header(file, q));
	return take_snapshots(file, q);
}

void qcow2_fini(struct qcow2 *q)
{
	vec_fini(&q->snapshots);
}
