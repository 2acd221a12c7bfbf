// SPDX-License-Identifier: LGPL-2.1-or-later
// What a file told of a kernel: its identity, types and symbols, each of which may be missing.
//
// A profile also has a form in bytes: so it comes out of the process that reads hostile files, and
// so it is kept from one run to the next. profile_read() believes none of those bytes.
#ifndef VMI_SYMBOLS_PROFILE_H
#define VMI_SYMBOLS_PROFILE_H

#include "src/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;
struct symtab;

enum { PROFILE_LARGEST = 384U << 20 }; // in bytes

struct profile {
	char *types_source;   // "DWARF", "BTF", "ISF"; NULL: no types
	char *symbols_source; // ".symtab", "kallsyms", "System.map", "ISF"; NULL: no symbols
	char *types_path;     // the files that they are of; not among the bytes
	char *symbols_path;
	char *build_id;	    // hexadecimal, or NULL
	char *banner;	    // linux_banner without its newline, or NULL
	uint8_t *btf_bytes; // btf borrows from it
	size_t btf_size;
	struct btf *btf;
	struct symtab *symbols; // link-time addresses
};

struct profile *profile_new(void);
void profile_free(struct profile *p); // NULL is fine

// Whether its BTF is the kernel's own, all of it, as its modules' BTF counts on.
bool profile_has_whole_btf(const struct profile *p);

// Takes the BTF over, and opens it.
struct err *profile_set_btf(struct profile *p, uint8_t *bytes, size_t n);

// Puts the symbols of another profile in the place of its own.
void profile_take_symbols(struct profile *p, struct profile *from);

// key is that of the struct type_wants by which it was made.
uint8_t *profile_write(const struct profile *p, uint64_t key, size_t *n); // mem_free() it
// ERR_FORMAT: broken; ERR_NOT_FOUND: made for another key.
struct err *profile_read(const uint8_t *bytes, size_t n, uint64_t key, struct profile **out);

#endif
