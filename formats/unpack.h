// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that are compressed as a whole: gzip, xz, bzip2, lzop, zstd.
#ifndef VMI_FORMATS_UNPACK_H
#define VMI_FORMATS_UNPACK_H

#include "formats/fmt.h"

// A piece of the way: decoders move all four on.
struct unpack_step {
	const uint8_t *in;
	size_t in_n;
	uint8_t *out;
	size_t out_n;
	bool last; // no input follows after this
};

enum unpack_state {
	UNPACK_MORE, // goes on with more input, or more room
	UNPACK_END,  // the end of a stream; another may follow
	UNPACK_BAD,
	UNPACK_TOO_MUCH, // the library could, with more memory than we give it
};

// What a library can do for one kind of file.
struct unpacker_ops {
	void *(*open)(void); // NULL if the library can't be set up
	void (*close)(void *state);
	// *why is why it is bad, in words.
	enum unpack_state (*step)(void *state, struct unpack_step *s, const char **why);
};

extern const struct unpacker_ops unpack_gzip, unpack_zlib, unpack_xz, unpack_lzma, unpack_bzip2,
	unpack_lzop, unpack_zstd;

struct unpacked {
	struct io *io;	  // the content
	const char *kind; // "gzip"; "zstd-seekable" if it is read at random, without unpacking
	char *damage;	  // what was wrong with it, NULL if nothing; mem_free() it
};

struct packing;

// How the file is packed, or NULL.
const struct packing *unpack_recognise(const struct fmt_probe *p);

// Takes packed over unless it fails. Fails if nothing at all can be unpacked.
struct err *unpack_open(const struct packing *k, struct io *packed, const struct fmt_probe *p,
			const struct fmt_options *opts, struct unpacked *out);

#endif
