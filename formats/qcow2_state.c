// SPDX-License-Identifier: LGPL-2.1-or-later
// The VM state of a snapshot: what lies behind the end of the disk in the snapshot's own L1 table.
//
// It starts at the first L1 entry that the disk of the snapshot does not need. Clusters are plain,
// zero, compressed, or not there, which is zero too: a backing file has no part in VM state.
#include "formats/qcow2.h"

#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <string.h>

enum { KEPT = 8, SUBCLUSTERS = 32 };

static const uint64_t OFFSET_MASK = UINT64_C(0x00fffffffffffe00);
static const uint64_t COMPRESSED = UINT64_C(1) << 62;
static const uint64_t ALL_ZEROS = 1;
static const uint64_t NONE = UINT64_MAX;

struct table {
	uint64_t off;
	uint8_t *bytes;
};

struct state_io {
	struct io io;
	struct io *file;
	struct qcow2 q; // without its list
	uint64_t start; // of the state in the disk's addresses
	uint8_t *l1;
	uint32_t l1_size;
	struct table l2[KEPT];
	uint64_t unpacked; // the L2 entry of the cluster in `cluster`
	uint8_t *cluster, *packed;
};

static size_t cluster_size(const struct state_io *s)
{
	return (size_t)1 << s->q.cluster_bits;
}

static unsigned l2_bits(const struct qcow2 *q)
{
	return q->cluster_bits - (q->extended_l2 ? 4 : 3);
}

// The L2 table at off, or NULL where the file does not have it.
static const uint8_t *get_l2(struct state_io *s, uint64_t off)
{
	struct table *t = &s->l2[(off >> s->q.cluster_bits) % KEPT];
	size_t got;

	if (t->bytes && t->off == off)
		return t->bytes;
	if (!t->bytes)
		t->bytes = mem_alloc(cluster_size(s));
	t->off = NONE;
	if (io_read(s->file, off, t->bytes, cluster_size(s), &got) || got < cluster_size(s))
		return NULL;
	t->off = off;
	return t->bytes;
}

// What stands for the cluster of a disk address: its L2 entry, 0 for none, and the subclusters.
static bool look_up(struct state_io *s, uint64_t addr, uint64_t *entry, uint64_t *subclusters)
{
	uint64_t cluster = addr >> s->q.cluster_bits, i1 = cluster >> l2_bits(&s->q);
	size_t i2 = (size_t)(cluster & ((UINT64_C(1) << l2_bits(&s->q)) - 1));

	*entry = *subclusters = 0;
	if (i1 >= s->l1_size)
		return false;
	uint64_t off = be64(s->l1 + i1 * 8) & OFFSET_MASK;
	if (off == 0)
		return true;
	const uint8_t *l2 = get_l2(s, off);
	if (!l2)
		return false;
	*entry = be64(l2 + i2 * (s->q.extended_l2 ? 16 : 8));
	if (s->q.extended_l2)
		*subclusters = be64(l2 + i2 * 16 + 8);
	return true;
}

static bool unpack(struct state_io *s, uint64_t entry)
{
	unsigned bits = s->q.cluster_bits - 8, shift = 62 - bits;
	uint64_t off = entry & ((UINT64_C(1) << shift) - 1);
	size_t sectors = (size_t)(entry >> shift & ((1U << bits) - 1)) + 1;
	size_t n = sectors * 512 - off % 512, got;

	if (s->unpacked == entry)
		return true;
	s->unpacked = NONE;
	if (!s->packed) {
		s->packed = mem_alloc(cluster_size(s) + 1024);
		s->cluster = mem_alloc(cluster_size(s));
	}
	if (n > cluster_size(s) + 1024)
		n = cluster_size(s) + 1024;
	// The last sector may be the file's, and cut.
	if (io_read(s->file, off, s->packed, n, &got) ||
	    !qcow2_unpack(s->q.compression, s->packed, got, s->cluster, cluster_size(s)))
		return false;
	s->unpacked = entry;
	return true;
}

