// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles, and their form in bytes: magic, key, then each part behind its length.
#include "symbols/profile.h"

#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "symbols/btf.h"
#include "symbols/symtab.h"

#include <string.h>

static const uint8_t magic[8] = {'V', 'M', 'I', 'P', 'R', 'O', 'F', '1'};

enum { HEAD = 16, TEXT_MOST = 8192 };

// The parts in their order; a part that is not there has no bytes.
enum part { TYPES_SOURCE, SYMBOLS_SOURCE, BUILD_ID, BANNER, BTF, SYMBOLS, PARTS };

struct profile *profile_new(void)
{
	return mem_zalloc(1, sizeof(struct profile));
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	btf_close(p->btf);
	mem_free(p->btf_bytes);
	symtab_free(p->symbols);
	mem_free(p->types_source);
	mem_free(p->symbols_source);
	mem_free(p->types_path);
	mem_free(p->symbols_path);
	mem_free(p->build_id);
	mem_free(p->banner);
	mem_free(p);
}

bool profile_has_whole_btf(const struct profile *p)
{
	return p->btf && p->types_source && strcmp(p->types_source, "BTF") == 0;
}

struct err *profile_set_btf(struct profile *p, uint8_t *bytes, size_t n)
{
	btf_close(p->btf);
	mem_free(p->btf_bytes);
	p->btf = NULL;
	p->btf_bytes = bytes;
	p->btf_size = n;
	return btf_open(bytes, n, NULL, &p->btf);
}

void profile_take_symbols(struct profile *p, struct profile *from)
{
	symtab_free(p->symbols);
	mem_free(p->symbols_source);
	mem_free(p->symbols_path);
	p->symbols = from->symbols;
	p->symbols_source = from->symbols_source;
	p->symbols_path = from->symbols_path;
	from->symbols = NULL;
	from->symbols_source = from->symbols_path = NULL;
}

// --- writing ---

static char *const *text_of(const struct profile *p, enum part part)
{
	char *const *texts[] = {&p->types_source, &p->symbols_source, &p->build_id, &p->banner};

	return part < BTF ? texts[part] : NULL;
}

static size_t part_size(const struct profile *p, enum part part)
{
	if (part == BTF)
		return p->btf ? p->btf_size : 0;
	if (part == SYMBOLS)
		return p->symbols ? symtab_bytes(p->symbols) : 0;
	return *text_of(p, part) ? strlen(*text_of(p, part)) : 0;
}

static void write_part(const struct profile *p, enum part part, uint8_t *at)
{
	if (part == BTF)
		memcpy(at, p->btf_bytes, p->btf_size);
	else if (part == SYMBOLS)
		symtab_write(p->symbols, at);
	else
		memcpy(at, *text_of(p, part), strlen(*text_of(p, part)));
}

static uint8_t *put_u64(uint8_t *at, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		*at++ = (uint8_t)(v >> 8 * i);
	return at;
}

uint8_t *profile_write(const struct profile *p, uint64_t key, size_t *n)
{
	size_t total = HEAD;

	for (int part = 0; part < PARTS; part++)
		total += 8 + part_size(p, (enum part)part);
	uint8_t *bytes = mem_alloc(total), *at = bytes;
	at = put_u64(mempcpy(at, magic, sizeof(magic)), key);
	for (int part = 0; part < PARTS; part++) {
		size_t size = part_size(p, (enum part)part);
		at = put_u64(at, size);
		if (size)
			write_part(p, (enum part)part, at);
		at += size;
	}
	*n = total;
	return bytes;
}

// --- reading ---

static bool take_part(struct cursor *c, const uint8_t **part, size_t *n)
{
	const uint8_t *head;

	if (!cursor_take(c, 8, &head) || le64(head) > PROFILE_LARGEST ||
	    !cursor_take(c, le64(head), part))
		return false;
	*n = (size_t)le64(head);
	return true;
}

static struct err *read_text(const uint8_t *bytes, size_t n, char **out)
{
	if (n > TEXT_MOST || memchr(bytes, '\0', n))
		return err_new(ERR_FORMAT, "a text in it is none");
	if (n) {
		*out = mem_alloc(n + 1);
		memcpy(*out, bytes, n);
		(*out)[n] = '\0';
	}
	return NULL;
}

static struct err *read_part(struct profile *p, enum part part, const uint8_t *bytes, size_t n)
{
	char **texts[] = {&p->types_source, &p->symbols_source, &p->build_id, &p->banner};

	if (part < BTF)
		return read_text(bytes, n, texts[part]);
	if (n == 0)
		return NULL;
	if (part == SYMBOLS)
		return symtab_read(bytes, n, &p->symbols);
	return profile_set_btf(p, memcpy(mem_alloc(n), bytes, n), n);
}

static struct err *read_parts(struct profile *p, struct cursor *c)
{
	const uint8_t *bytes;
	size_t n;

	for (int part = 0; part < PARTS; part++) {
		if (!take_part(c, &bytes, &n))
			return err_new(ERR_FORMAT, "it is cut off");
		TRY(read_part(p, (enum part)part, bytes, n));
	}
	return cursor_left(c) ? err_new(ERR_FORMAT, "there is something behind its end") : NULL;
}

struct err *profile_read(const uint8_t *bytes, size_t n, uint64_t key, struct profile **out)
{
	struct cursor c = cursor_over(bytes, n);
	const uint8_t *head;

	if (!cursor_take(&c, HEAD, &head) || memcmp(head, magic, sizeof(magic)) != 0)
		return err_new(ERR_FORMAT, "profile: not one");
	if (le64(head + sizeof(magic)) != key)
		return err_new(ERR_NOT_FOUND, "profile: made by another version, of other types");
	struct profile *p = profile_new();
	struct err *e = read_parts(p, &c);
	if (e) {
		profile_free(p);
		return err_wrap(e, "profile");
	}
	*out = p;
	return NULL;
}
