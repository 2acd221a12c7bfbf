// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON to records, in one pass, without a tree.
#include "src/symfiles/isf_impl.h"

#include "src/base/text.h"

#include <string.h>

enum {
	NAME = 512,
	DEEPEST = 16,	   // pointers to arrays of arrays
	RECORDS = 4 << 20, // of each sort; a kernel has 100,000 fields
	STRINGS = 128 << 20,
	BANNER = 700, // in base64
};

static bool full(const struct isf *f)
{
	return f->types.n >= RECORDS || f->fields.n >= RECORDS || f->values.n >= RECORDS ||
	       f->definitions.n >= RECORDS || f->names.n >= STRINGS;
}

static uint32_t put_name(struct isf *f, const char *name)
{
	uint32_t off = (uint32_t)f->names.n;

	for (const char *p = name;; p++) {
		vec_push(&f->names, *p);
		if (!*p)
			return off;
	}
}

static uint64_t take_number(struct isf *f)
{
	uint64_t v = 0;

	(void)json_in_number(&f->json, &v);
	return v;
}

static void skip_spaces(struct isf *f)
{
	while (f->json.p < f->json.end && strchr(" \t\r\n", *f->json.p))
		f->json.p++;
}

static int64_t take_signed(struct isf *f)
{
	skip_spaces(f);
	bool minus = f->json.p < f->json.end && *f->json.p == '-';
	f->json.p += minus;
	uint64_t v = take_number(f);
	return (int64_t)(minus ? -v : v);
}

static bool take_bool(struct isf *f)
{
	skip_spaces(f);
	bool is_true = f->json.p < f->json.end && *f->json.p == 't';
	json_in_skip(&f->json);
	return is_true;
}

