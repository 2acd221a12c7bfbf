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

// A sink that compares what a database says with what there is.
struct verdict {
	struct sink sink; // first: emit() casts back
	const struct batch_image *image;
	bool of_image;	// it is this image's
	bool by_name;	// it is if it does not say whose
	bool unchanged; // as far as was seen
	bool hashed;
	char hash[SHA256_TEXT]; // of the image; "": it can't be read
	bool by_this_version;
	int64_t exit_status;
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
		v->by_this_version = is_text(r->tool_version, VMISCAN_VERSION);
		v->exit_status = r->exit_status.v;
		return;
	}
	if (is_text(e->role, "image"))
		v->of_image = is_of_image(v, e);
	v->unchanged = v->unchanged && is_as_it_was(e);
}

static struct verdict look_at_database(const struct batch_image *i, const char *path, bool by_name)
{
	struct verdict v = {
		.sink.emit = compare, .image = i, .by_name = by_name, .unchanged = true};
	struct source *s;

	if (source_open(path, &s))
		return v;
	struct err *e = source_rows(s, TABLE_evidence, &v.sink);
	if (!e)
		e = source_rows(s, TABLE_run, &v.sink);
	if (e)
		v.by_this_version = false;
	source_close(s);
	return v;
}

// Its database: the plain name, unless that is another's or, without --force, may be. The distinct
// name itself says whose it is.
static const char *choose(const struct batch_image *i, bool force, struct batch_answer *a,
			  struct verdict *v)
{
	*v = (struct verdict){0};
	if (i->plain && access(i->plain, F_OK) != 0)
		return i->plain;
	if (i->plain)
		*v = look_at_database(i, i->plain, force);
	a->distinct = !v->of_image;
	if (a->distinct)
		*v = look_at_database(i, i->distinct, true);
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
	struct verdict v;

	confine_to_image(&o, i->distinct);
	const char *database = choose(i, batch->force, a, &v);
	a->skipped = !batch->force && v.of_image && v.by_this_version && v.unchanged;
	if (a->skipped)
		a->status = v.exit_status == EXIT_PARTIAL ? EXIT_PARTIAL : EXIT_ANALYSED;
	else
		analyse(&o, database, batch->force || v.of_image, a);
	vec_fini(&o.parts);
	a->duration_ns = progress_now_ns() - begun;
	return a->status;
}
