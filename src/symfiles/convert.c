// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells the kinds of symbol files apart.
#include "src/symfiles/convert.h"

#include "src/base/mem.h"
#include "src/symfiles/isf.h"
#include "src/symfiles/unpack.h"
#include "symbols/btf.h"
#include "symbols/symtab.h"
#include "symbols/system_map.h"

#include <string.h>

struct err *convert_btf(const uint8_t *bytes, size_t n, struct profile *p)
{
	TRY(profile_set_btf(p, memcpy(mem_alloc(n), bytes, n), n));
	p->types_source = mem_strdup("BTF");
	return NULL;
}

static bool begins(const uint8_t *bytes, size_t n, const char *magic, size_t magic_n)
{
	return n >= magic_n && memcmp(bytes, magic, magic_n) == 0;
}

static bool is_json(const uint8_t *bytes, size_t n)
{
	while (n > 0 && strchr(" \t\r\n", *bytes) && *bytes)
		bytes++, n--;
	return n > 0 && *bytes == '{';
}

static struct err *convert_plain(uint8_t *bytes, size_t n, const struct type_wants *wants,
				 struct profile *p)
{
	if (begins(bytes, n, "\177ELF", 4))
		return convert_elf(bytes, n, wants, p);
	if (begins(bytes, n, "\x9f\xeb", 2) || begins(bytes, n, "\xeb\x9f", 2))
		return convert_btf(bytes, n, p);
	if (system_map_looks_like((const char *)bytes, n)) {
		p->symbols_source = mem_strdup("System.map");
		return system_map_read((const char *)bytes, n, &p->symbols);
	}
	if (is_json(bytes, n))
		return convert_isf((const char *)bytes, n, wants, p);
	return err_new(ERR_FORMAT, "it is no vmlinux, vmlinuz, BTF, System.map or ISF");
}

static struct err *convert_any(uint8_t *bytes, size_t n, const struct type_wants *wants,
			       struct profile *p)
{
	const uint8_t *packed = bytes;
	uint8_t *content;
	size_t content_n;
	bool is_vmlinuz = vmlinuz_payload(bytes, n, &packed, &n);

	if (!is_vmlinuz && !unpack_is_packed(bytes, n))
		return convert_plain(bytes, n, wants, p);
	TRY(unpack_bytes(packed, n, &content, &content_n));
	struct err *e = convert_plain(content, content_n, wants, p);
	mem_free(content);
	return e && is_vmlinuz ? err_wrap(e, "the kernel in it") : e;
}

static bool has_wanted_type(const struct profile *p, const struct type_wants *wants)
{
	for (size_t i = 0; i < wants->n_types; i++)
		if (btf_find(p->btf, wants->types[i]))
			return true;
	return false;
}

static struct err *check_content(const struct profile *p, const struct type_wants *wants)
{
	bool has_symbols = p->symbols && symtab_count(p->symbols);

	if (!p->btf && !has_symbols)
		return err_new(ERR_FORMAT, "it has neither types (DWARF, BTF) nor symbols");
	if (p->btf && !has_wanted_type(p, wants))
		return err_new(ERR_NOT_FOUND, "it describes no structure of a kernel");
	return NULL;
}

struct err *convert(uint8_t *bytes, size_t n, const struct type_wants *wants, struct profile **out)
{
	struct profile *p = profile_new();
	struct err *e = convert_any(bytes, n, wants, p);

	if (!e)
		e = check_content(p, wants);
	if (e)
		profile_free(p);
	else
		*out = p;
	return e;
}
