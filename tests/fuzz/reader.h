// SPDX-License-Identifier: LGPL-2.1-or-later
// What the fuzz targets of readers share: a reader over bytes in memory, and some use of what it
// opened.
#ifndef VMI_TESTS_FUZZ_READER_H
#define VMI_TESTS_FUZZ_READER_H

#include "formats/readers.h"

// The entry that libFuzzer, or replay.c, calls.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

// An io over bytes that stay the caller's.
struct io *fuzz_io(const uint8_t *data, size_t n);

// Opens the bytes with this reader if it knows them as its own, looks around, closes. beside may be
// NULL; it is taken over.
void fuzz_reader(const struct fmt_ops *fmt, const uint8_t *data, size_t n, struct io *beside);

#endif
