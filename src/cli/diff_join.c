// SPDX-License-Identifier: LGPL-2.1-or-later
// What is compared, by which keys, and the join.
#include "src/cli/diff.h"

#include "src/base/scope.h"
#include "src/base/u64map.h"

#include <stdlib.h>
#include <string.h>

// Counters that run (CPU time, bytes, queues, positions) are no changes; states that flicker with
// every instant (R and S) neither.
const struct diff_subject diff_subjects[] = {
	{TABLE_processes,
	 true,
	 {NULL},
	 {"pid",       "name",	    "path",	     "cmdline", "cwd",	       "root",
	  "uid",       "gid",	    "euid",	     "egid",	"suid",	       "sgid",
	  "parent",    "pgroup",    "session",	     "tty",	"nice",	       "threads",
	  "login_uid", "lifecycle", "phase",	     "mm_addr", "cgroup_path", "exe_deleted",
	  "found_by",  "exit_code", "cap_effective", NULL},
	 {"pid", "name", "path", "cmdline", NULL}},
	{TABLE_process_open_files,
	 true,
	 {"fd", NULL},
	 {"path", "type", "mode", "flags", "inode", "device", "deleted", "cloexec", NULL},
	 {"pid", "fd", "type", "path", NULL}},
	{TABLE_sockets,
	 false,
	 {"socket_addr", "family", "type", "protocol", "inode", NULL},
	 {"state", "local_address", "local_port", "remote_address", "remote_port", "path", "uid",
	  "interface", "net_namespace", NULL},
	 {"family", "protocol", "state", "local_address", "local_port", "remote_address",
	  "remote_port", "path", "inode", NULL}},
	{TABLE_kernel_modules,
	 false,
	 {"module_addr", "name", NULL},
	 {"size", "used_by", "status", "address", "arguments", "version", "srcversion", "taints",
	  NULL},
	 {"name", "size", "status", "address", NULL}},
	{TABLE_process_memory_map,
	 true,
	 {"start", NULL},
	 {"end", "permissions", "offset", "device", "inode", "path", "deleted", NULL},
	 {"pid", "start", "end", "permissions", "path", NULL}},
};
const size_t diff_n_subjects = sizeof(diff_subjects) / sizeof(diff_subjects[0]);

const char *const change_names[N_CHANGES] = {"same", "appeared", "gone", "changed"};

