// SPDX-License-Identifier: LGPL-2.1-or-later
// A saved domain of Xen: the headers around libxc's stream, and the records in it.
#ifndef VMI_FORMATS_XENSAVE_H
#define VMI_FORMATS_XENSAVE_H

#include "formats/fmt.h"
#include "formats/frames.h"
#include "formats/window.h"
#include "src/base/vec.h"

enum {
	XENSAVE_LIST = 8 << 10, // bytes of a list of frames at a time; Xen sends 1024 at once
	// Little, since after each list its pages are skipped.
	XENSAVE_WINDOW = 4 * XENSAVE_LIST,
};

struct xensave {
	struct image *img;
	struct window w;
	bool pv;
	uint32_t version; // of libxc's stream
	struct frames frames;
	VEC(struct vcpu) vcpus;
	uint64_t n_beyond; // pages that were to follow after the file's end
	uint64_t n_odd;	   // records whose contents pass their ends
	bool ended;	   // the stream has an end
};

// The records from the window's position on, up to the end of the stream or of the file.
struct err *xensave_records(struct xensave *s);

#endif
