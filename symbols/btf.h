// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF: the layouts of the kernel's structures, as the kernel carries them about with it.
//
//	struct btf *btf;
//	struct btf_field f;
//	TRY(btf_open(bytes, n, NULL, &btf));
//	if (btf_member(btf, "task_struct", "se.sum_exec_runtime", &f))
//		... f.off bytes into the task_struct, f.size bytes
//	btf_close(btf);
//
// Shape: header | types | (kind layouts, 2026) | strings. A type is 12 bytes (name, info, size or
// type) and what its kind adds; ids count the types from 1, id 0 is void. Layout: Linux
// include/uapi/linux/btf.h (5.2 to 7.2), libbpf src/btf.c; kinds beyond ENUM64 from the header's
// kind layouts, if it has them.
//
// The bytes are borrowed, not copied, and must outlive the struct btf and every name it gave. All
// of them may be hostile: btf_open() checks that every record lies inside, look-ups check ids,
// names and nesting and are bounded in time. That a type or member is not there is an everyday
// answer, so look-ups give bool; only btf_open() has errors.
#ifndef VMI_SYMBOLS_BTF_H
#define VMI_SYMBOLS_BTF_H

#include "src/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;

enum {
	BTF_HEAD = 24,		 // bytes of a header that btf_looks_like() needs
	BTF_LARGEST = 64U << 20, // bytes of a whole BTF that we read; 7.2 has 5.5 MB
};

// For carving: the size in bytes of the BTF that begins at head, or 0 if that is none or n is less
// than BTF_HEAD. The size is what the header claims; only btf_open() knows.
size_t btf_looks_like(const void *head, size_t n);

// Opens bytes[0..n); n may be more than the BTF's own size. base is NULL, or for the split BTF of a
// module the kernel's, which must outlive it: type ids and string offsets go on where base's end.
// Errors: ERR_FORMAT, ERR_UNSUPPORTED (big-endian, a kind of unknown size), ERR_LIMIT.
struct err *btf_open(const void *bytes, size_t n, const struct btf *base, struct btf **out);
void btf_close(struct btf *btf); // NULL is fine

// How many type ids there are, base's and void included: valid ids are below it.
uint32_t btf_type_count(const struct btf *btf);

// Bytes of a pointer: as many as a long has; 8 where there is no long.
uint32_t btf_pointer_size(const struct btf *btf);

// --- Structures -------------------------------------------------------------------------------
//
// A struct, union or typedef is named without its keyword: "task_struct", "atomic_t", "kuid_t".
// Typedefs are followed, also to anonymous structs. Forward declarations are never found. Of
// several types with one name, a split BTF's come before its base's, then the lower id.

// The id of the struct or union, or 0.
uint32_t btf_find(const struct btf *btf, const char *name);

// Of all with this name the one that has most of these members (dotted paths, NULL ends the list);
// or 0.
uint32_t btf_find_with(const struct btf *btf, const char *name, const char *const *paths);

// The size in bytes of a struct, union, enum or typedef; and of any type that has one.
bool btf_sizeof(const struct btf *btf, const char *name, uint32_t *size);
bool btf_sizeof_id(const struct btf *btf, uint32_t id, uint32_t *size);

// A name as the BTF has it: "" for an anonymous type or an invalid id. Borrowed.
const char *btf_name(const struct btf *btf, uint32_t id);

// A member, or an element of one.
//
// For arrays everything below size is about the elements: is_pointer of `struct pid *pids[4]` is
// true, target is "pid". In an array of arrays elem_size and count are those of the outermost, the
// rest is about the innermost elements.
struct btf_field {
	uint32_t off;	    // bytes from the start of the struct that was asked
	uint32_t size;	    // bytes: of the whole array; of a bitfield's bytes from off on (<= 8)
	uint32_t elem_size; // bytes of one element; same as size if this is no array
	uint32_t count;	    // of elements; 0 for a flexible array, 1 if this is no array
	bool is_array;
	bool is_pointer;
	bool is_struct;	    // or union: target is its own name then
	bool is_signed;	    // an INT or ENUM that says so
	uint8_t bit_off;    // of a bitfield: its lowest bit, counted from the lowest of byte off
	uint8_t bit_size;   // bits; 0: not a bitfield
	uint32_t type_id;   // of the member, typedefs and qualifiers stripped
	uint32_t target_id; // the struct, union or forward declaration it is, or points to; or 0
	const char *target; // its name, "" if it is anonymous or there is none; borrowed
};

// Finds a member by its path: "mm", "se.sum_exec_runtime", "tfm[3].x", "pids[1]". Members of
// anonymous structs and unions are found as in C. An index must be less than count, except into a
// flexible array. Bitfields of both encodings; one that lies in more than 8 bytes is not found. Of
// several structs with this name the first that has the member.
bool btf_member(const struct btf *btf, const char *name, const char *path, struct btf_field *out);
// The same in one type, by its id; a typedef of a struct will do.
bool btf_member_id(const struct btf *btf, uint32_t id, const char *path, struct btf_field *out);

// The value of an INT, ENUM, pointer or bitfield in its f->size bytes (little-endian), widened
// to 64 bits by its signedness. 0 for what is larger than 8 bytes.
uint64_t btf_field_value(const struct btf_field *f, const void *bytes);

// --- Constants and variables ------------------------------------------------------------------

// The value of an enumerator of `enum name`, or with name NULL of any enum, anonymous ones included
// (a pass over all of them; use btf_enum_values() for more than a few).
bool btf_enum_value(const struct btf *btf, const char *name, const char *constant, int64_t *value);

struct btf_enum_want {
	const char *constant;
	int64_t value;
	bool found;
};
// Many at once in one pass over all enums; the first with the name counts.
void btf_enum_values(const struct btf *btf, struct btf_enum_want *wants, size_t n);

// A variable of a DATASEC.
struct btf_var {
	uint32_t off; // bytes from the section's start: for a per-CPU variable from __per_cpu_start
	uint32_t size;	  // bytes
	uint32_t type_id; // of the variable, typedefs and qualifiers stripped
};
bool btf_var(const struct btf *btf, const char *section, const char *name, struct btf_var *out);
// The same in ".data..percpu".
bool btf_percpu(const struct btf *btf, const char *name, struct btf_var *out);

#endif
