// SPDX-License-Identifier: LGPL-2.1-or-later
// ISF's records to BTF: the structs that are asked for, and what they embed.
#include "src/symfiles/isf.h"

#include "src/base/mem.h"
#include "src/symfiles/isf_impl.h"
#include "symbols/btf_write.h"

#include <string.h>

enum { DEEPEST = 64, MOST_MEMBERS = 0xffff };

struct converter {
	struct isf *f;
	struct btf_writer out;
	unsigned depth;
};

static uint32_t type_of(struct converter *c, uint32_t at);

static uint32_t size_of(const struct isf_definition *d)
{
	return d->size <= UINT32_MAX ? (uint32_t)d->size : 0;
}

static uint32_t base(struct converter *c, struct isf_definition *d)
{
	const char *name = isf_name(c->f, d->name);

	if (strcmp(name, "void") == 0)
		return 0;
	if (!d->begun)
		d->id = d->is_float ? btf_write_float(&c->out, name, size_of(d))
				    : btf_write_int(&c->out, name, size_of(d), d->is_signed);
	d->begun = true;
	return d->id;
}

static uint32_t enumeration(struct converter *c, struct isf_definition *d)
{
	VEC(struct btf_write_value) values = {0};

	if (d->begun)
		return d->id;
	d->begun = true;
	for (uint32_t i = 0; i < d->n && i < MOST_MEMBERS; i++) {
		const struct isf_value *v = &c->f->values.at[d->first + i];
		vec_push(&values, ((struct btf_write_value){isf_name(c->f, v->name), v->value}));
	}
	d->id = btf_write_enum(&c->out, isf_name(c->f, d->name), size_of(d), d->is_signed,
			       values.at, values.n);
	vec_fini(&values);
	return d->id;
}

// --- structs ---

static bool member(struct converter *c, const struct isf_field *f, struct btf_write_member *out)
{
	const struct isf_type *t = f->type < c->f->types.n ? &c->f->types.at[f->type] : NULL;
	uint64_t bit = f->offset * 8;

	if (!t || f->offset > UINT32_MAX / 8 - 8)
		return false;
	bool is_bits = t->kind == ISF_BITFIELD;
	*out = (struct btf_write_member){
		.name = f->anonymous ? NULL : isf_name(c->f, f->name),
		.type = type_of(c, is_bits ? t->inner : f->type),
		.bit = (uint32_t)(is_bits ? bit + t->bit : bit),
		.width = is_bits ? t->width : 0,
	};
	return true;
}

static uint32_t structure(struct converter *c, struct isf_definition *d)
{
	VEC(struct btf_write_member) members = {0};
	struct btf_write_member m;

	if (d->begun)
		return d->id; // 0 for one that embeds itself
	d->begun = true;
	for (uint32_t i = 0; i < d->n && i < MOST_MEMBERS; i++)
		if (member(c, &c->f->fields.at[d->first + i], &m))
			vec_push(&members, m);
	d->id = btf_write_struct(&c->out, isf_name(c->f, d->name), d->kind == ISF_UNION, size_of(d),
				 members.at, members.n);
	vec_fini(&members);
	return d->id;
}

// --- any type ---

static uint32_t pointer(struct converter *c, const struct isf_type *t)
{
	const struct isf_type *to = t->inner < c->f->types.n ? &c->f->types.at[t->inner] : NULL;
	uint32_t id = 0;

	if (to && (to->kind == ISF_STRUCT || to->kind == ISF_UNION) && to->name != ISF_NONE)
		id = btf_write_forward(&c->out, isf_name(c->f, to->name), to->kind == ISF_UNION);
	return btf_write_pointer(&c->out, id);
}

static uint32_t named(struct converter *c, const struct isf_type *t)
{
	struct isf_definition *d =
		t->name == ISF_NONE ? NULL : isf_find(c->f, t->kind, isf_name(c->f, t->name));

	if (!d)
		return 0;
	if (d->kind == ISF_BASE)
		return base(c, d);
	return d->kind == ISF_ENUM ? enumeration(c, d) : structure(c, d);
}

static uint32_t convert(struct converter *c, const struct isf_type *t)
{
	switch (t->kind) {
	case ISF_POINTER:
		return pointer(c, t);
	case ISF_ARRAY:
		return btf_write_array(&c->out, type_of(c, t->inner), t->count);
	case ISF_BASE:
	case ISF_STRUCT:
	case ISF_UNION:
	case ISF_ENUM:
		return named(c, t);
	case ISF_BITFIELD:
	case ISF_OTHER:
		break;
	}
	return 0;
}

static uint32_t type_of(struct converter *c, uint32_t at) // NOLINT(misc-no-recursion): bounded
{
	if (at >= c->f->types.n || c->depth >= DEEPEST)
		return 0;
	const struct isf_type t = c->f->types.at[at];
	c->depth++;
	uint32_t id = convert(c, &t);
	c->depth--;
	return id;
}

// --- what is asked for ---

static bool has_wanted(const struct isf *f, const struct isf_definition *d,
		       const struct name_set *constants)
{
	for (uint32_t i = 0; i < d->n; i++)
		if (name_set_find(constants, isf_name(f, f->values.at[d->first + i].name)) !=
		    NO_NAME)
			return true;
	return false;
}

static void take_wanted(struct converter *c, const struct type_wants *wants)
{
	struct wanted w;

	wanted_init(&w, wants);
	for (size_t i = 0; i < wants->n_types; i++) {
		struct isf_definition *d = isf_find(c->f, ISF_STRUCT, wants->types[i]);
		if (d)
			(void)structure(c, d);
	}
	for (size_t i = 0; i < c->f->definitions.n; i++) {
		struct isf_definition *d = &c->f->definitions.at[i];
		if (d->kind == ISF_ENUM && has_wanted(c->f, d, &w.constants))
			(void)enumeration(c, d);
	}
	wanted_fini(&w);
}

static struct err *finish(struct converter *c, struct profile *p)
{
	size_t n;
	uint8_t *blob = btf_write_end(&c->out, &n);

	if (!blob)
		return err_new(ERR_LIMIT, "ISF: its types are too many");
	p->types_source = mem_strdup("ISF");
	p->symbols_source = mem_strdup("ISF");
	p->symbols = c->f->symbols;
	p->banner = c->f->banner;
	c->f->symbols = NULL;
	c->f->banner = NULL;
	return profile_set_btf(p, blob, n);
}

struct err *convert_isf(const char *json, size_t n, const struct type_wants *wants,
			struct profile *p)
{
	struct isf f = {0};
	struct converter c = {.f = &f};
	struct err *e = isf_read(&f, json, n);

	if (!e) {
		take_wanted(&c, wants);
		e = finish(&c, p);
	}
	btf_write_fini(&c.out);
	isf_fini(&f);
	return e;
}
