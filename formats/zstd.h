// SPDX-License-Identifier: LGPL-2.1-or-later
// A zstd-compressed file as the io of its content.
#ifndef VMI_FORMATS_ZSTD_H
#define VMI_FORMATS_ZSTD_H

#include "formats/fmt.h"

struct zstd_view {
	struct io *io;	  // the content
	const char *kind; // "zstd-seekable": read at random; "zstd": unpacked to a scratch file
	char *damage;	  // what was wrong with the stream, NULL if nothing; mem_free() it
};

bool zstd_is(const struct fmt_probe *p);

// Takes packed over unless it fails. Fails if nothing at all can be unpacked.
struct err *zstd_open(struct io *packed, const struct fmt_probe *p, const struct fmt_options *opts,
		      struct zstd_view *out);

#endif
