// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes by their hash. Who makes hashes collide gets his bytes kept twice, not looked for for long.
#include "src/report/intern.h"

#include "src/base/text.h"

#include <string.h>

enum { MAX_TRIES = 8 };

static size_t keep(struct intern *t, const void *p, size_t n)
{
	vec_push(&t->all, ((struct interned){arena_strndup(&t->bytes, p, n), n}));
	return t->all.n - 1;
}

size_t intern(struct intern *t, const void *p, size_t n)
{
	uint64_t key = text_hash(TEXT_HASH, p, n);

	for (int i = 0; i < MAX_TRIES; i++, key++) {
		const uint64_t *id = u64map_get(&t->ids, key);
		if (!id) {
			(void)u64map_add(&t->ids, key, t->all.n);
			break;
		}
		const struct interned *have = &t->all.at[*id];
		if (have->n == n && memcmp(have->p, p, n) == 0)
			return *id;
	}
	return keep(t, p, n);
}

void intern_fini(struct intern *t)
{
	u64map_fini(&t->ids);
	vec_fini(&t->all);
	arena_fini(&t->bytes);
}
