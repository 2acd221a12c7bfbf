// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes of any kind of symbol file to a profile. Everything here reads hostile input with libraries
// that trust it: it runs in a process of its own (child.h), or in a fuzzer.
//
// Kinds, told by content: vmlinux with DWARF, BTF or both, stripped or not; vmlinuz; BTF alone;
// System.map or /proc/kallsyms; Volatility 3's ISF, plain or packed.
#ifndef VMI_SYMFILES_CONVERT_H
#define VMI_SYMFILES_CONVERT_H

#include "symbols/profile.h"
#include "symbols/wanted.h"

// The bytes may be written to. ERR_FORMAT, ERR_UNSUPPORTED, ERR_LIMIT.
struct err *convert(uint8_t *bytes, size_t n, const struct type_wants *wants, struct profile **out);

// One kind each; *p gets what there is.
struct err *convert_elf(uint8_t *bytes, size_t n, const struct type_wants *wants,
			struct profile *p);
struct err *convert_btf(const uint8_t *bytes, size_t n, struct profile *p);

#endif
