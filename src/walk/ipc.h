// SPDX-License-Identifier: LGPL-2.1-or-later
// The extractor of System V IPC.
#ifndef VMI_WALK_IPC_H
#define VMI_WALK_IPC_H

#include "src/walk/walk.h"

extern const struct extractor walk_shared_memory; // shared_memory; needs w->tasks

#endif