// The next member of an object: its key, and that it is one. At the end of the object, or where
// there is too much, false.
static bool next(struct isf *f, char key[static NAME])
{
	if (full(f))
		f->json.bad = true;
	return json_in_more(&f->json, '}') && json_in_name(&f->json, key, NAME);
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static enum isf_kind kind_of(const char *word)
{
	static const struct {
		const char *word;
		enum isf_kind kind;
	} kinds[] = {{"base", ISF_BASE},     {"pointer", ISF_POINTER},	{"array", ISF_ARRAY},
		     {"struct", ISF_STRUCT}, {"class", ISF_STRUCT},	{"union", ISF_UNION},
		     {"enum", ISF_ENUM},     {"bitfield", ISF_BITFIELD}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is(word, kinds[i].word))
			return kinds[i].kind;
	return ISF_OTHER;
}

// --- types as fields mention them ---

static uint32_t take_type(struct isf *f, int depth) // NOLINT(misc-no-recursion): bounded
{
	struct isf_type t = {.inner = ISF_NONE, .name = ISF_NONE};
	char key[NAME], word[NAME];

	if (depth > DEEPEST || !json_in_open(&f->json, '{')) {
		f->json.bad = true;
		return ISF_NONE;
	}
	while (next(f, key)) {
		if (is(key, "kind") && json_in_string(&f->json, word, sizeof(word)))
			t.kind = kind_of(word);
		else if (is(key, "name") && json_in_string(&f->json, word, sizeof(word)))
			t.name = put_name(f, word);
		else if (is(key, "subtype") || is(key, "type"))
			t.inner = take_type(f, depth + 1);
		else if (is(key, "count"))
			t.count = (uint32_t)take_number(f);
		else if (is(key, "bit_position"))
			t.bit = (uint8_t)take_number(f);
		else if (is(key, "bit_length"))
			t.width = (uint8_t)take_number(f);
		else
			json_in_skip(&f->json);
	}
	vec_push(&f->types, t);
	return (uint32_t)f->types.n - 1;
}

// --- definitions ---

static uint64_t key_of(enum isf_kind kind, const char *name)
{
	const char sort = (char)(kind == ISF_UNION ? ISF_STRUCT : kind);

	return text_hash(text_hash(TEXT_HASH, &sort, 1), name, strlen(name));
}

static void define(struct isf *f, const struct isf_definition *d)
{
	uint64_t key = key_of(d->kind, isf_name(f, d->name));

	while (!u64map_add(&f->by_name, key, f->definitions.n))
		key++; // of one name the first is found
	vec_push(&f->definitions, *d);
}

struct isf_definition *isf_find(const struct isf *f, enum isf_kind kind, const char *name)
{
	const uint64_t *place;

	for (uint64_t key = key_of(kind, name); (place = u64map_get(&f->by_name, key)); key++)
		if (is(isf_name(f, f->definitions.at[*place].name), name))
			return &f->definitions.at[*place];
	return NULL;
}

static void take_field(struct isf *f, const char *name)
{
	struct isf_field field = {.name = put_name(f, name), .type = ISF_NONE};
	char key[NAME];

	(void)json_in_open(&f->json, '{');
	while (next(f, key)) {
		if (is(key, "type"))
			field.type = take_type(f, 0);
		else if (is(key, "offset"))
			field.offset = take_number(f);
		else if (is(key, "anonymous"))
			field.anonymous = take_bool(f);
		else
			json_in_skip(&f->json);
	}
	vec_push(&f->fields, field);
}

static void take_fields(struct isf *f, struct isf_definition *d)
{
	char key[NAME];

	d->first = (uint32_t)f->fields.n;
	(void)json_in_open(&f->json, '{');
	while (next(f, key))
		take_field(f, key);
	d->n = (uint32_t)f->fields.n - d->first;
}

static void take_constants(struct isf *f, struct isf_definition *d)
{
	char key[NAME];

	d->first = (uint32_t)f->values.n;
	(void)json_in_open(&f->json, '{');
	while (next(f, key)) {
		uint32_t name = put_name(f, key);
		int64_t value = take_signed(f);
		d->is_signed |= value < 0;
		vec_push(&f->values, ((struct isf_value){name, value}));
	}
	d->n = (uint32_t)f->values.n - d->first;
}

// A member of a definition of any sort.
static void take_property(struct isf *f, const char *key, struct isf_definition *d)
{
	char word[NAME];

	if (is(key, "size"))
		d->size = take_number(f);
	else if (is(key, "fields") && d->kind != ISF_ENUM)
		take_fields(f, d);
	else if (is(key, "constants") && d->kind == ISF_ENUM)
		take_constants(f, d);
	else if (is(key, "signed"))
		d->is_signed = take_bool(f);
	else if (is(key, "kind") && json_in_string(&f->json, word, sizeof(word))) {
		d->is_float = is(word, "float");
		if (d->kind == ISF_STRUCT && is(word, "union"))
			d->kind = ISF_UNION;
	} else {
		json_in_skip(&f->json);
	}
}

static void take_definitions(struct isf *f, enum isf_kind kind)
{
	char key[NAME];

	(void)json_in_open(&f->json, '{');
	while (next(f, key)) {
		struct isf_definition d = {.name = put_name(f, key), .kind = kind};
		(void)json_in_open(&f->json, '{');
		while (next(f, key))
			take_property(f, key, &d);
		define(f, &d);
	}
}

// --- symbols ---

static int sextet(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

// The text in base64, up to its newline.
static char *decode(const char *s)
{
	char *text = mem_zalloc(strlen(s) + 1, 1);
	uint32_t bits = 0, n_bits = 0;
	size_t n = 0;

	for (; sextet(*s) >= 0; s++) {
		bits = bits << 6 | (uint32_t)sextet(*s);
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		text[n++] = (char)(bits >> n_bits);
	}
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void take_symbol(struct isf *f, const char *name)
{
	char key[NAME], data[BANNER] = "";
	uint64_t va = 0;
	bool placed = false, is_banner = is(name, "linux_banner");

	(void)json_in_open(&f->json, '{');
	while (next(f, key)) {
		if (is(key, "address")) {
			va = take_number(f);
			placed = true;
		} else if (is(key, "constant_data") && is_banner) {
			(void)json_in_string(&f->json, data, sizeof(data));
		} else {
			json_in_skip(&f->json);
		}
	}
	if (placed)
		(void)symtab_add(f->symbols, name, strlen(name), va, '?');
	if (*data && !f->banner)
		f->banner = decode(data);
}

static void take_symbols(struct isf *f)
{
	char name[NAME];

	(void)json_in_open(&f->json, '{');
	while (next(f, name))
		take_symbol(f, name);
}

// --- the whole ---

static void take_part(struct isf *f, const char *key)
{
	if (is(key, "base_types"))
		take_definitions(f, ISF_BASE);
	else if (is(key, "user_types"))
		take_definitions(f, ISF_STRUCT);
	else if (is(key, "enums"))
		take_definitions(f, ISF_ENUM);
	else if (is(key, "symbols"))
		take_symbols(f);
	else
		json_in_skip(&f->json);
}

struct err *isf_read(struct isf *f, const char *json, size_t n)
{
	char key[NAME];

	f->json = (struct json_in){.p = json, .end = json + n};
	f->symbols = symtab_new();
	(void)json_in_open(&f->json, '{');
	while (next(f, key))
		take_part(f, key);
	symtab_sort(f->symbols);
	if (full(f))
		return err_new(ERR_LIMIT, "ISF: it has more types than any kernel");
	if (f->json.bad)
		return err_new(ERR_FORMAT, "ISF: broken JSON at byte %zu",
			       (size_t)(f->json.p - json));
	return NULL;
}

void isf_fini(struct isf *f)
{
	vec_fini(&f->names);
	vec_fini(&f->types);
	vec_fini(&f->fields);
	vec_fini(&f->values);
	vec_fini(&f->definitions);
	u64map_fini(&f->by_name);
	symtab_free(f->symbols);
	mem_free(f->banner);
}
