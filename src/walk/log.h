// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel's log.
#ifndef VMI_WALK_LOG_H
#define VMI_WALK_LOG_H

#include "src/walk/walk.h"

extern const struct extractor walk_log; // dmesg

#endif
