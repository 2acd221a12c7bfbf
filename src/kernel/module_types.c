// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds and opens the BTF of modules: btf_modules in kernel/bpf/btf.c.
//
// module.btf_data is of no use: it points into the loader's copy of the file, which is gone once
// the module is live.
#include "src/kernel/module_types.h"

#include "src/base/mem.h"
#include "src/base/scope.h"
#include "src/kernel/iter.h"
#include "symbols/btf.h"
#include "symbols/profile.h"

#include <string.h>

enum {
	MAX_MODULES = 1 << 14,
	LARGEST_BTF = 16 << 20, // the largest of Debian's 7.2 modules has 2 MB
	NAME_LEN = 56,		// MODULE_NAME_LEN
};

struct module_types {
	struct kernel *k;
	const struct btf *btf; // split, or the kernel's
	struct btf *split;
	uint8_t *bytes; // split borrows from it
};

static bool has_name(struct kernel *k, uint64_t btf, const char *module)
{
	char name[NAME_LEN + 1];
	size_t n = k_bytes(k, btf, F(btf, name), name, NAME_LEN);

	name[n] = '\0';
	return strcmp(name, module) == 0;
}

// The kernel's own BTF, of the image or of its file, from which that of modules counts on. What was
// made of DWARF will not do.
static const struct btf *base_of(const struct kernel *k)
{
	if (k->image_btf)
		return k->image_btf;
	return k->profile && profile_has_whole_btf(k->profile) ? k->profile->btf : NULL;
}

// The struct btf of a module, or 0.
static uint64_t find_btf(struct kernel *k, const char *module)
{
	struct list_iter it;
	uint64_t node;

	if (!base_of(k) || !k_has_symbol(k, S(btf_modules)) || !k_has(k, F(btf_module, list)))
		return 0;
	list_begin(&it, k, k->symbol[S(btf_modules)], MAX_MODULES);
	while (list_next(&it, &node)) {
		uint64_t entry = k_container(k, node, F(btf_module, list));
		uint64_t btf = k_or0(k, entry, F(btf_module, btf));
		if (btf && has_name(k, btf, module))
			return btf;
	}
	return 0;
}

static bool open_split(struct module_types *m, uint64_t btf)
{
	uint64_t data = k_or0(m->k, btf, F(btf, data));
	uint64_t size = k_or0(m->k, btf, F(btf, data_size));

	if (!data || size < BTF_HEAD || size > LARGEST_BTF)
		return false;
	m->bytes = mem_alloc(size);
	if (!k_read(m->k, data, m->bytes, size))
		return false;
	return btf_open(m->bytes, size, base_of(m->k), &m->split) == NULL;
}

void module_types_close(struct module_types *m)
{
	if (!m)
		return;
	btf_close(m->split);
	mem_free(m->bytes);
	mem_free(m);
}

struct module_types *module_types_open(struct kernel *k, const char *module, const char *type)
{
	struct module_types *m = mem_zalloc(1, sizeof(*m));
	uint64_t btf = find_btf(k, module);

	m->k = k;
	m->btf = k->btf;
	if (btf && open_split(m, btf))
		m->btf = m->split;
	if (btf_find(m->btf, type))
		return m;
	module_types_close(m);
	return NULL;
}

// --- look-ups ---

uint64_t module_sizeof(const struct module_types *m, const char *type)
{
	uint32_t size;

	return btf_sizeof(m->btf, type, &size) ? size : 0;
}

uint64_t module_va(const struct module_types *m, uint64_t base, const char *type, const char *path)
{
	struct btf_field f;

	return base && btf_member(m->btf, type, path, &f) ? base + f.off : 0;
}

bool module_offset(const struct module_types *m, const char *type, const char *path, uint32_t *off)
{
	struct btf_field f;

	if (!btf_member(m->btf, type, path, &f))
		return false;
	*off = f.off;
	return true;
}

size_t module_width(const struct module_types *m, const char *type, const char *path)
{
	struct btf_field f;

	return btf_member(m->btf, type, path, &f) && f.size <= 8 ? f.size : 0;
}

bool module_get(const struct module_types *m, uint64_t base, const char *type, const char *path,
		uint64_t *v)
{
	struct btf_field f;
	uint8_t raw[8];

	if (!base || !btf_member(m->btf, type, path, &f) || f.size == 0 || f.size > sizeof(raw))
		return false;
	if (!k_read(m->k, base + f.off, raw, f.size))
		return false;
	*v = btf_field_value(&f, raw);
	return true;
}
