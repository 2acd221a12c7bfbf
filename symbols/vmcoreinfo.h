// SPDX-License-Identifier: LGPL-2.1-or-later
// VMCOREINFO: the lines of text by which a kernel describes itself to crash tools.
//
//	OSRELEASE=6.1.0-55-amd64
//	SYMBOL(swapper_pg_dir)=ffffffff82810000
//	NUMBER(phys_base)=-16777216
//
// Source: Linux kernel/vmcore_info.c (crash_core.c before 6.9), arch/*/kernel/vmcore_info*.c.
// SYMBOL() and KERNELOFFSET are hexadecimal without 0x, NUMBER() is signed decimal (on arm64 some
// are 0x...), OFFSET(), SIZE() and LENGTH() are decimal. Nothing is copied: the text is borrowed
// and must outlive the struct. A missing or malformed line is "not there"; of two with one key the
// first counts.
#ifndef VMI_SYMBOLS_VMCOREINFO_H
#define VMI_SYMBOLS_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VMCOREINFO_LARGEST = 64 << 10, // bytes of text that we read; the kernel's limit is a page
	VMCOREINFO_NOTE_HEAD = 24,     // bytes from the note's header to its text
};

// Zero-initialised has no lines.
struct vmcoreinfo {
	const char *text;
	size_t n; // up to the last newline
};

// The text at bytes[0..n), or up to the first NUL. False, and no lines, if it does not begin with
// OSRELEASE= and a newline after it.
bool vmcoreinfo_init(struct vmcoreinfo *v, const void *bytes, size_t n);
// The same for the ELF note at bytes: namesz 11, type 0, "VMCOREINFO".
bool vmcoreinfo_init_note(struct vmcoreinfo *v, const void *bytes, size_t n);

// The value of KEY=VALUE; *len bytes, not NUL-terminated. NULL if there is no such line.
const char *vmcoreinfo_get(const struct vmcoreinfo *v, const char *key, size_t *len);
// The value as a string; too long for n bytes is "not there".
bool vmcoreinfo_string(const struct vmcoreinfo *v, const char *key, char *buf, size_t n);

bool vmcoreinfo_symbol(const struct vmcoreinfo *v, const char *name, uint64_t *va);
bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, int64_t *value);
bool vmcoreinfo_offset(const struct vmcoreinfo *v, const char *member,
		       uint32_t *off); // "list_head.next"
bool vmcoreinfo_size(const struct vmcoreinfo *v, const char *type, uint32_t *size);
bool vmcoreinfo_length(const struct vmcoreinfo *v, const char *array, uint32_t *count);
// A line whose value is hexadecimal without 0x, by its whole key: "KERNELOFFSET".
bool vmcoreinfo_hex(const struct vmcoreinfo *v, const char *key, uint64_t *value);

#endif
