// SPDX-License-Identifier: LGPL-2.1-or-later
// What is a zstd-compressed file.
#ifndef VMI_FORMATS_ZSTD_H
#define VMI_FORMATS_ZSTD_H

#include "formats/fmt.h"

bool zstd_is(const struct fmt_probe *p);

#endif