const struct column *diff_column(const struct diff_subject *s, const char *name)
{
	const struct table *t = &schema_tables[s->table];

	for (size_t i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

// --- values ---

static bool same_value(enum col_kind kind, const void *a, const void *b)
{
	const struct opt_int *i = a, *j = b;
	const struct opt_addr *x = a, *y = b;
	const struct opt_text *s = a, *t = b;

	switch (kind) {
	case COL_INT:
		return i->set == j->set && (!i->set || i->v == j->v);
	case COL_ADDR:
		return x->set == y->set && (!x->set || x->v == y->v);
	case COL_TEXT:
		return !s->p == !t->p && (!s->p || (s->n == t->n && !memcmp(s->p, t->p, s->n)));
	}
	return true;
}

static const void *value_of(const void *row, const struct column *c)
{
	return (const char *)row + c->offset;
}

bool diff_next_column(const struct diff_subject *s, const struct diff_result *r, size_t *i,
		      const struct column **out)
{
	for (; s->compared[*i]; ++*i) {
		*out = diff_column(s, s->compared[*i]);
		if (*out &&
		    !same_value((*out)->kind, value_of(r->before, *out), value_of(r->after, *out)))
			return true;
	}
	return false;
}

// --- keys ---

bool diff_has_starts(const struct diff_side *side)
{
	const struct row_time *time = loaded_row(&side->loaded, TABLE_time, 0);
	const struct row_processes *p;

	if (!time || !time->boot_ns.set)
		return false;
	for (size_t i = 0; (p = loaded_row(&side->loaded, TABLE_processes, i)); i++)
		if (p->task_addr.set && p->start_ns.set)
			return true;
	return false;
}

// task_struct -> start since boot, which unlike the clock's time nobody sets anew.
static void note_starts(const struct diff_side *side, struct u64map *starts)
{
	const struct row_time *time = loaded_row(&side->loaded, TABLE_time, 0);
	const struct row_processes *p;

	for (size_t i = 0; (p = loaded_row(&side->loaded, TABLE_processes, i)); i++)
		if (p->task_addr.set && p->start_ns.set)
			(void)u64map_add(starts, p->task_addr.v,
					 (uint64_t)p->start_ns.v - (uint64_t)time->boot_ns.v);
}

static const char *part_of_key(struct arena *a, enum col_kind kind, const void *value)
{
	const struct opt_int *i = value;
	const struct opt_addr *x = value;
	const struct opt_text *t = value;

	if (kind == COL_INT)
		return i->set ? arena_printf(a, "%lld", (long long)i->v) : "";
	if (kind == COL_ADDR)
		return x->set ? arena_printf(a, "%llx", (unsigned long long)x->v) : "";
	return t->p ? arena_strndup(a, t->p, t->n) : "";
}

struct keyed {
	const char *key;
	const void *row;
	size_t order;	   // in the table
	const void *other; // of a pair: the row of the other side
};
typedef VEC(struct keyed) keyed_vec;

// starts: NULL if one of the two snapshots has none.
static const char *process_key(struct arena *a, const struct diff_subject *s, const void *row,
			       const struct u64map *starts)
{
	const struct opt_addr *task = value_of(row, diff_column(s, "task_addr"));

	if (!starts)
		return arena_printf(a, "%s %s", part_of_key(a, COL_ADDR, task),
				    part_of_key(a, COL_INT, value_of(row, diff_column(s, "pid"))));
	const uint64_t *start = task->set ? u64map_get(starts, task->v) : NULL;
	return arena_printf(a, "%s %llx", part_of_key(a, COL_ADDR, task),
			    start ? (unsigned long long)*start : 0ULL);
}

static const char *key_of(struct arena *a, const struct diff_subject *s, const void *row,
			  const struct u64map *starts)
{
	const char *key = s->of_process ? process_key(a, s, row, starts) : "";

	for (size_t i = 0; s->key[i]; i++) {
		const struct column *c = diff_column(s, s->key[i]);
		key = arena_printf(a, "%s %s", key, part_of_key(a, c->kind, value_of(row, c)));
	}
	return key;
}

static void key_rows(const struct diff_side *side, const struct diff_subject *s, bool by_start,
		     struct arena *a, keyed_vec *out)
{
	struct u64map starts = {0};
	const void *row;

	if (by_start)
		note_starts(side, &starts);
	for (size_t i = 0; (row = loaded_row(&side->loaded, s->table, i)); i++)
		vec_push(out, ((struct keyed){.key = key_of(a, s, row, by_start ? &starts : NULL),
					      .row = row,
					      .order = i}));
	u64map_fini(&starts);
}

// --- the join ---

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int keys = strcmp(x->key, y->key);

	return keys ? keys : x->order < y->order ? -1 : x->order > y->order;
}

static int by_order(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(keyed_vec *v, int (*compare)(const void *, const void *))
{
	if (v->n)
		qsort(v->at, v->n, sizeof(*v->at), compare);
}

// Both are sorted. What has the same key more than once is paired in the order of its table.
static void pair(keyed_vec *before, keyed_vec *after)
{
	size_t i = 0, j = 0;

	while (i < before->n && j < after->n) {
		int order = strcmp(before->at[i].key, after->at[j].key);
		if (order < 0) {
			i++;
		} else if (order > 0) {
			j++;
		} else {
			before->at[i].other = after->at[j].row;
			after->at[j++].other = before->at[i++].row;
		}
	}
}

static void add(struct diff_table *out, enum change change, const void *before, const void *after)
{
	struct diff_result r = {change, before, after};
	const struct column *c;
	size_t i = 0;

	if (change == CHANGED && !diff_next_column(out->subject, &r, &i, &c))
		r.change = SAME;
	out->count[r.change]++;
	if (r.change != SAME)
		vec_push(&out->results, r);
}

void diff_join(const struct diff_side sides[2], const struct diff_subject *s,
	       struct diff_table *out)
{
	_cleanup_(arena_fini) struct arena a = {0};
	bool by_start = diff_has_starts(&sides[0]) && diff_has_starts(&sides[1]);
	keyed_vec before = {0}, after = {0};
	const struct keyed *k;

	out->subject = s;
	key_rows(&sides[0], s, by_start, &a, &before);
	key_rows(&sides[1], s, by_start, &a, &after);
	sort(&before, by_key);
	sort(&after, by_key);
	pair(&before, &after);
	sort(&before, by_order);
	sort(&after, by_order);
	vec_foreach (k, &before)
		if (!k->other)
			add(out, GONE, k->row, NULL);
	vec_foreach (k, &after)
		add(out, k->other ? CHANGED : APPEARED, k->other, k->row);
	vec_fini(&before);
	vec_fini(&after);
}
