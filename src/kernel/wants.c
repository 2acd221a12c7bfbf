// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of all types and constants that are asked for, for those who convert types.
#include "src/kernel/kernel.h"

#include "src/base/text.h"
#include "symbols/wanted.h"

#include <string.h>

static const char *const types[] = {
#define TYPE(name) #name,
#define CONSTANT(name)
#define FIELD(type, name, paths) #type,
#include "src/kernel/types.def"
#include "src/kernel/fields.def"
#undef TYPE
#undef CONSTANT
#undef FIELD
};

static const char *const constants[] = {
#define TYPE(name)
#define CONSTANT(name) #name,
#include "src/kernel/types.def"
#undef TYPE
#undef CONSTANT
};

enum {
	N_TYPES = sizeof(types) / sizeof(types[0]),
	N_CONSTANTS = sizeof(constants) / sizeof(constants[0]),
	// What converters make of a type; a profile of an earlier one is made anew.
	CONVERTERS = 1,
};

// Names and their ends
static uint64_t mix(uint64_t key, const char *name)
{
	return text_hash(key, name, strlen(name) + 1);
}

static bool is_among(const char *const *names, size_t n, const char *name)
{
	for (size_t i = n; i-- > 0;) // fields of one type mostly stand together
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

const struct type_wants *kernel_type_wants(void)
{
	static const char *distinct[N_TYPES];
	static struct type_wants wants;

	if (wants.n_types)
		return &wants;
	uint64_t key = TEXT_HASH + CONVERTERS;
	size_t n = 0;
	for (size_t i = 0; i < N_TYPES; i++) {
		if (is_among(distinct, n, types[i]))
			continue;
		distinct[n++] = types[i];
		key = mix(key, types[i]);
	}
	for (size_t i = 0; i < N_CONSTANTS; i++)
		key = mix(key, constants[i]);
	wants = (struct type_wants){distinct, constants, n, N_CONSTANTS, key};
	return &wants;
}
