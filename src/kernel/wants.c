// SPDX-License-Identifier: LGPL-2.1-or-later
// The names of all types and constants that are asked for, for those who convert types.
#include "src/kernel/kernel.h"

#include "symbols/profile.h"

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

// FNV-1a, over names and their ends
static uint64_t mix(uint64_t key, const char *name)
{
	size_t n = strlen(name) + 1;

	for (size_t i = 0; i < n; i++)
		key = (key ^ (uint8_t)name[i]) * 0x100000001b3ULL;
	return key;
}

const struct type_wants *kernel_type_wants(void)
{
	static const char *distinct[N_TYPES];
	static struct type_wants wants;

	if (wants.n_types)
		return &wants;
	uint64_t key = 0xcbf29ce484222325ULL + CONVERTERS;
	size_t n = 0;
	for (size_t i = 0; i < N_TYPES; i++) { // fields of one type stand together
		if (n && strcmp(distinct[n - 1], types[i]) == 0)
			continue;
		distinct[n++] = types[i];
		key = mix(key, types[i]);
	}
	for (size_t i = 0; i < N_CONSTANTS; i++)
		key = mix(key, constants[i]);
	wants = (struct type_wants){distinct, constants, n, N_CONSTANTS, key};
	return &wants;
}
