// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening, loading and closing, each within the image's own pool of memory.
#include "src/extension/images.h"

#include "src/extension/guard.h"

#include <string.h>

struct images {
	struct image_in_use *first;
	sqlite3 *host;
};

struct images *images_new(sqlite3 *host)
{
	struct images *all = sqlite3_malloc(sizeof(*all));

	if (all)
		*all = (struct images){NULL, host};
	return all;
}

// --- closing ---

static struct err *close_work(void *arg)
{
	struct image_in_use *i = arg;

	imagedb_free(i->db);
	analysis_fini(&i->analysis);
	return NULL;
}

// What is left when memory ended: SQLite's part of it can be closed, ours is given up as it is, its
// files with it.
static void close_database(struct image_in_use *i)
{
	sqlite3_stmt *stmt;

	if (!i->db)
		return;
	while ((stmt = sqlite3_next_stmt(i->db->db, NULL)))
		(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(i->db->db);
	i->db = NULL;
}

static void bury(struct image_in_use *i)
{
	close_database(i);
	mem_pool_fini(&i->pool);
	i->pool.limit = i->arguments.max_memory;
	i->analysis = (struct analysis){0};
}

static void close_image(struct image_in_use *i)
{
	bool dead;

	if (!i->dead && i->db)
		(void)guard_run(&i->pool, close_work, i, &dead);
	mem_pool_fini(&i->pool);
	arguments_fini(&i->arguments);
	sqlite3_free(i->key);
	sqlite3_free(i);
}

void images_free(void *images)
{
	struct images *all = images;

	for (struct image_in_use *i = all->first, *next; i; i = next) {
		next = i->next;
		close_image(i);
	}
	sqlite3_free(all);
}

// --- finding ---

// The key is its own from here on.
static struct image_in_use *add_image(struct images *all, struct arguments *a,
				      char *key) // NOLINT(readability-non-const-parameter)
{
	struct image_in_use *i = sqlite3_malloc(sizeof(*i));

	if (!i)
		return NULL;
	*i = (struct image_in_use){.next = all->first,
				   .host = all->host,
				   .key = key,
				   .arguments = *a,
				   .tables = 1,
				   .pool = {.limit = a->max_memory}};
	*a = (struct arguments){0};
	all->first = i;
	return i;
}

struct image_in_use *images_take(struct images *all, struct arguments *a)
{
	char *key = arguments_key(a);

	if (!key)
		return NULL;
	for (struct image_in_use *i = all->first; i; i = i->next)
		if (strcmp(i->key, key) == 0) {
			i->tables++;
			sqlite3_free(key);
			return i;
		}
	struct image_in_use *i = add_image(all, a, key);
	if (!i)
		sqlite3_free(key);
	return i;
}

void images_leave(struct image_in_use *i)
{
	i->tables--;
}

void images_drop(struct images *all, struct image_in_use *i)
{
	images_leave(i);
	if (i->tables > 0)
		return;
	for (struct image_in_use **at = &all->first; *at; at = &(*at)->next)
		if (*at == i) {
			*at = i->next;
			break;
		}
	close_image(i);
}

// --- the host's interrupt ---

// Whether the host called sqlite3_interrupt(): then no statement of its runs any further, not even
// one that does nothing. SQLite has a function for that only since 3.41.
static bool is_interrupted(void *arg)
{
	struct image_in_use *i = arg;

	if (!i->interrupted && i->probe)
		i->interrupted = sqlite3_step(i->probe) == SQLITE_INTERRUPT;
	(void)sqlite3_reset(i->probe);
	return i->interrupted;
}

// As long as there is no kernel, there is nothing yet that a statement reads: all is left, and
// begun again when it is asked for. Later the extraction ends at its next row.
static void leave_if_interrupted(void *arg)
{
	struct image_in_use *i = arg;

	if (is_interrupted(i) && !i->analysis.kernel)
		guard_leave(&i->pool);
}

static void look_up(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)what;
	(void)done;
	(void)total;
	leave_if_interrupted(arg);
}

// --- using ---

static struct err *open_work(void *arg)
{
	struct image_in_use *i = arg;
	struct analysis_options o = arguments_options(&i->arguments);

	o.progress = look_up;
	o.progress_arg = i;
	analysis_init(&i->analysis, &o);
	struct err *e = analysis_open(&i->analysis);
	if (!e)
		e = imagedb_new(&i->analysis, NULL, &i->db);
	if (!e) {
		physmem_on_bulk(i->analysis.image->mem, leave_if_interrupted, i);
		i->db->is_stopped = is_interrupted;
		i->db->is_stopped_arg = i;
		return NULL;
	}
	struct err kept = *e;
	analysis_fini(&i->analysis);
	return err_new(kept.code, "%s", kept.msg);
}

static struct err *load_work(void *arg)
{
	struct image_in_use *i = arg;

	i->db->stop = 0;
	return imagedb_load(i->db, i->pending);
}

static struct err *work(struct image_in_use *i, struct err *(*what)(void *arg))
{
	bool dead;

	if (i->dead)
		return err_new(ERR_LIMIT,
			       "%s: its memory ended before; drop its tables, and "
			       "create them with a larger max_memory",
			       i->arguments.value[ARG_IMAGE]);
	i->interrupted = false;
	(void)sqlite3_prepare_v2(i->host, "SELECT 1", -1, &i->probe, NULL);
	struct err *e = guard_run(&i->pool, what, i, &dead);
	(void)sqlite3_finalize(i->probe);
	i->probe = NULL;
	i->dead = dead && !i->interrupted;
	if (dead)
		bury(i);
	return i->interrupted && e ? err_new(ERR_USAGE, "interrupted") : e;
}

struct err *image_use(struct image_in_use *i)
{
	return i->db ? NULL : work(i, open_work);
}

struct err *image_load(struct image_in_use *i)
{
	TRY(image_use(i));
	struct err *e = work(i, load_work);
	memset(i->pending, 0, sizeof(i->pending));
	return e;
}
