// SPDX-License-Identifier: LGPL-2.1-or-later
// Which images a batch has, and how their databases are called.
//
// The first image of a name gets NAME.db, others of that name NAME-HASH.db, with a hash of their
// path: so no two share one, and who adds images later moves none.
#include "src/cli/batch.h"

#include "formats/look.h"
#include "src/base/scope.h"
#include "src/base/text.h"
#include "src/base/u64map.h"
#include "src/phys/folder.h"
#include "src/phys/names.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// A file of a split dump, until all of them are known.
struct part {
	struct look_part at;
	char *path;
};

struct finder {
	const struct options *o;
	batch_images *images;
	struct u64map paths, names; // hashes of those that are taken
	VEC(struct part) parts;
};

static uint64_t hash_of(const char *s)
{
	return text_hash(TEXT_HASH, s, strlen(s));
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

// Without links on the way there, as those of a folder that is walked; a link that is the file
// itself keeps its name.
static char *resolved(const char *path)
{
	const char *name = last_part(path);
	_cleanup_free_ char *folder = mem_printf("%.*s.", (int)(name - path), path);
	char real[PATH_MAX];

	if (!realpath(folder, real))
		return NULL;
	return mem_printf("%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
}

// Paths are absolute, so that a batch that goes on elsewhere knows its images again.
static char *absolute(const char *path)
{
	char here[PATH_MAX], *real = resolved(path);

	if (real)
		return real;
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	if (*path == '/' || !getcwd(here, sizeof(here)))
		return mem_strdup(path);
	return mem_printf("%s/%s", here, path);
}

// --- images ---

static struct batch_image *add_image(struct finder *f, const char *path)
{
	struct batch_image *i = vec_add(f->images);
	const char *name = last_part(path);

	*i = (struct batch_image){.path = mem_strdup(path)};
	if (u64map_add(&f->names, hash_of(name), 1))
		i->plain = mem_printf("%s/%s.db", f->o->output, name);
	i->distinct = mem_printf("%s/%s-%016llx.db", f->o->output, name,
				 (unsigned long long)hash_of(path));
	return i;
}

// must: it was named, so if it is no image that is to be said.
static void add_file(struct finder *f, const char *path, bool must)
{
	struct look_part part = {0};

	if (!u64map_add(&f->paths, hash_of(path), 1))
		return;
	enum look look = look_at_file(path, &part);
	if (look == LOOK_PART)
		vec_push(&f->parts, ((struct part){part, mem_strdup(path)}));
	else if (look == LOOK_IMAGE || (must && look != LOOK_PARTNER))
		(void)add_image(f, path);
}

// --- dumps that were split ---

static size_t folder_length(const char *path)
{
	return (size_t)(last_part(path) - path);
}

static int compare_sets(const struct part *x, const struct part *y)
{
	size_t n = folder_length(x->path), m = folder_length(y->path);

	if (x->at.set != y->at.set)
		return x->at.set < y->at.set ? -1 : 1;
	return n != m ? (n < m ? -1 : 1) : strncmp(x->path, y->path, n);
}

static int by_set(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int sets = compare_sets(x, y);

	if (sets)
		return sets;
	if (x->at.start_pfn != y->at.start_pfn)
		return x->at.start_pfn < y->at.start_pfn ? -1 : 1;
	return strcmp(x->path, y->path);
}

// Of one set in one folder the part with the first pages is the image.
static void join_parts(struct finder *f)
{
	struct batch_image *image = NULL;

	if (f->parts.n)
		qsort(f->parts.at, f->parts.n, sizeof(*f->parts.at), by_set);
	for (size_t i = 0; i < f->parts.n; i++) {
		struct part *p = &f->parts.at[i];
		if (i == 0 || compare_sets(p - 1, p) != 0)
			image = add_image(f, p->path);
		else
			vec_push(&image->parts, mem_strdup(p->path));
	}
	for (size_t i = 0; i < f->parts.n; i++)
		mem_free(f->parts.at[i].path);
	vec_fini(&f->parts);
}

// --- words ---

static struct err *add_folder(struct finder *f, const char *path)
{
	_cleanup_(folder_fini) struct folder folder = {0};
	char real[PATH_MAX];

	if (!realpath(path, real))
		return err_errno(ERR_IO, "%s: can't be listed", path);
	TRY(folder_walk(real, f->o->output, &folder));
	for (size_t i = 0; i < folder.files.n; i++)
		add_file(f, folder.files.at[i], false);
	return NULL;
}

static struct err *add_list(struct finder *f, const char *path)
{
	name_vec names = {0};
	struct err *e = names_read(path, f->o->null ? '\0' : '\n', &names);

	for (size_t i = 0; i < names.n; i++) {
		_cleanup_free_ char *file = absolute(names.at[i]);
		if (!e)
			add_file(f, file, true);
		mem_free(names.at[i]);
	}
	vec_fini(&names);
	return e;
}

static struct err *add_word(struct finder *f, const char *word)
{
	_cleanup_free_ char *path = absolute(word);
	struct look_part part;
	struct stat st;

	if (strcmp(word, "-") == 0)
		return add_list(f, word);
	if (stat(word, &st) != 0)
		return err_errno(ERR_IO, "%s: can't be opened", word);
	if (S_ISDIR(st.st_mode))
		return add_folder(f, word);
	if (f->o->null || look_at_file(word, &part) == LOOK_TEXT)
		return add_list(f, word);
	add_file(f, path, true);
	return NULL;
}

struct err *batch_find(const struct options *o, batch_images *out)
{
	struct finder f = {.o = o, .images = out};
	struct err *e = NULL;

	for (int i = 0; i < o->n_words && !e; i++)
		e = add_word(&f, o->words[i]);
	join_parts(&f);
	u64map_fini(&f.paths);
	u64map_fini(&f.names);
	if (!e && out->n == 0)
		e = err_new(ERR_FORMAT, "%s: no images there; give a folder of them, or a list",
			    o->words[0]);
	return e;
}

void batch_images_fini(batch_images *images)
{
	for (size_t i = 0; i < images->n; i++) {
		struct batch_image *b = &images->at[i];
		for (size_t p = 0; p < b->parts.n; p++)
			mem_free(b->parts.at[p]);
		vec_fini(&b->parts);
		mem_free(b->path);
		mem_free(b->plain);
		mem_free(b->distinct);
	}
	vec_fini(images);
}
