// SPDX-License-Identifier: LGPL-2.1-or-later
// Every reader there is, in the order in which they are asked.
#include "formats/readers.h"

const struct fmt_ops *const fmt_registry[] = {
	&fmt_elfcore,
	&fmt_raw, // takes what nobody else knows, so it comes last
	NULL,
};
