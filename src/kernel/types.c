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
			struct field_told *out)
{
	struct btf_field b;
	char path[128];

	for (const char *p = paths; *p;) {
		size_t n = strcspn(p, "|");
		if (n < sizeof(path)) {
			memcpy(path, p, n);
			path[n] = '\0';
			if (btf_member_id(btf, type_id, path, &b)) {
				out->place = place_of(&b);
				out->path = p;
				out->path_n = n;
				return true;
			}
		}
		p += n + (p[n] == '|');
	}
	return false;
}

bool kernel_tell_field(const struct btf *btf, enum field f, struct field_told *out)
{
	uint32_t type_id = btf_find(btf, defs[f].type);

	*out = (struct field_told){.type = defs[f].type};
	return type_id && find_member(btf, type_id, defs[f].paths, out);
}

bool field_same_place(const struct field_place *a, const struct field_place *b)
{
	return a->present == b->present && a->off == b->off && a->size == b->size &&
	       a->bit_off == b->bit_off && a->bit_size == b->bit_size &&
	       a->elem_size == b->elem_size && a->n_elem == b->n_elem &&
	       a->is_pointer == b->is_pointer;
}

void kernel_resolve_fields(struct kernel *k)
{
	for (size_t f = 0; f < FIELD_COUNT; f++) {
		struct field_told told;
		(void)kernel_tell_field(k->btf, (enum field)f, &told);
		k->field[f] = told.place;
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

bool k_enum_in(const struct kernel *k, const char *name, const char *constant, int64_t *value)
{
	return btf_enum_value(k->btf, name, constant, value);
}
