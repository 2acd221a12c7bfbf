// SPDX-License-Identifier: LGPL-2.1-or-later
// BTF written by hand, for the tests of its reader.
//
//	struct btf_builder b = {0};
//	uint32_t i = bb_int(&b, "int", 4, 32, true);
//	uint32_t s = bb_struct(&b, "point", 8, 2);
//	bb_member(&b, "x", i, 0);
//	bb_member(&b, "y", i, 32);
//	struct btf *btf = bb_open(&b, NULL);
#ifndef VMI_TESTS_BTF_BUILDER_H
#define VMI_TESTS_BTF_BUILDER_H

#include "src/base/vec.h"
#include "symbols/btf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INT = 1, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT };
enum { FUNC = 12, FUNC_PROTO, VAR, DATASEC, FLOAT, DECL_TAG, TYPE_TAG, ENUM64 };
#define KIND_FLAG (1U << 31)

// Zero-initialised is empty. For a split BTF set first_id and first_str to its base's ends.
struct btf_builder {
	VEC(uint8_t) types;
	VEC(uint8_t) layouts; // 4 bytes a kind; the header is of 32 bytes if there are any
	VEC(char) strs;
	uint32_t first_id, first_str;
	uint32_t n;
	uint8_t *image; // what bb_image() gave last
};

// A record: its id. A record is written whole before the next one is begun, so ids that a member
// needs come first (or are counted ahead). info is kind << 24 | vlen | flag. What the kind adds
// follows by bb_u32().
uint32_t bb_type(struct btf_builder *b, const char *name, uint32_t info, uint32_t size_or_type);
void bb_u32(struct btf_builder *b, uint32_t v);
// The offset of a string; NULL and "" are 0.
uint32_t bb_string(struct btf_builder *b, const char *s);

uint32_t bb_int(struct btf_builder *b, const char *name, uint32_t size, uint32_t bits,
		bool is_signed);
uint32_t bb_struct(struct btf_builder *b, const char *name, uint32_t size, uint32_t n_members);
void bb_member(struct btf_builder *b, const char *name, uint32_t type, uint32_t bit);
// For structs with KIND_FLAG: a bitfield.
void bb_bits(struct btf_builder *b, const char *name, uint32_t type, uint32_t bit, uint32_t width);
uint32_t bb_array(struct btf_builder *b, uint32_t type, uint32_t count);
uint32_t bb_ref(struct btf_builder *b, uint32_t kind, const char *name, uint32_t type);

// The whole, in a block of exactly *n bytes, so that a sanitizer sees every byte beyond it. It is
// the builder's.
uint8_t *bb_image(struct btf_builder *b, size_t *n);
// The whole, opened; must succeed.
struct btf *bb_open(struct btf_builder *b, const struct btf *base);
void bb_fini(struct btf_builder *b);

// A BTF with something of everything: structs, unions, bitfields, arrays, enums, variables.
void bb_kernel(struct btf_builder *b);
// Asks for everything in it, and more; nothing may crash, whatever the answers.
void bb_ask_all(const struct btf *btf);

#endif
