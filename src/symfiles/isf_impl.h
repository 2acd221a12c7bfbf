// SPDX-License-Identifier: LGPL-2.1-or-later
// What the files of isf*.c share: the file as records, some 5 MB of 50 MB of JSON.
#ifndef VMI_SYMFILES_ISF_IMPL_H
#define VMI_SYMFILES_ISF_IMPL_H

#include "formats/json_in.h"
#include "src/base/err.h"
#include "src/base/u64map.h"
#include "src/base/vec.h"
#include "symbols/symtab.h"

#define ISF_NONE UINT32_MAX

enum isf_kind {
	ISF_OTHER, // functions, and what is not known
	ISF_BASE,
	ISF_POINTER,
	ISF_ARRAY,
	ISF_STRUCT, // and "class"
	ISF_UNION,
	ISF_ENUM,
	ISF_BITFIELD,
};

// A type as a field mentions it; those of pointers, arrays and bitfields go on in `inner`.
struct isf_type {
	enum isf_kind kind;
	uint32_t name; // in names
	uint32_t inner;
	uint32_t count;
	uint8_t bit, width; // of a bitfield
};

struct isf_field {
	uint32_t name, type;
	uint64_t offset;
	bool anonymous;
};

struct isf_value {
	uint32_t name;
	int64_t value;
};

// A base type, struct, union or enum: [first, first + n) of values if it is an enum, or else of
// fields.
struct isf_definition {
	uint32_t name, first, n;
	uint64_t size;
	enum isf_kind kind;
	bool is_signed, is_float;
	uint32_t id; // of the BTF type, once it is written
	bool begun;
};

struct isf {
	struct json_in json;
	VEC(char) names;
	VEC(struct isf_type) types;
	VEC(struct isf_field) fields;
	VEC(struct isf_value) values;
	VEC(struct isf_definition) definitions;
	struct u64map by_name; // of name and kind -> place in definitions
	struct symtab *symbols;
	char *banner;
};

struct err *isf_read(struct isf *f, const char *json, size_t n);
void isf_fini(struct isf *f);

static inline const char *isf_name(const struct isf *f, uint32_t name)
{
	return f->names.at + name;
}

// NULL: there is none. Structs and unions are one kind here.
struct isf_definition *isf_find(const struct isf *f, enum isf_kind kind, const char *name);

#endif
