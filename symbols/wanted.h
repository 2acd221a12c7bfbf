// SPDX-License-Identifier: LGPL-2.1-or-later
// Which of a file's ten thousand types are asked for, and which of those have been found.
#ifndef VMI_SYMBOLS_WANTED_H
#define VMI_SYMBOLS_WANTED_H

#include "src/base/u64map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A converter writes these, and what they embed.
struct type_wants {
	const char *const *types;     // structs, unions, typedefs
	const char *const *constants; // of enums
	size_t n_types, n_constants;
	uint64_t key; // of all these names: a kept profile is of use only for the same ones
};

// Names looked up by name.
struct name_set {
	const char *const *names;
	size_t n, left; // left: not yet taken
	struct u64map places;
	bool *taken;
};

enum { NO_NAME = -1 };

void name_set_init(struct name_set *s, const char *const *names, size_t n);
void name_set_fini(struct name_set *s);
// Its place, or NO_NAME.
int name_set_find(const struct name_set *s, const char *name);
void name_set_take(struct name_set *s, int place);

struct wanted {
	struct name_set types, constants;
};

void wanted_init(struct wanted *w, const struct type_wants *wants);
void wanted_fini(struct wanted *w);
bool wanted_all_found(const struct wanted *w);

#endif
