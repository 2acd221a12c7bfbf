// SPDX-License-Identifier: LGPL-2.1-or-later
// What contradicts itself or is not whole: rows of `inconsistencies`, each with its evidence.
#ifndef VMI_CHECK_CHECK_H
#define VMI_CHECK_CHECK_H

#include "src/walk/tasks.h"

extern const struct extractor check_lifecycle;

#endif
