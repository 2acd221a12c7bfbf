// SPDX-License-Identifier: LGPL-2.1-or-later
// How much a packed file may unpack to, and how much memory a library may take for it.
#ifndef VMI_FORMATS_UNPACK_LIMITS_H
#define VMI_FORMATS_UNPACK_LIMITS_H

// Powers of two. Less under a fuzzer: a bomb that is refused at 128 KiB teaches the same, and
// leaves the time for a thousand other inputs.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum {
	UNPACK_CONTENT_LOG = 17,
	UNPACK_MEMORY_LOG = 24,
	UNPACK_WINDOW_LOG = 20,
	UNPACK_FRAME_LOG = 17,
};
#else
enum {
	UNPACK_CONTENT_LOG = 46, // 64 TiB: no guest has as much
	UNPACK_MEMORY_LOG = 28,	 // liblzma's; xz -9 takes 65 MiB, a header may ask for 4 GiB
	UNPACK_WINDOW_LOG = 27,	 // libzstd's; what `zstd -d` takes without being told to
	UNPACK_FRAME_LOG = 23,	 // of a seekable file
};
#endif

#endif
