// SPDX-License-Identifier: LGPL-2.1-or-later
// Open addressing with linear probing, at most half full.
#include "src/base/u64map.h"

#include "src/base/mem.h"

#include <string.h>

struct u64map_slot {
	uint64_t key, value;
	bool used;
};

static struct u64map_slot *probe(const struct u64map *m, uint64_t key)
{
	uint64_t h = (key ^ key >> 32) * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h ^ h >> 32) & (m->cap - 1);

	while (m->slots[i].used && m->slots[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void grow(struct u64map *m)
{
	struct u64map old = *m;

	m->cap = old.cap ? old.cap * 2 : 64;
	m->slots = mem_zalloc(m->cap, sizeof(*m->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].used)
			*probe(m, old.slots[i].key) = old.slots[i];
	mem_free(old.slots);
}

bool u64map_add(struct u64map *m, uint64_t key, uint64_t value)
{
	if (m->n * 2 >= m->cap)
		grow(m);
	struct u64map_slot *s = probe(m, key);
	if (s->used)
		return false;
	*s = (struct u64map_slot){key, value, true};
	m->n++;
	return true;
}

uint64_t *u64map_get(const struct u64map *m, uint64_t key)
{
	if (!m->cap)
		return NULL;
	struct u64map_slot *s = probe(m, key);
	return s->used ? &s->value : NULL;
}

void u64map_clear(struct u64map *m)
{
	if (m->cap)
		memset(m->slots, 0, m->cap * sizeof(*m->slots));
	m->n = 0;
}

void u64map_fini(struct u64map *m)
{
	mem_free(m->slots);
	*m = (struct u64map){0};
}
