// SPDX-License-Identifier: LGPL-2.1-or-later
// Random access into files in zstd's seekable format.
#ifndef VMI_FORMATS_ZSTD_SEEK_H
#define VMI_FORMATS_ZSTD_SEEK_H

#include "formats/fmt.h"

// The content, as an io that owns packed; or NULL, packed untouched, if it has no seek table, one
// that does not fit the file, or one of frames too large to be unpacked for the sake of a page.
struct io *zstd_seek_open(struct io *packed, const struct fmt_probe *p);

#endif
