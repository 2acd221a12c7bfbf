// SPDX-License-Identifier: LGPL-2.1-or-later
// Which profile fits which kernel: by its banner, which has compiler and build in it, and by its
// build id.
#include "src/symfiles/supply.h"

#include "src/base/vec.h"
#include "src/symfiles/search.h"
#include "src/symfiles/symfile.h"

#include <string.h>

struct symfiles {
	const struct symfile_options *o;
	struct profile *given;	     // of --vmlinux and --system-map; NULL: none was given
	char *refused;		     // the banner of a kernel that it does not fit
	bool fitted;		     // it does fit another
	VEC(struct profile *) found; // of files that nobody gave
	VEC(char *) tried;	     // the names of all these files
	char *trouble;		     // the first error with one
	bool in_earnest;	     // no kernel of the image has types of its own
	bool worth_it;		     // there are files of one that has none
};

enum { TRIES = 8 }; // a memory full of banners is no reason to read every file of the system

static struct err *load_given(const char *path, struct profile **out)
{
	struct err *e = symfile_load(path, kernel_type_wants(), out);

	if (e)
		e->code = ERR_NO_KERNEL; // that is what it comes to
	return e;
}

// --system-map has the last word on symbols.
static struct err *load_map(struct symfiles *s)
{
	struct profile *map;

	TRY(load_given(s->o->system_map, &map));
	if (!s->given) {
		s->given = map;
		return NULL;
	}
	profile_take_symbols(s->given, map);
	profile_free(map);
	return NULL;
}

struct err *symfiles_open(const struct symfile_options *o, struct symfiles **out)
{
	struct symfiles *s = mem_zalloc(1, sizeof(*s));
	struct err *e = NULL;

	s->o = o;
	if (o->vmlinux)
		e = load_given(o->vmlinux, &s->given);
	if (!e && o->system_map)
		e = load_map(s);
	if (e)
		symfiles_close(s);
	else
		*out = s;
	return e;
}

void symfiles_close(struct symfiles *s)
{
	if (!s)
		return;
	profile_free(s->given);
	for (size_t i = 0; i < s->found.n; i++)
		profile_free(s->found.at[i]);
	for (size_t i = 0; i < s->tried.n; i++)
		mem_free(s->tried.at[i]);
	vec_fini(&s->found);
	vec_fini(&s->tried);
	mem_free(s->trouble);
	mem_free(s->refused);
	mem_free(s);
}

// --- fitting ---

// What is not known of either is no reason against it.
static bool same(const char *a, const char *b)
{
	return !a || !b || strcmp(a, b) == 0;
}

// Since 6.1 a kernel has a copy of its banner that lacks the number of the build ("#1": # alone),
// and the search may have met that one (init/version.c, version-timestamp.c).
static bool same_banner(const char *a, const char *b)
{
	if (!a || !b)
		return true;
	size_t n = strcspn(a, "#");
	if (n != strcspn(b, "#") || strncmp(a, b, n) != 0)
		return false;
	a += n + strspn(a + n, "#0123456789");
	b += n + strspn(b + n, "#0123456789");
	return strcmp(a, b) == 0;
}

static bool fits(const struct profile *p, const struct kernel *k)
{
	return same_banner(p->banner, k->banner) && same(p->build_id, k->build_id);
}

// --- files that nobody gave ---

struct quest {
	struct symfiles *s;
	const struct kernel *k;
	const struct profile *profile; // what came of it
};

// Whether it has what the image lacks. Types are asked for first; who has an init_task asks for
// symbols.
static bool is_of_use(const struct profile *p, const struct kernel *k)
{
	return fits(p, k) && (k->init_task ? p->symbols != NULL : p->btf != NULL);
}

static bool was_tried(const struct symfiles *s, const char *path)
{
	for (size_t i = 0; i < s->tried.n; i++)
		if (strcmp(s->tried.at[i], path) == 0)
			return true;
	return false;
}

static bool try_file(void *arg, const char *path)
{
	struct quest *q = arg;
	struct profile *p;

	if (was_tried(q->s, path) || q->s->tried.n >= TRIES)
		return false;
	vec_push(&q->s->tried, mem_strdup(path));
	struct err *e = symfile_load(path, kernel_type_wants(), &p);
	if (e) {
		// behind a kernel may lie pages of a library, whose build id leads to its own file
		if (!q->s->trouble && e->code != ERR_NOT_FOUND)
			q->s->trouble = mem_strdup(e->msg);
		return false;
	}
	vec_push(&q->s->found, p); // NOLINT(bugprone-sizeof-expression): of pointers
	if (is_of_use(p, q->k))
		q->profile = p;
	return q->profile != NULL;
}

static const struct profile *find(struct symfiles *s, const struct kernel *k)
{
	struct quest q = {s, k, NULL};

	for (size_t i = 0; i < s->found.n; i++)
		if (is_of_use(s->found.at[i], k))
			return s->found.at[i];
	search_files(k, s->o->folder, try_file, &q);
	return q.profile;
}

static bool note(void *arg, const char *path)
{
	struct symfiles *s = arg;

	(void)path;
	s->worth_it = true;
	return true;
}

// A banner without types behind it is mostly a copy of the text: as long as another one may be the
// kernel, its files are not read.
static const struct profile *find_or_note(struct symfiles *s, const struct kernel *k)
{
	if (k->init_task || s->in_earnest)
		return find(s, k);
	search_files(k, s->o->folder, note, s);
	return NULL;
}

bool symfiles_try_harder(struct symfiles *s)
{
	if (s->given || s->in_earnest || !s->worth_it)
		return false;
	s->in_earnest = true;
	return true;
}

const char *symfiles_trouble(const struct symfiles *s)
{
	return s->trouble;
}

// --- the answer ---

static const struct profile *profile_of(void *arg, const struct kernel *k)
{
	struct symfiles *s = arg;
	bool lacks_something = !k->image_btf || k->init_task;

	if (!s->given)
		return lacks_something ? find_or_note(s, k) : NULL;
	s->fitted = s->fitted || fits(s->given, k);
	if (fits(s->given, k) || s->o->force)
		return s->given;
	if (!s->refused)
		s->refused = mem_strdup(k->banner);
	return NULL;
}

struct kernel_supply symfiles_supply(struct symfiles *s)
{
	return (struct kernel_supply){profile_of, s, s->o->force};
}

static struct err *refuse(const struct symfiles *s, const char *banner, const char *build_id)
{
	const struct profile *p = s->given;

	return err_new(
		ERR_NO_KERNEL,
		"%s: is of another kernel, \"%.200s\" (build id %s); the image has \"%.200s\" "
		"(build id %s): give the file of that build, or --force-symbols",
		s->o->vmlinux ? s->o->vmlinux : s->o->system_map,
		p->banner ? p->banner : "banner unknown", p->build_id ? p->build_id : "unknown",
		banner, build_id ? build_id : "unknown");
}

struct err *symfiles_check(const struct symfiles *s, const struct kernel *k)
{
	if (!s->given || s->o->force || (k->profile == s->given && fits(s->given, k)))
		return NULL;
	return refuse(s, k->banner, k->build_id);
}

struct err *symfiles_refusal(const struct symfiles *s)
{
	return s->given && s->refused && !s->fitted ? refuse(s, s->refused, NULL) : NULL;
}

bool symfiles_forced(const struct symfiles *s, const struct kernel *k)
{
	return s->given && k->profile == s->given && !fits(s->given, k);
}
