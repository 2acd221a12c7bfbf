// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes qcow2 images with VM state in their snapshots.
#ifndef VMI_TESTS_QCOW2_BUILD_H
#define VMI_TESTS_QCOW2_BUILD_H

#include "tests/unit/mem_io.h"

enum { Q2_CLUSTER_BITS = 12, Q2_CLUSTER = 1 << Q2_CLUSTER_BITS };

enum q2_kind { Q2_PLAIN, Q2_ZLIB, Q2_ZSTD };

// The header, version 3, of a disk of 1 MiB.
void q2_head(struct blob *b, enum q2_kind compression);
// Clusters, L2 and L1 of a snapshot's state, at the end of the file; zero clusters are left out.
// Gives the offset of its L1 table, and the table's size in entries.
uint64_t q2_state(struct blob *b, enum q2_kind kind, const void *state, size_t n,
		  uint32_t *l1_size);
// Its entry, at off, which is moved behind it; the state's size is given apart from its bytes.
void q2_entry(struct blob *b, size_t *off, const char *id, const char *name, uint32_t date,
	      uint64_t l1_off, uint32_t l1_size, uint64_t state_size);
// How many entries there are, and where.
void q2_table(struct blob *b, uint32_t n, uint64_t off);

// All of that: one snapshot.
void q2_image(struct blob *b, enum q2_kind kind, const void *state, size_t n);

#endif