// Whether a byte of a cluster is stored; with subclusters *n is cut to the end of its own.
static bool is_stored(const struct state_io *s, uint64_t entry, uint64_t subclusters, size_t in,
		      size_t *n)
{
	if (!s->q.extended_l2)
		return (entry & OFFSET_MASK) && !(entry & ALL_ZEROS);
	size_t size = cluster_size(s) / SUBCLUSTERS, left = size - in % size;
	*n = left < *n ? left : *n;
	return (entry & OFFSET_MASK) && (subclusters >> in / size & 1);
}

// Up to n bytes at a disk address, all in one cluster; gives how many there are.
static size_t read_part(struct state_io *s, uint64_t addr, uint8_t *buf, size_t n)
{
	size_t in = (size_t)(addr & (cluster_size(s) - 1)), got;
	uint64_t entry, subclusters;

	if (n > cluster_size(s) - in)
		n = cluster_size(s) - in;
	if (!look_up(s, addr, &entry, &subclusters))
		return 0;
	if (entry & COMPRESSED) {
		if (!unpack(s, entry & ~(UINT64_C(3) << 62)))
			return 0;
		memcpy(buf, s->cluster + in, n);
		return n;
	}
	if (!is_stored(s, entry, subclusters, in, &n)) {
		memset(buf, 0, n);
		return n;
	}
	return io_read(s->file, (entry & OFFSET_MASK) + in, buf, n, &got) ? 0 : got;
}

static struct err *state_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	struct state_io *s = (struct state_io *)io;
	size_t part;

	for (*got = 0; *got < n; *got += part) {
		part = read_part(s, s->start + off + *got, (uint8_t *)buf + *got, n - *got);
		if (part == 0)
			break;
	}
	return NULL;
}

static void state_close(struct io *io)
{
	struct state_io *s = (struct state_io *)io;

	for (size_t i = 0; i < KEPT; i++)
		mem_free(s->l2[i].bytes);
	mem_free(s->l1);
	mem_free(s->cluster);
	mem_free(s->packed);
	io_close(s->file);
}

static const struct io_ops state_ops = {state_read, state_close};

static struct err *read_l1(struct io *file, const struct qcow2_snapshot *snap, uint8_t **l1)
{
	uint64_t n = (uint64_t)snap->l1_size * 8;

	if (snap->l1_off > file->size || n > file->size - snap->l1_off)
		return err_new(ERR_FORMAT,
			       "the qcow2 image is cut: it does not have the L1 table "
			       "of its snapshot %s",
			       snap->name);
	*l1 = mem_alloc((size_t)n + 1);
	return io_read_all(file, snap->l1_off, *l1, (size_t)n);
}

// Where the state starts, and how much of it L1 can lead to.
static bool place(const struct qcow2 *q, const struct qcow2_snapshot *snap, uint64_t *start,
		  uint64_t *room)
{
	unsigned shift = q->cluster_bits + l2_bits(q);
	uint64_t first = (snap->disk_size >> shift) +
			 ((snap->disk_size & ((UINT64_C(1) << shift) - 1)) != 0);

	if (first >= snap->l1_size || (uint64_t)snap->l1_size > UINT64_MAX >> shift)
		return false;
	*start = first << shift;
	*room = (snap->l1_size - first) << shift;
	return true;
}

struct err *qcow2_state_open(struct io *file, const struct qcow2 *q,
			     const struct qcow2_snapshot *snap, struct io **out)
{
	_cleanup_free_ uint8_t *l1 = NULL;
	uint64_t start, room;

	if (!place(q, snap, &start, &room))
		return err_new(ERR_FORMAT, "the L1 table of the qcow2 snapshot %s has no VM state",
			       snap->name);
	TRY(read_l1(file, snap, &l1));
	struct state_io *s = mem_zalloc(1, sizeof(*s));
	s->io = (struct io){&state_ops, mem_strdup(file->path),
			    snap->vm_state_size < room ? snap->vm_state_size : room};
	s->file = file;
	s->q = *q;
	s->start = start;
	s->l1 = l1;
	l1 = NULL;
	s->l1_size = snap->l1_size;
	s->unpacked = NONE;
	*out = &s->io;
	return NULL;
}
