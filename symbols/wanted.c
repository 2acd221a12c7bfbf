// SPDX-License-Identifier: LGPL-2.1-or-later
// Sets of names.
#include "symbols/wanted.h"

#include "src/base/mem.h"
#include "src/base/text.h"

#include <string.h>

void name_set_init(struct name_set *s, const char *const *names, size_t n)
{
	*s = (struct name_set){.names = names, .n = n, .left = n};
	s->taken = mem_zalloc(n, sizeof(*s->taken));
	for (size_t i = 0; i < n; i++) { // those of one hash lie under the next keys
		uint64_t key = text_hash(TEXT_HASH, names[i], strlen(names[i]));
		while (!u64map_add(&s->places, key, i))
			key++;
	}
}

void name_set_fini(struct name_set *s)
{
	u64map_fini(&s->places);
	mem_free(s->taken);
}

int name_set_find(const struct name_set *s, const char *name)
{
	const uint64_t *place;

	for (uint64_t key = text_hash(TEXT_HASH, name, strlen(name));
	     (place = u64map_get(&s->places, key)); key++)
		if (strcmp(s->names[*place], name) == 0)
			return (int)*place;
	return NO_NAME;
}

void name_set_take(struct name_set *s, int place)
{
	s->left -= !s->taken[place];
	s->taken[place] = true;
}

void wanted_init(struct wanted *w, const struct type_wants *wants)
{
	name_set_init(&w->types, wants->types, wants->n_types);
	name_set_init(&w->constants, wants->constants, wants->n_constants);
}

void wanted_fini(struct wanted *w)
{
	name_set_fini(&w->types);
	name_set_fini(&w->constants);
}

bool wanted_all_found(const struct wanted *w)
{
	return w->types.left == 0 && w->constants.left == 0;
}
