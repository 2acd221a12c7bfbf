// SPDX-License-Identifier: LGPL-2.1-or-later
// Symbols side by side in arrays, so that they are written and read at one stroke.
#include "symbols/symtab.h"

#include "src/base/bytes.h"
#include "src/base/vec.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t va;
	uint32_t name; // in names
	char type;
};

struct symtab {
	VEC(struct entry) at;
	VEC(char) names;
};

struct symtab *symtab_new(void)
{
	return mem_zalloc(1, sizeof(struct symtab));
}

void symtab_free(struct symtab *t)
{
	if (!t)
		return;
	vec_fini(&t->at);
	vec_fini(&t->names);
	mem_free(t);
}

size_t symtab_count(const struct symtab *t)
{
	return t->at.n;
}

static void reserve_names(struct symtab *t, size_t more)
{
	size_t cap = t->names.cap ? t->names.cap : 1 << 16;

	while (cap < t->names.n + more)
		cap *= 2;
	if (cap != t->names.cap)
		t->names.at = mem_grow(t->names.at, cap, 1);
	t->names.cap = cap;
}

bool symtab_add(struct symtab *t, const char *name, size_t n, uint64_t va, char type)
{
	if (n == 0 || n >= SYMTAB_NAME || memchr(name, '\0', n) || t->at.n >= SYMTAB_MOST ||
	    t->names.n + n + 1 > SYMTAB_STRINGS)
		return false;
	reserve_names(t, n + 1);
	vec_push(&t->at, ((struct entry){va, (uint32_t)t->names.n, type}));
	memcpy(t->names.at + t->names.n, name, n);
	t->names.at[t->names.n + n] = '\0';
	t->names.n += n + 1;
	return true;
}

static const char *name_of(const struct symtab *t, const struct entry *e)
{
	return t->names.at + e->name;
}

// By address; those of one address stay in the order in which they came.
static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

void symtab_sort(struct symtab *t)
{
	if (t->at.n)
		qsort(t->at.at, t->at.n, sizeof(*t->at.at), compare);
}

// --- looking up ---

enum { SLOTS = 1024, NO_WANT = -1 }; // of first two characters, to look at few names of the many

static unsigned slot_of(const char *name)
{
	unsigned first = (uint8_t)name[0], second = first ? (uint8_t)name[1] : 0;

	return (first * 31 + second) % SLOTS;
}

static void take(const struct entry *e, struct symbol_want *want)
{
	want->count++;
	if (want->found && symbol_rank(e->type) <= symbol_rank(want->type))
		return;
	want->found = true;
	want->type = e->type;
	want->va = e->va;
}

// Chains of what is wanted, by slot.
struct chains {
	int first[SLOTS];
	int *next;
};

static struct chains chain_up(struct symbol_want *wants, size_t n)
{
	struct chains c = {.next = mem_alloc((n + 1) * sizeof(*c.next))};

	for (size_t i = 0; i < SLOTS; i++)
		c.first[i] = NO_WANT;
	for (size_t i = n; i-- > 0;) {
		int *first = &c.first[slot_of(wants[i].name)];
		wants[i] = (struct symbol_want){.name = wants[i].name};
		c.next[i] = *first;
		*first = (int)i;
	}
	return c;
}

void symtab_resolve(const struct symtab *t, struct symbol_want *wants, size_t n)
{
	struct chains c = chain_up(wants, n);
	const struct entry *e;

	vec_foreach (e, &t->at) {
		const char *name = name_of(t, e);
		for (int i = c.first[slot_of(name)]; i != NO_WANT; i = c.next[i])
			if (strcmp(wants[i].name, name) == 0)
				take(e, &wants[i]);
	}
	mem_free(c.next);
}

bool symtab_find(const struct symtab *t, const char *name, uint64_t *va)
{
	struct symbol_want want = {.name = name};

	symtab_resolve(t, &want, 1);
	*va = want.va;
	return want.found;
}

// How many symbols lie at or before va.
static size_t count_to(const struct symtab *t, uint64_t va)
{
	size_t low = 0, high = t->at.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (t->at.at[mid].va <= va)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool symtab_name_at(const struct symtab *t, uint64_t va, const char **name, uint64_t *offset)
{
	size_t i = count_to(t, va);

	if (i == 0)
		return false;
	uint64_t start = t->at.at[i - 1].va;
	while (i > 1 && t->at.at[i - 2].va == start)
		i--;
	*name = name_of(t, &t->at.at[i - 1]);
	*offset = va - start;
	return true;
}

bool symtab_at(const struct symtab *t, size_t i, const char **name, uint64_t *va, char *type)
{
	if (i >= t->at.n)
		return false;
	*name = name_of(t, &t->at.at[i]);
	*va = t->at.at[i].va;
	*type = t->at.at[i].type;
	return true;
}

// --- bytes ---

enum { HEAD = 16, EACH = 8 + 4 + 1 };

size_t symtab_bytes(const struct symtab *t)
{
	return HEAD + t->at.n * EACH + t->names.n;
}

static void put(uint8_t *at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

void symtab_write(const struct symtab *t, uint8_t *out)
{
	uint8_t *vas = out + HEAD, *places = vas + t->at.n * 8, *types = places + t->at.n * 4;

	put(out, t->at.n, 8);
	put(out + 8, t->names.n, 8);
	for (size_t i = 0; i < t->at.n; i++) {
		put(vas + i * 8, t->at.at[i].va, 8);
		put(places + i * 4, t->at.at[i].name, 4);
		types[i] = (uint8_t)t->at.at[i].type;
	}
	if (t->names.n)
		memcpy(types + t->at.n, t->names.at, t->names.n);
}

static bool read_entries(const uint8_t *vas, uint64_t n, uint64_t n_names, struct symtab *t)
{
	const uint8_t *places = vas + n * 8, *types = places + n * 4;
	uint64_t last = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct entry *e = &t->at.at[i];
		*e = (struct entry){le64(vas + i * 8), le32(places + i * 4), (char)types[i]};
		if (e->va < last || e->name >= n_names)
			return false;
		last = e->va;
	}
	return true;
}

static struct err *check_sizes(const uint8_t *bytes, size_t n)
{
	if (n < HEAD)
		return err_new(ERR_FORMAT, "table of symbols: %zu bytes are too few", n);
	uint64_t count = le64(bytes), names = le64(bytes + 8);
	if (count > SYMTAB_MOST || names > SYMTAB_STRINGS)
		return err_new(ERR_LIMIT, "table of symbols: %llu symbols are too many",
			       (unsigned long long)count);
	if (n - HEAD != count * EACH + names || (names && bytes[n - 1] != '\0'))
		return err_new(ERR_FORMAT, "table of symbols: its parts do not fill it");
	return NULL;
}

struct err *symtab_read(const uint8_t *bytes, size_t n, struct symtab **out)
{
	TRY(check_sizes(bytes, n));
	struct symtab *t = symtab_new();
	size_t count = (size_t)le64(bytes), names = (size_t)le64(bytes + 8);
	t->at.at = mem_zalloc(count, sizeof(*t->at.at));
	t->at.n = t->at.cap = count;
	t->names.at = memcpy(mem_alloc(names), bytes + n - names, names);
	t->names.n = t->names.cap = names;
	if (!read_entries(bytes + HEAD, count, names, t)) {
		symtab_free(t);
		return err_new(ERR_FORMAT, "table of symbols: not in the order of addresses, or a "
					   "name lies outside");
	}
	*out = t;
	return NULL;
}
