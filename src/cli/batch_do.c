// SPDX-License-Identifier: LGPL-2.1-or-later
// One image of a batch, in a process of its own: is it done already, and if not, its analysis.
//
// Done is what its database says is: made by this version, of this path, and every file that it was
// made of has the size and time that the table evidence has. There is no file of states beside.
#include "src/cli/batch.h"

#include "src/base/scope.h"
#include "src/cli/confine.h"
#include "src/cli/hash.h"
#include "src/cli/scan.h"
#include "src/cli/workers.h"
#include "src/db/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// What a database says of itself.
struct claim {
	bool of_image;	// it is this image's
	bool unchanged; // and of its files, as far as was seen
	bool by_this_version;
	int64_t exit_status;
};

// A sink that compares what a database says with what there is.
struct verdict {
	struct sink sink; // first: emit() casts back
	const struct batch_image *image;
	bool by_name; // it is this image's if it does not say whose
	bool hashed;
	char hash[SHA256_TEXT]; // of the image; "": it can't be read
	struct claim claim;
};

static bool is_text(struct opt_text t, const char *s)
{
	return t.p && t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static bool is_as_it_was(const struct row_evidence *r)
{
	char path[4096];
	struct stat st;

	if (!r->path.p || r->path.n >= sizeof(path) || !r->size.set || !r->mtime_ns.set)
		return false;
	memcpy(path, r->path.p, r->path.n);
	path[r->path.n] = '\0';
	return stat(path, &st) == 0 && st.st_size == r->size.v &&
	       (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == r->mtime_ns.v;
}

// The image is hashed at most once, whatever the database has.
static bool has_hash(struct verdict *v, const struct row_evidence *e)
{
	struct progress silent = {0};
	struct stat st;

	if (!e->sha256.p || !e->size.set || stat(v->image->path, &st) != 0 ||
	    st.st_size != e->size.v)
		return false;
	if (!v->hashed && hash_sha256(v->image->path, &silent, v->hash))
		v->hash[0] = '\0';
	v->hashed = true;
	return v->hash[0] && is_text(e->sha256, v->hash);
}

// What --reproducible made has no path.
static bool is_of_image(struct verdict *v, const struct row_evidence *e)
{
	if (e->path.p)
		return is_text(e->path, v->image->path);
	return v->by_name || has_hash(v, e);
}

static void compare(struct sink *sink, enum table_id id, const void *row)
{
	struct verdict *v = (struct verdict *)sink;
	const struct row_evidence *e = row;
	const struct row_run *r = row;

	if (id == TABLE_run) {
		v->claim.by_this_version = is_text(r->tool_version, VMISCAN_VERSION);
		v->claim.exit_status = r->exit_status.v;
		return;
	}
	if (is_text(e->role, "image"))
		v->claim.of_image = is_of_image(v, e);
	v->claim.unchanged = v->claim.unchanged && is_as_it_was(e);
}

static struct claim claim_of(const struct batch_image *i, const char *path, bool by_name)
{
	struct verdict v = {
		.sink.emit = compare, .image = i, .by_name = by_name, .claim.unchanged = true};
	struct source *s;

	if (source_open(path, &s))
		return v.claim;
	struct err *e = source_rows(s, TABLE_evidence, &v.sink);
	if (!e)
		e = source_rows(s, TABLE_run, &v.sink);
	if (e)
		v.claim.by_this_version = false;
	source_close(s);
	return v.claim;
}

// --- who reads it ---

// A database is believed no more than an image: it is read in a process that can't do anything but
// tell what it says. That process could not make a file any more afterwards.
struct look {
	struct options opts;
	const struct batch_image *image;
	const char *path;
	bool by_name;
	struct claim claim;
};

static int look(void *arg, size_t job, void *answer)
{
	const struct look *l = arg;
	_cleanup_free_ char *database = mem_strdup(l->path), *image = mem_strdup(l->image->path);
	char *const read[] = {database, image};

	(void)job;
	confine_to_databases(&l->opts, read, 2);
	*(struct claim *)answer = claim_of(l->image, l->path, l->by_name);
	return EXIT_ANALYSED;
}

static void hear(void *arg, size_t job, int status, const void *answer)
{
	struct look *l = arg;

	(void)job;
	if (status == EXIT_ANALYSED && answer)
		l->claim = *(const struct claim *)answer;
}

static struct claim ask(const struct options *o, const struct batch_image *i, const char *path,
			bool by_name)
{
	struct look l = {.opts = *o, .image = i, .path = path, .by_name = by_name};
	const struct workers one = {.most = 1,
				    .answer_size = sizeof(struct claim),
				    .work = look,
				    .done = hear,
				    .arg = &l};
	int signal = 0;

	if (access(path, F_OK) != 0)
		return l.claim;
	l.opts.verbose = false;
	(void)workers_run(&one, 1, &signal); // without an answer it is nobody's
	if (signal)
		workers_die(signal);
	return l.claim;
}

// Its database: the plain name, unless that is another's or, without --force, may be. The distinct
// name itself says whose it is.
static const char *choose(const struct options *o, const struct batch_image *i,
			  struct batch_answer *a, struct claim *c)
{
	*c = (struct claim){0};
	if (i->plain && access(i->plain, F_OK) != 0)
		return i->plain;
	if (i->plain)
		*c = ask(o, i, i->plain, o->force);
	a->distinct = !c->of_image;
	if (a->distinct)
		*c = ask(o, i, i->distinct, true);
	return a->distinct ? i->distinct : i->plain;
}

// --- the answer ---

static void set_problem(struct batch_answer *a, const char *words)
{
	(void)snprintf(a->problem, sizeof(a->problem), "%s", words);
}

static void report(void *arg, const struct summary *s)
{
	struct batch_answer *a = arg;
	const struct tally *t = s->tally;

	a->status = s->outcome->partial ? EXIT_PARTIAL : EXIT_ANALYSED;
	a->processes = (int64_t)t->rows[TABLE_processes];
	a->threads = (int64_t)t->rows[TABLE_threads];
	a->modules = (int64_t)t->rows[TABLE_kernel_modules];
	a->sockets = (int64_t)t->rows[TABLE_sockets];
	a->inconsistencies = (int64_t)t->rows[TABLE_inconsistencies];
	a->errors = (int64_t)t->errors;
	a->warnings = (int64_t)t->warnings;
	if (s->outcome->partial)
		set_problem(a, outcome_words(s->analysis, s->outcome));
	if (s->outcome->limit_bytes)
		workers_answer(a); // the process ends without coming back
}

// --- the work ---

static struct options options_of(const struct options *batch, const struct batch_image *i)
{
	struct options o = *batch;

	o.image = i->path;
	o.quiet = o.no_progress = true;
	for (size_t p = 0; p < i->parts.n; p++)
		vec_push(&o.parts, i->parts.at[p]);
	return o;
}

static void analyse(struct options *o, const char *database, bool replace, struct batch_answer *a)
{
	_cleanup_free_ char *output = mem_strdup(database);
	enum exit_status status = EXIT_ANALYSED;

	o->output = output;
	o->force = replace;
	struct err *e = scan_image(o, report, a, &status);
	a->status = (int)(e ? exit_status_of(e) : status);
	if (e)
		set_problem(a, e->msg);
}

// A file that is no database of this image is nobody's to replace, but by --force.
int batch_do(const struct options *batch, const struct batch_image *i, struct batch_answer *a)
{
	struct options o = options_of(batch, i);
	int64_t begun = progress_now_ns();
	struct claim c;
	const char *database = choose(&o, i, a, &c);

	a->skipped = !batch->force && c.of_image && c.by_this_version && c.unchanged;
	if (a->skipped)
		a->status = c.exit_status == EXIT_PARTIAL ? EXIT_PARTIAL : EXIT_ANALYSED;
	else
		analyse(&o, database, batch->force || c.of_image, a);
	vec_fini(&o.parts);
	a->duration_ns = progress_now_ns() - begun;
	return a->status;
}
