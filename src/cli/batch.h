// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of `vmiscan batch`: which images there are and what becomes of each, in its child.
#ifndef VMI_CLI_BATCH_H
#define VMI_CLI_BATCH_H

#include "src/base/vec.h"
#include "src/cli/options.h"

struct batch_image {
	char *path;	   // absolute
	char *plain;	   // its database; NULL: another image of the batch has that name
	char *distinct;	   // the same with a hash of the path in it
	VEC(char *) parts; // the other files of a split dump
};
typedef VEC(struct batch_image) batch_images;

// The images that the words name: folders, lists, or images. What is in *out is to be given up in
// any case.
struct err *batch_find(const struct options *o, batch_images *out);
void batch_images_fini(batch_images *images);

// What a child says of its image; fixed in size, for it goes through a pipe.
enum { BATCH_TEXT = 1024 };
struct batch_answer {
	bool skipped;  // it was done before
	bool distinct; // the database has the name with the hash
	int status;    // enum exit_status
	int64_t processes, threads, modules, sockets, inconsistencies, errors, warnings;
	int64_t duration_ns;
	char problem[BATCH_TEXT]; // "": none
};

// Does one image, unless its database is there and the image has not changed since.
int batch_do(const struct options *o, const struct batch_image *i, struct batch_answer *a);

#endif
