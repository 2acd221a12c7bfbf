// SPDX-License-Identifier: LGPL-2.1-or-later
// What contradicts itself or is not whole: rows of `inconsistencies`, each with its evidence.
#ifndef VMI_CHECK_CHECK_H
#define VMI_CHECK_CHECK_H

#include "src/walk/tasks.h"

// Tasks that are being born, executing a program or dying.
void check_lifecycle(struct walk *w);
// What no instant shows, and the verdict over the whole memory.
void check_atomicity(struct walk *w);

extern const struct extractor check_consistency; // both

#endif
