// SPDX-License-Identifier: LGPL-2.1-or-later
// Disks.
#ifndef VMI_WALK_BLOCK_H
#define VMI_WALK_BLOCK_H

#include "src/walk/walk.h"

extern const struct extractor walk_block; // block_devices

#endif
