// SPDX-License-Identifier: LGPL-2.1-or-later
// A table of symbols from a file, sorted by address: of vmlinux, System.map, ISF.
//
//	struct symtab *t = symtab_new();
//	symtab_add(t, "init_task", 9, 0xffffffff82a1b940, 'D');
//	symtab_sort(t);
//	symtab_resolve(t, wants, n);
//	symtab_free(t);
//
// Addresses are those of the file: the running kernel may lie elsewhere. It is asked in the same
// words as kallsyms of the image.
#ifndef VMI_SYMBOLS_SYMTAB_H
#define VMI_SYMBOLS_SYMTAB_H

#include "src/base/err.h"
#include "symbols/symbol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symtab;

enum {
	SYMTAB_MOST = 8U << 20,	     // symbols; kernels have 130,000 to 300,000, with modules
	SYMTAB_STRINGS = 256U << 20, // bytes of names in all
	SYMTAB_NAME = 512,	     // bytes of one with its NUL
};

struct symtab *symtab_new(void);
void symtab_free(struct symtab *t); // NULL is fine

// False if the table is full or the name is none; the symbol is then left out.
bool symtab_add(struct symtab *t, const char *name, size_t n, uint64_t va, char type);
// Must follow the last symtab_add().
void symtab_sort(struct symtab *t);

size_t symtab_count(const struct symtab *t);

// As kallsyms_resolve(), kallsyms_name_at() and kallsyms_at().
void symtab_resolve(const struct symtab *t, struct symbol_want *wants, size_t n);
bool symtab_name_at(const struct symtab *t, uint64_t va, const char **name, uint64_t *offset);
bool symtab_at(const struct symtab *t, size_t i, const char **name, uint64_t *va, char *type);

// One symbol's address; false if there is none of this name.
bool symtab_find(const struct symtab *t, const char *name, uint64_t *va);

// --- to and from bytes: count, addresses, places of names, types, names ---

size_t symtab_bytes(const struct symtab *t);
void symtab_write(const struct symtab *t, uint8_t *out);
// Copies; everything is checked. ERR_FORMAT, ERR_LIMIT.
struct err *symtab_read(const uint8_t *bytes, size_t n, struct symtab **out);

#endif
