// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes BTF: types that come from elsewhere (DWARF, ISF) in the one form that the rest reads.
//
//	struct btf_writer w = {0};
//	uint32_t i = btf_write_int(&w, "int", 4, true);
//	struct btf_write_member m[] = {{"x", i, 0, 0}, {"y", i, 32, 0}};
//	btf_write_struct(&w, "point", false, 8, m, 2);
//	uint8_t *blob = btf_write_end(&w, &n);
//	btf_write_fini(&w);
//
// Each call gives the id of the type written; ids that it takes must have been given before, 0 is
// void. What is longer than BTF can say (BTF_LARGEST bytes in all) makes btf_write_end() give NULL.
#ifndef VMI_SYMBOLS_BTF_WRITE_H
#define VMI_SYMBOLS_BTF_WRITE_H

#include "src/base/u64map.h"
#include "src/base/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Zero-initialised is empty and ready.
struct btf_writer {
	VEC(uint8_t) types;
	VEC(char) strings;
	struct u64map known; // hash of a string -> its offset
	uint32_t last_id;
	bool too_long;
};

struct btf_write_member {
	const char *name; // NULL or "": anonymous
	uint32_t type;
	uint32_t bit;	// from the start of the struct
	uint32_t width; // of a bitfield in bits; 0: none
};

struct btf_write_value {
	const char *name;
	int64_t value;
};

uint32_t btf_write_int(struct btf_writer *w, const char *name, uint32_t size, bool is_signed);
uint32_t btf_write_float(struct btf_writer *w, const char *name, uint32_t size);
uint32_t btf_write_pointer(struct btf_writer *w, uint32_t target);
uint32_t btf_write_typedef(struct btf_writer *w, const char *name, uint32_t type);
// A struct or union that is only declared.
uint32_t btf_write_forward(struct btf_writer *w, const char *name, bool is_union);
// count 0: a flexible array
uint32_t btf_write_array(struct btf_writer *w, uint32_t type, uint32_t count);
// A bitfield that begins beyond 2 MiB can't be said in BTF: it is left out.
uint32_t btf_write_struct(struct btf_writer *w, const char *name, bool is_union, uint32_t size,
			  const struct btf_write_member *members, size_t n);
uint32_t btf_write_enum(struct btf_writer *w, const char *name, uint32_t size, bool is_signed,
			const struct btf_write_value *values, size_t n);

// The whole, to be freed with mem_free(); *size bytes.
uint8_t *btf_write_end(struct btf_writer *w, size_t *size);
void btf_write_fini(struct btf_writer *w);

#endif
