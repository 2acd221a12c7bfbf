// SPDX-License-Identifier: LGPL-2.1-or-later
// kallsyms: the kernel's own table of symbols, found and read in a copy of its .rodata.
//
// Shape. Every symbol is a length and that many tokens; a token is one of 256 short strings; the
// first character of the expanded text is the type (as nm has it), the rest the name. Tables, in
// the order in which they lie (Linux scripts/kallsyms.c, write_src()):
//
//	to 6.3   addresses | offsets + relative_base, num_syms, names, markers, [seqs_of_names],
//	         token_table, token_index
//	from 6.4 num_syms, names, markers, token_table, token_index, addresses | offsets +
//	         relative_base, seqs_of_names (404bad70fcf7)
//	from 7.0 the same without relative_base, aligned to 4 instead of 8 (a081b5789255d)
//
// num_syms u32; markers u32: offset in names of every 256th symbol; token_index u16[256];
// addresses u64 (u32 of 32-bit kernels, whose relative_base is one, too, and which align to 4),
// offsets u32 each; seqs 3 bytes each. Lengths are one byte, or since 6.1 one or two
// (bit 7 of the first: more to come). No version is asked for: the content says which layout it is.
//
// Addresses. Three of the four encodings (enum kallsyms_encoding) give virtual addresses. The
// place-relative one of 7.0 gives distances from the tables themselves: until kallsyms_rebase() is
// told where the window lies, all addresses given and taken are relative to the window's first byte
// (so text, which lies before it, has "negative" ones, modulo 2^64). The image of the kernel is
// contiguous in physical memory, so the physical address of the window plus a relative address is
// the physical address of the symbol: enough to read init_task, learn its virtual address from its
// pointers to itself, and rebase. kallsyms_window_va() helps with the other way, from a virtual
// address to the physical one.
//
// The window's bytes are borrowed and must outlive the struct kallsyms. They may be hostile:
// everything is checked, nothing is proportional to more than the window's size.
#ifndef VMI_SYMBOLS_KALLSYMS_H
#define VMI_SYMBOLS_KALLSYMS_H

#include "src/base/err.h"
#include "symbols/symbol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kallsyms;

enum {
	KALLSYMS_MOST = 4U << 20, // symbols
	KALLSYMS_NAME = 512, // bytes of a name with its NUL (KSYM_NAME_LEN since 6.1; 128 before)
};

#define KALLSYMS_UNKNOWN UINT64_MAX

enum kallsyms_encoding {
	KALLSYMS_ABSOLUTE,    // u64 addresses (option until 6.11)
	KALLSYMS_ABSOLUTE_32, // u32 addresses, of kernels of 32 bits
	KALLSYMS_BASE_PERCPU, // s32: v >= 0 is v itself, else relative_base - 1 - v (x86-64, 4.6
			      // to 6.14)
	KALLSYMS_BASE,	// relative_base + u32 (other architectures; everywhere in 6.15 to 6.19)
	KALLSYMS_PLACE, // address of this entry + s32 (from 7.0)
};

// Where the tables lie, in bytes from the window's start; KALLSYMS_UNKNOWN where there is none.
struct kallsyms_layout {
	enum kallsyms_encoding encoding;
	bool long_lengths; // of one or two bytes (6.1); true also if all are shorter than 128
	uint64_t num_syms, names, names_end, markers, token_table, token_index;
	uint64_t addresses;	// or offsets
	uint64_t relative_base; // where it is stored, not its value
};

// Finds the tables in window[0..n): a copy of the kernel's .rodata from some page boundary on, long
// enough to hold them whole (they begin some 1.5 MiB into .rodata and take up to 4 MiB).
// token_index is where VMCOREINFO says that it is (SYMBOL(kallsyms_token_index) minus the window's
// virtual address), or KALLSYMS_UNKNOWN: all else follows from it. If it proves wrong it is looked
// for. word: 8, or 4 for a kernel of 32 bits. Errors: ERR_NOT_FOUND (nothing like it), ERR_FORMAT
// (tokens, but not what belongs to them).
struct err *kallsyms_open(const void *window, size_t n, uint64_t token_index, unsigned word,
			  struct kallsyms **out);
void kallsyms_close(struct kallsyms *ks); // NULL is fine

const struct kallsyms_layout *kallsyms_layout(const struct kallsyms *ks);
uint32_t kallsyms_count(const struct kallsyms *ks);

// True while addresses are relative to the window's start.
bool kallsyms_is_relative(const struct kallsyms *ks);
// Says where the window's first byte lies; does nothing for the encodings that don't need it.
void kallsyms_rebase(struct kallsyms *ks, uint64_t window_va);

// The address of the window's first byte in the terms of the symbols' addresses (so 0 while they
// are relative), told from that of the symbol linux_banner and the place of its text in the window.
// False if there is no such text at a fitting place: then these symbols are not of this window.
// A kernel without KALLSYMS_ALL has no symbol linux_banner; its .rodata begins at _etext, rounded
// up to 2 MiB (arch/x86/kernel/vmlinux.lds.S).
bool kallsyms_window_va(const struct kallsyms *ks, uint64_t linux_banner, uint64_t *window_va);

// Resolves all of them in one pass. Of several with one name a global comes before a static, then
// data before text, then the lower address.
void kallsyms_resolve(const struct kallsyms *ks, struct symbol_want *wants, size_t n);

// The name of the last symbol at or before va (the first of those that share its address), and how
// far va is behind it. buf gets at most n bytes with the NUL. False before the first symbol. How
// far is too far is the caller's to say: sizes are not recorded.
bool kallsyms_name_at(const struct kallsyms *ks, uint64_t va, char *buf, size_t n,
		      uint64_t *offset);

// Symbol i in the order of addresses, i < kallsyms_count(). buf gets at most n bytes with the NUL;
// type may be NULL.
bool kallsyms_at(const struct kallsyms *ks, uint32_t i, char *buf, size_t n, uint64_t *va,
		 char *type);

#endif
