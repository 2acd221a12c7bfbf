// SPDX-License-Identifier: LGPL-2.1-or-later
// What the files of btf*.c share: the opened BTF, and access to its records.
#ifndef VMI_SYMBOLS_BTF_IMPL_H
#define VMI_SYMBOLS_BTF_IMPL_H

#include "src/base/bytes.h"
#include "src/base/vec.h"
#include "symbols/btf.h"

// include/uapi/linux/btf.h
enum btf_kind {
	BTF_KIND_UNKN,
	BTF_KIND_INT,
	BTF_KIND_PTR,
	BTF_KIND_ARRAY,
	BTF_KIND_STRUCT,
	BTF_KIND_UNION,
	BTF_KIND_ENUM,
	BTF_KIND_FWD,
	BTF_KIND_TYPEDEF,
	BTF_KIND_VOLATILE,
	BTF_KIND_CONST,
	BTF_KIND_RESTRICT,
	BTF_KIND_FUNC,
	BTF_KIND_FUNC_PROTO,
	BTF_KIND_VAR,
	BTF_KIND_DATASEC,
	BTF_KIND_FLOAT,
	BTF_KIND_DECL_TAG,
	BTF_KIND_TYPE_TAG,
	BTF_KIND_ENUM64,
	BTF_KINDS = 128,
};

enum {
	BTF_RECORD = 12,  // bytes of a type before what its kind adds
	BTF_MEMBER = 12,  // bytes of a member: name, type, offset
	BTF_DEEPEST = 32, // typedefs and qualifiers in a row, arrays in arrays, anonymous structs
	BTF_CHAIN = 4096, // names compared in one look-up by name
	BTF_MEMBERS = 1 << 16, // members looked at in one look-up of a path
};

#define BTF_NO_TYPE UINT32_MAX // a broken reference; id 0 is void

struct btf_span {
	const uint8_t *at;
	uint32_t len;
};

// How long a record of a kind is: BTF_RECORD + fixed + vlen * each.
struct btf_shape {
	uint8_t fixed, each;
	bool known;
};

struct btf {
	const struct btf *base;
	struct btf_span types, strs, layouts;
	uint32_t first_id, end_id; // our own ids are [first_id, end_id)
	uint32_t first_str;	   // the offset of our first string
	uint32_t *offsets;	   // in types, of our own ids
	bool signs_enums;	   // some enum has kind_flag: since 6.0 it says that it is signed
	uint8_t pointer_size;	   // bytes
	struct btf_shape shape[BTF_KINDS];
	struct btf_names {
		uint32_t *heads, *next; // positions in ids, UINT32_MAX ends a chain
		uint32_t mask;
		VEC(uint32_t) ids; // of named structs, unions, enums, typedefs and DATASECs
	} names;
	VEC(uint32_t) enums;
};

static inline enum btf_kind btf_info_kind(uint32_t info)
{
	return (enum btf_kind)(info >> 24 & 0x7f);
}

// 24 bits since 2026; the upper 8 of them were 0 before.
static inline uint32_t btf_info_vlen(uint32_t info)
{
	return info & 0xffffff;
}

static inline bool btf_info_flag(uint32_t info)
{
	return info >> 31;
}

// A type's record, whole as its kind and vlen say; NULL for void and ids that don't exist.
static inline const uint8_t *btf_record(const struct btf *btf, uint32_t id)
{
	while (btf && id < btf->first_id)
		btf = btf->base;
	if (!btf || id == 0 || id >= btf->end_id)
		return NULL;
	return btf->types.at + btf->offsets[id - btf->first_id];
}

static inline uint32_t btf_info(const uint8_t *record)
{
	return le32(record + 4);
}

// `size` or `type`, as the kind has it.
static inline uint32_t btf_size_or_type(const uint8_t *record)
{
	return le32(record + 8);
}

static inline enum btf_kind btf_kind_of(const struct btf *btf, uint32_t id)
{
	const uint8_t *r = btf_record(btf, id);

	return r ? btf_info_kind(btf_info(r)) : BTF_KIND_UNKN;
}

static inline bool btf_is_struct(enum btf_kind kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

// The string at an offset, NUL-terminated; "" for an offset that doesn't exist.
static inline const char *btf_string(const struct btf *btf, uint32_t off)
{
	while (btf && off < btf->first_str)
		btf = btf->base;
	if (!btf || off - btf->first_str >= btf->strs.len)
		return "";
	return (const char *)btf->strs.at + (off - btf->first_str);
}

// Typedefs, qualifiers and type tags stripped; BTF_NO_TYPE if that does not end.
uint32_t btf_strip(const struct btf *btf, uint32_t id);

// Whether an ENUM's or ENUM64's values are signed.
bool btf_enum_is_signed(const struct btf *btf, const uint8_t *record);

// Steps through our own, then base's types with a name, in at most BTF_CHAIN steps; 0 at the end.
struct btf_by_name {
	const struct btf *btf;
	const char *name;
	uint32_t hash, at, steps;
};
struct btf_by_name btf_by_name(const struct btf *btf, const char *name);
uint32_t btf_next_named(struct btf_by_name *it);

void btf_names_build(struct btf *btf);
void btf_names_fini(struct btf *btf);

#endif
