// SPDX-License-Identifier: LGPL-2.1-or-later
// Resolves every field of fields.def against the kernel's own BTF.
#include "src/kernel/locate.h"

#include "symbols/btf.h"

#include <string.h>

struct field_def {
	const char *type, *name, *paths;
};

static const struct field_def defs[FIELD_COUNT] = {
#define FIELD(type, name, paths) {#type, #type "." #name, paths},
#include "src/kernel/fields.def"
#undef FIELD
};

const char *field_name(enum field f)
{
	return defs[f].name;
}

static struct field_place place_of(const struct btf_field *b)
{
	return (struct field_place){
		.present = true,
		.is_signed = b->is_signed,
		.is_pointer = b->is_pointer,
		.bit_off = b->bit_off,
		.bit_size = b->bit_size,
		.off = b->off,
		.size = b->size,
		.elem_size = b->elem_size,
		.n_elem = b->count,
	};
}

// Tries the paths between the bars, in their order.
static bool find_member(const struct btf *btf, uint32_t type_id, const char *paths,
			struct btf_field *out)
{
	char path[128];

	for (const char *p = paths; *p;) {
		size_t n = strcspn(p, "|");
		if (n < sizeof(path)) {
			memcpy(path, p, n);
			path[n] = '\0';
			if (btf_member_id(btf, type_id, path, out))
				return true;
		}
		p += n + (p[n] == '|');
	}
	return false;
}

void kernel_resolve_fields(struct kernel *k)
{
	uint32_t type_id = 0;
	const char *type = "";

	for (size_t f = 0; f < FIELD_COUNT; f++) {
		struct btf_field b;
		if (strcmp(type, defs[f].type) != 0) { // fields of one type stand together
			type = defs[f].type;
			type_id = btf_find(k->btf, type);
		}
		k->field[f] = (struct field_place){0};
		if (type_id && find_member(k->btf, type_id, defs[f].paths, &b))
			k->field[f] = place_of(&b);
	}
}

uint64_t k_sizeof(const struct kernel *k, const char *type)
{
	uint32_t size;

	return btf_sizeof(k->btf, type, &size) ? size : 0;
}

bool k_enum(const struct kernel *k, const char *constant, int64_t *value)
{
	return btf_enum_value(k->btf, NULL, constant, value);
}
