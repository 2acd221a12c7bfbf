// SPDX-License-Identifier: LGPL-2.1-or-later
// Types by their names: chained hashing, built once, in the order of ids within a name.
#include "symbols/btf_impl.h"

#include <string.h>

#define END UINT32_MAX

enum { HASHED = 255 }; // bytes: a hostile name may be as long as all strings

// FNV-1a.
static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261U;

	for (const char *end = s + HASHED; s < end && *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619U;
	return h ^ h >> 15;
}

void btf_names_build(struct btf *btf)
{
	struct btf_names *names = &btf->names;
	size_t buckets = 16;

	while (buckets < names->ids.n)
		buckets *= 2;
	names->mask = (uint32_t)(buckets - 1);
	names->heads = mem_alloc(buckets * sizeof(*names->heads));
	memset(names->heads, 0xff, buckets * sizeof(*names->heads));
	names->next = mem_alloc(names->ids.n * sizeof(*names->next));
	// From the back, so that a chain gives the lowest id first.
	for (uint32_t i = (uint32_t)names->ids.n; i-- > 0;) {
		uint32_t *head =
			&names->heads[hash_of(btf_name(btf, names->ids.at[i])) & names->mask];
		names->next[i] = *head;
		*head = i;
	}
}

void btf_names_fini(struct btf *btf)
{
	mem_free(btf->names.heads);
	mem_free(btf->names.next);
	vec_fini(&btf->names.ids);
}

struct btf_by_name btf_by_name(const struct btf *btf, const char *name)
{
	uint32_t hash = hash_of(name);

	return (struct btf_by_name){btf, name, hash, btf->names.heads[hash & btf->names.mask], 0};
}

// To the next candidate's position; false at the end.
static bool advance(struct btf_by_name *it)
{
	while (it->at == END) {
		it->btf = it->btf->base;
		if (!it->btf)
			return false;
		it->at = it->btf->names.heads[it->hash & it->btf->names.mask];
	}
	return it->steps++ < BTF_CHAIN;
}

uint32_t btf_next_named(struct btf_by_name *it)
{
	while (it->btf && advance(it)) {
		uint32_t id = it->btf->names.ids.at[it->at];
		it->at = it->btf->names.next[it->at];
		if (strcmp(btf_name(it->btf, id), it->name) == 0)
			return id;
	}
	return 0;
}
