// SPDX-License-Identifier: LGPL-2.1-or-later
// Dumps that were written to a pipe (makedumpfile -F, QEMU's kdump formats): a list of pieces.
#ifndef VMI_FORMATS_FLATTENED_H
#define VMI_FORMATS_FLATTENED_H

#include "formats/fmt.h"

bool flattened_is(const struct fmt_probe *p);

// *io becomes the io of the file that the pieces make up, which owns the one before. On an error
// *io stays. *damage is what was wrong, in words, NULL if nothing; mem_free() it.
struct err *flattened_open(struct io **io, const struct fmt_options *opts, char **damage);

#endif
