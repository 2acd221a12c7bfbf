// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes qcow2 images with VM state in their snapshots.
#include "tests/unit/qcow2_build.h"

#include "src/base/mem.h"
#include "tests/unit/qemu_build.h"

#include <criterion/criterion.h>

#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { L2_ENTRIES = Q2_CLUSTER / 8, DISK_SIZE = 1 << 20, TABLE_AT = Q2_CLUSTER };

static void put_be(struct blob *b, size_t off, uint64_t v, size_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	blob_put(b, off, bytes, n);
}

void q2_head(struct blob *b, enum q2_kind compression)
{
	blob_put(b, 0, "QFI\xfb\0\0\0\3", 8);
	put_be(b, 20, Q2_CLUSTER_BITS, 4);
	put_be(b, 24, DISK_SIZE, 8);
	put_be(b, 72, compression == Q2_ZSTD ? 8 : 0, 8);
	put_be(b, 100, 112, 4);
	put_be(b, 104, compression == Q2_ZSTD, 1);
	blob_put(b, 2 * Q2_CLUSTER - 1, "", 1);
}

static size_t pack_zlib(uint8_t *out, size_t room, const uint8_t *in)
{
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)in,
		      .avail_in = Q2_CLUSTER,
		      .next_out = out,
		      .avail_out = (uInt)room};

	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY), Z_OK);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return room - z.avail_out;
}

static void align(struct blob *b)
{
	if (b->n % Q2_CLUSTER)
		blob_put(b, (b->n / Q2_CLUSTER + 1) * Q2_CLUSTER - 1, "", 1);
}

// The L2 entry of one cluster, whose bytes are put at the end.
static uint64_t put_cluster(struct blob *b, enum q2_kind kind, const uint8_t *bytes)
{
	static const uint8_t zero[Q2_CLUSTER];
	uint8_t packed[3 * Q2_CLUSTER];
	size_t n;

	if (memcmp(bytes, zero, Q2_CLUSTER) == 0)
		return 0;
	if (kind == Q2_PLAIN) {
		align(b);
		blob_append(b, bytes, Q2_CLUSTER);
		return (b->n - Q2_CLUSTER) | UINT64_C(1) << 63;
	}
	n = kind == Q2_ZLIB ? pack_zlib(packed, sizeof(packed), bytes)
			    : ZSTD_compress(packed, sizeof(packed), bytes, Q2_CLUSTER, 3);
	cr_assert_leq(n, Q2_CLUSTER, "tests have compressible states");
	uint64_t off = b->n, sectors = (off % 512 + n + 511) / 512;
	blob_append(b, packed, n);
	return off | (sectors - 1) << (62 - (Q2_CLUSTER_BITS - 8)) | UINT64_C(1) << 62;
}

uint64_t q2_state(struct blob *b, enum q2_kind kind, const void *state, size_t n, uint32_t *l1_size)
{
	size_t clusters = (n + Q2_CLUSTER - 1) / Q2_CLUSTER;
	struct blob l1 = {0}, l2 = {0};
	const size_t first = DISK_SIZE / (Q2_CLUSTER * L2_ENTRIES) +
			     (DISK_SIZE % (Q2_CLUSTER * L2_ENTRIES) != 0);

	for (size_t i = 0; i < first; i++)
		q_be(&l1, 0, 8);
	for (size_t i = 0; i < clusters; i++) {
		uint8_t cluster[Q2_CLUSTER] = {0};
		size_t at = i * Q2_CLUSTER, part = n - at < Q2_CLUSTER ? n - at : Q2_CLUSTER;
		memcpy(cluster, (const uint8_t *)state + at, part);
		q_be(&l2, put_cluster(b, kind, cluster), 8);
		if (l2.n < Q2_CLUSTER && i + 1 < clusters)
			continue;
		align(b);
		q_be(&l1, b->n | UINT64_C(1) << 63, 8);
		blob_append(b, l2.at, l2.n);
		align(b);
		blob_fini(&l2);
	}
	align(b);
	uint64_t off = b->n;
	blob_append(b, l1.at, l1.n);
	*l1_size = (uint32_t)(l1.n / 8);
	blob_fini(&l1);
	return off;
}

void q2_entry(struct blob *b, size_t *off, const char *id, const char *name, uint32_t date,
	      uint64_t l1_off, uint32_t l1_size, uint64_t state_size)
{
	size_t at = *off, n = strlen(id), m = strlen(name);

	put_be(b, at, l1_off, 8);
	put_be(b, at + 8, l1_size, 4);
	put_be(b, at + 12, n, 2);
	put_be(b, at + 14, m, 2);
	put_be(b, at + 16, date, 4);
	put_be(b, at + 32, 0, 4);
	put_be(b, at + 36, 24, 4);
	put_be(b, at + 40, state_size, 8);
	put_be(b, at + 48, DISK_SIZE, 8);
	put_be(b, at + 56, 0, 8);
	blob_put(b, at + 64, id, n);
	blob_put(b, at + 64 + n, name, m);
	*off = (at + 64 + n + m + 7) / 8 * 8;
	if (b->n < *off)
		blob_put(b, *off - 1, "", 1);
}

void q2_table(struct blob *b, uint32_t n, uint64_t off)
{
	put_be(b, 60, n, 4);
	put_be(b, 64, off, 8);
}

void q2_image(struct blob *b, enum q2_kind kind, const void *state, size_t n)
{
	size_t table = TABLE_AT;
	uint32_t l1_size;

	q2_head(b, kind);
	uint64_t l1 = q2_state(b, kind, state, n, &l1_size);
	q2_table(b, 1, table);
	q2_entry(b, &table, "1", "one", 1000, l1, l1_size, n);
}
