// SPDX-License-Identifier: LGPL-2.1-or-later
// inconsistencies and atomicity: of each task, then of the memory as a whole.
#include "src/check/check.h"

static void run(struct walk *w)
{
	check_lifecycle(w);
	check_atomicity(w);
}

const struct extractor check_consistency = {
	.name = "consistency",
	.tables = {TABLE_inconsistencies, TABLE_atomicity},
	.n_tables = 2,
	.run = run,
};
