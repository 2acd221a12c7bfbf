// SPDX-License-Identifier: LGPL-2.1-or-later
// Mounts of every mount namespace.
#ifndef VMI_WALK_MOUNT_H
#define VMI_WALK_MOUNT_H

#include "src/walk/walk.h"

extern const struct extractor walk_mounts; // needs w->tasks

#endif
