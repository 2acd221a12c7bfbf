// SPDX-License-Identifier: LGPL-2.1-or-later
// qcow2 disk images: their header, their internal snapshots, the bytes of a saved VM state.
#ifndef VMI_FORMATS_QCOW2_H
#define VMI_FORMATS_QCOW2_H

#include "src/base/vec.h"
#include "src/phys/io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum qcow2_compression { QCOW2_ZLIB, QCOW2_ZSTD };

struct qcow2_snapshot {
	char id[64], name[256];
	uint64_t l1_off;
	uint32_t l1_size; // entries
	uint64_t vm_state_size, disk_size;
	uint32_t date; // seconds since the epoch
};

struct qcow2 {
	unsigned version, cluster_bits;
	bool extended_l2;
	enum qcow2_compression compression;
	uint64_t disk_size;
	uint32_t n_snapshots;
	uint64_t snapshots_off;
	VEC(struct qcow2_snapshot) snapshots;
};

// The header and the table of snapshots; refuses what can't be read, and says why.
struct err *qcow2_open(struct io *file, struct qcow2 *q);
void qcow2_fini(struct qcow2 *q);

// The VM state of a snapshot as an io of its own, which takes file over unless it fails.
struct err *qcow2_state_open(struct io *file, const struct qcow2 *q,
			     const struct qcow2_snapshot *snap, struct io **out);

// One compressed cluster of exactly out_n bytes; n is what is in the file, padding and all.
bool qcow2_unpack(enum qcow2_compression kind, const uint8_t *in, size_t n, uint8_t *out,
		  size_t out_n);
// The library that this build lacks for it, or NULL.
const char *qcow2_lacks(enum qcow2_compression kind);

#endif
