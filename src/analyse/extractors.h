// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of all extractors.
#ifndef VMI_ANALYSE_EXTRACTORS_H
#define VMI_ANALYSE_EXTRACTORS_H

#include "src/walk/walk.h"

extern const struct extractor *const extractors[]; // in order of running; NULL ends it

#endif
