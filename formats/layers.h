// SPDX-License-Identifier: LGPL-2.1-or-later
// What lies around a container: compression, makedumpfile's flattening.
#ifndef VMI_FORMATS_LAYERS_H
#define VMI_FORMATS_LAYERS_H

#include "formats/fmt.h"
#include "formats/probe.h"

struct layers {
	char *kinds;  // "zstd", "gzip, flattened"; NULL if there is none
	char *damage; // what was wrong with them, in words; NULL if nothing
};

// Takes them off: *io becomes the io of what is inside. On an error, too, *io is to be closed.
// Whatever the result, layers_fini() gives up what is in out.
struct err *layers_open(struct io **io, const struct fmt_options *opts, struct layers *out);
// The same, and what readers see of what is inside, in storage of the caller.
struct err *layers_open_probed(struct io **io, const struct fmt_options *opts,
			       struct probe_bytes *bytes, struct fmt_probe *inside,
			       struct layers *out);
void layers_fini(struct layers *l);

#endif
