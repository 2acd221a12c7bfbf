// SPDX-License-Identifier: LGPL-2.1-or-later
// The extractor of disks and partitions.
#ifndef VMI_WALK_BLOCK_H
#define VMI_WALK_BLOCK_H

#include "src/walk/walk.h"

extern const struct extractor walk_block; // block_devices

#endif
