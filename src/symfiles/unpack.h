// SPDX-License-Identifier: LGPL-2.1-or-later
// Packed bytes in memory: the kernel inside a vmlinuz, an ISF.
#ifndef VMI_SYMFILES_UNPACK_H
#define VMI_SYMFILES_UNPACK_H

#include "src/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNPACK_BYTES_MOST = 512 << 20 }; // of content; a kernel has 60 MB, an ISF as much

// Whether they are packed in a way that is known: gzip, xz, lzma, zstd, bzip2, lzop, or lz4's old
// form.
bool unpack_is_packed(const uint8_t *in, size_t n);

// The first stream; what follows it is not looked at. *out: mem_free() it.
struct err *unpack_bytes(const uint8_t *in, size_t n, uint8_t **out, size_t *out_n);

// The packed kernel in a bzImage; false if it is none.
bool vmlinuz_payload(const uint8_t *in, size_t n, const uint8_t **payload, size_t *payload_n);

#endif
