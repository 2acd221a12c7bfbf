// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan merge`: the databases of many images become one, in which every row names its image.
#include "src/cli/calls.h"

#include "src/base/scope.h"
#include "src/cli/confine.h"
#include "src/cli/json.h"
#include "src/cli/progress.h"
#include "src/cli/terminal.h"
#include "src/db/output.h"
#include "src/db/source.h"
#include "src/db/sqlite_sink.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

// A sink that keeps what the table images says of an image, and passes all rows on.
struct merge {
	struct sink sink;  // first: emit() casts back
	struct sink *next; // NULL: only keep
	const struct options *opts;
	struct sqlite_sink *out;
	struct progress progress;
	VEC(struct row_images) images;
	struct arena texts; // of images
	struct row_images now;
	uint64_t rows;
	int left_out;
};

// --- what is known of an image ---

static struct opt_text kept(struct merge *m, struct opt_text t)
{
	return t.p ? some_bytes(arena_strndup(&m->texts, t.p, t.n), t.n) : t;
}

static void keep_evidence(struct merge *m, const struct row_evidence *r)
{
	if (!r->role.p || r->role.n != strlen("image") ||
	    memcmp(r->role.p, "image", r->role.n) != 0)
		return;
	m->now.path = kept(m, r->path);
	m->now.size = r->size;
	m->now.mtime_ns = r->mtime_ns;
	m->now.sha256 = kept(m, r->sha256);
	m->now.format = kept(m, r->format);
}

static void keep_run(struct merge *m, const struct row_run *r)
{
	m->now.tool_version = kept(m, r->tool_version);
	m->now.status = kept(m, r->status);
	m->now.kernel_release = kept(m, r->kernel_release);
}

static void keep_time(struct merge *m, const struct row_time *r)
{
	m->now.boot_ns = r->boot_ns;
	m->now.unix_ns = r->unix_ns;
}

static void keep(struct merge *m, enum table_id id, const void *row)
{
	if (id == TABLE_evidence)
		keep_evidence(m, row);
	else if (id == TABLE_run)
		keep_run(m, row);
	else if (id == TABLE_time)
		keep_time(m, row);
	else if (id == TABLE_system_info)
		m->now.hostname = kept(m, ((const struct row_system_info *)row)->hostname);
	else if (id == TABLE_kernel_info)
		m->now.build_id = kept(m, ((const struct row_kernel_info *)row)->build_id);
}

static void emit(struct sink *sink, enum table_id id, const void *row)
{
	struct merge *m = (struct merge *)sink;

	keep(m, id, row);
	if (!m->next)
		return;
	m->rows++;
	m->next->emit(m->next, id, row);
	m->sink.failed = m->next->failed;
}

static struct opt_text last_part(struct opt_text path)
{
	const char *slash = path.p ? memrchr(path.p, '/', path.n) : NULL;

	return slash ? some_bytes(slash + 1, path.n - (size_t)(slash + 1 - path.p)) : path;
}

// --- the same image twice ---

static bool same_text(struct opt_text a, struct opt_text b)
{
	return a.p && b.p && a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool same_int(struct opt_int a, struct opt_int b)
{
	return a.set && b.set && a.v == b.v;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

// The hash decides where both have one; else the name with the size and time that it had.
static bool same_image(const struct row_images *a, const struct row_images *b)
{
	if (same_file(a->database.p, b->database.p))
		return true;
	if (a->sha256.p && b->sha256.p)
		return same_text(a->sha256, b->sha256);
	return same_text(a->path, b->path) && same_int(a->size, b->size) &&
	       same_int(a->mtime_ns, b->mtime_ns);
}

static const struct row_images *seen_before(const struct merge *m)
{
	const struct row_images *i;

	vec_foreach (i, &m->images)
		if (same_image(i, &m->now))
			return i;
	return NULL;
}

// --- one after the other ---

static struct err *copy_tables(struct merge *m, struct source *s)
{
	m->next = sqlite_sink_rows(m->out);
	sqlite_sink_set_image(m->out, m->now.image.v);
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		TRY(source_rows(s, (enum table_id)id, &m->sink));
	m->now.name = last_part(m->now.path.p ? m->now.path : m->now.database);
	sqlite_sink_add_image(m->out, &m->now);
	vec_push(&m->images, m->now);
	return NULL;
}

static struct err *add(struct merge *m, struct source *s, const char *path)
{
	m->now = (struct row_images){.image = some_int((int64_t)m->images.n + 1),
				     .database = some_text(path)};
	m->next = NULL;
	TRY(source_rows(s, TABLE_evidence, &m->sink));
	const struct row_images *before = seen_before(m);
	if (!before)
		return copy_tables(m, s);
	m->left_out++;
	progress_clear(&m->progress);
	say("%s: is of the same image as %s, and left out", path, before->database.p);
	return NULL;
}

static struct err *add_file(struct merge *m, const char *path)
{
	struct source *s;

	TRY(source_open(path, &s));
	if (path == m->opts->words[m->opts->n_words - 1])
		confine_to_open_files(m->opts);
	struct err *e = add(m, s, path);
	source_close(s);
	return e;
}

static struct err *check_output(const struct options *o)
{
	if (!o->output)
		return err_new(ERR_USAGE, "no output given; name it with -o");
	for (int i = 0; i < o->n_words; i++)
		TRY(output_check(o->output, o->words[i], o->force));
	return NULL;
}

static struct err *merge_all(struct merge *m)
{
	const struct options *o = m->opts;

	TRY(check_output(o));
	TRY(sqlite_sink_new_merged(o->output, o->force, &m->out));
	confine_to_databases(o, o->words, o->n_words);
	for (int i = 0; i < o->n_words && !m->sink.failed; i++) {
		progress_step(&m->progress, "merging", (uint64_t)i, (uint64_t)o->n_words);
		TRY(add_file(m, o->words[i]));
	}
	return sqlite_sink_finish(m->out);
}

static void print_totals(const struct merge *m)
{
	struct json j;

	if (m->opts->quiet)
		return;
	if (!m->opts->json) {
		print_escaped(stdout, m->opts->output);
		(void)printf(": %zu image%s, %" PRIu64 " rows\n", m->images.n,
			     m->images.n == 1 ? "" : "s", m->rows);
		return;
	}
	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_text(&j, "database", m->opts->output);
	json_int(&j, "images", (int64_t)m->images.n);
	json_int(&j, "left_out", m->left_out);
	json_int(&j, "rows", (int64_t)m->rows);
	json_close(&j, '}');
	json_fini(&j);
}

struct err *call_merge(const struct options *o, enum exit_status *status)
{
	struct merge m = {.sink.emit = emit, .opts = o};

	progress_init(&m.progress, !o->quiet && !o->no_progress);
	struct err *e = merge_all(&m);
	progress_clear(&m.progress);
	sqlite_sink_free(m.out);
	if (!e)
		print_totals(&m);
	vec_fini(&m.images);
	arena_fini(&m.texts);
	*status = EXIT_ANALYSED;
	return e;
}
