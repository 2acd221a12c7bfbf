// SPDX-License-Identifier: LGPL-2.1-or-later
// Layers from the outside in, each at most once: what is packed twice has no reason to be.
#include "formats/layers.h"

#include "formats/flattened.h"
#include "formats/unpack.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

static void add_words(char **to, const char *words)
{
	char *before = *to;

	*to = before ? mem_printf("%s, %s", before, words) : mem_strdup(words);
	mem_free(before);
}

static struct err *unpack(struct io **io, const struct fmt_probe *p, const struct fmt_options *opts,
			  struct layers *out)
{
	const struct packing *k = unpack_recognise(p);
	struct unpacked u;

	if (!k)
		return NULL;
	TRY(unpack_open(k, *io, p, opts, &u));
	*io = u.io;
	add_words(&out->kinds, u.kind);
	if (u.damage)
		add_words(&out->damage, u.damage);
	mem_free(u.damage);
	return NULL;
}

static struct err *unflatten(struct io **io, const struct fmt_options *opts, struct layers *out)
{
	char *damage = NULL;

	TRY(flattened_open(io, opts, &damage));
	add_words(&out->kinds, "flattened");
	if (damage)
		add_words(&out->damage, damage);
	mem_free(damage);
	return NULL;
}

struct err *layers_open_probed(struct io **io, const struct fmt_options *opts,
			       struct probe_bytes *bytes, struct fmt_probe *inside,
			       struct layers *out)
{
	*out = (struct layers){0};
	TRY(probe_load(*io, bytes, inside));
	TRY(unpack(io, inside, opts, out));
	if (out->kinds)
		TRY(probe_load(*io, bytes, inside));
	if (!flattened_is(inside))
		return NULL;
	TRY(unflatten(io, opts, out));
	return probe_load(*io, bytes, inside);
}

struct err *layers_open(struct io **io, const struct fmt_options *opts, struct layers *out)
{
	_cleanup_free_ struct probe_bytes *bytes = mem_alloc(sizeof(*bytes));
	struct fmt_probe inside;

	return layers_open_probed(io, opts, bytes, &inside, out);
}

void layers_fini(struct layers *l)
{
	mem_free(l->kinds);
	mem_free(l->damage);
	*l = (struct layers){0};
}
