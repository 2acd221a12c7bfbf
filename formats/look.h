// SPDX-License-Identifier: LGPL-2.1-or-later
// What a file is at a glance, for who looks through folders: only its first and last bytes are
// read.
#ifndef VMI_FORMATS_LOOK_H
#define VMI_FORMATS_LOOK_H

#include <stdint.h>

enum look {
	LOOK_OTHER,   // no image, or too small for one; can't be read
	LOOK_TEXT,    // such as a list of images
	LOOK_IMAGE,   // a known container, something packed, or as many bytes as whole pages
	LOOK_PARTNER, // the state file of a .vmem that lies beside it, and is the image of the two
	LOOK_PART,    // of a dump that makedumpfile split
};

struct look_part {
	uint64_t set, start_pfn; // the same for all parts of a dump; where this one begins
};

// *part is for LOOK_PART alone.
enum look look_at_file(const char *path, struct look_part *part);

#endif
