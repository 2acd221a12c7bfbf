// SPDX-License-Identifier: LGPL-2.1-or-later
// users, groups, user_groups: passwd(5) and group(5), read as the C library reads them.
#include "src/walk/users.h"

#include "src/base/vec.h"
#include "src/walk/cached_file.h"

#include <string.h>

// glibc, fgetpwent_r.c and fgetgrent_r.c: what lacks behind the last id is empty.
enum { PASSWD_FIELDS = 7, PASSWD_LEAST = 4, GROUP_FIELDS = 4, GROUP_LEAST = 3 };
enum { MAX_COMPARISONS = 1 << 28 };

struct part {
	const char *p;
	size_t n;
};

// What a membership needs to know of a user.
struct user {
	struct part name;
	int64_t uid;
};

struct accounts {
	struct walk *w;
	VEC(struct user) users;
	uint64_t comparisons; // of names that may still be made
};

static struct opt_text field_text(struct part f)
{
	return some_bytes(f.p, f.n);
}

// isspace() of the C locale.
static struct part without_leading_blanks(struct part f)
{
	while (f.n > 0 && (*f.p == ' ' || (*f.p >= '\t' && *f.p <= '\r')))
		f = (struct part){f.p + 1, f.n - 1};
	return f;
}

// An id in decimal digits that fits in 32 bits, however many zeros there are before it.
static bool field_id(struct part f, int64_t *id)
{
	int64_t v = 0;

	f = without_leading_blanks(f);
	for (size_t i = 0; i < f.n; i++) {
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
		v = v * 10 + (f.p[i] - '0');
		if (v > UINT32_MAX)
			return false;
	}
	*id = v;
	return f.n > 0;
}

// Cuts a line at its first n - 1 colons; how many fields there are. The others are empty.
static size_t split(struct part line, struct part *fields, size_t n)
{
	const char *at = line.p, *end = line.p + line.n;
	size_t found = 0;

	for (bool more = true; more;) {
		const char *colon = found + 1 < n ? memchr(at, ':', (size_t)(end - at)) : NULL;
		fields[found++] = (struct part){at, (size_t)((colon ? colon : end) - at)};
		more = colon != NULL;
		at = more ? colon + 1 : end;
	}
	for (size_t i = found; i < n; i++)
		fields[i] = (struct part){end, 0};
	return found;
}

// Cuts the first line off a text: without its newline, up to a NUL, where the C library sees its
// end.
static struct part take_line(struct part *text)
{
	const char *newline = memchr(text->p, '\n', text->n);
	size_t n = newline ? (size_t)(newline - text->p) : text->n;
	struct part line = {text->p, strnlen(text->p, n)};

	n += newline != NULL;
	*text = (struct part){text->p + n, text->n - n};
	return without_leading_blanks(line);
}

// The text of a file, in whole lines; empty with a reason where there is none.
static struct part text_of(struct walk *w, enum table_id table, const char *path)
{
	uint64_t inode = cached_inode(w, path);
	struct part text = {"", 0};
	bool whole = false;

	if (!inode) {
		walk_unavailable(w, table, "the name /%s is not in memory", path);
		return text;
	}
	text.p = cached_content(w, inode, &text.n, &whole);
	if (whole)
		return text;
	walk_unavailable(w, table, "/%s is not wholly in the page cache, or too large", path);
	// the last line is cut, and what is left of it can look like another
	while (text.n > 0 && text.p[text.n - 1] != '\n')
		text.n--;
	return text;
}

// Who is in which group is of both files.
static void refuse_line(struct accounts *a, enum table_id table, const char *path, size_t number)
{
	const enum table_id tables[] = {table, TABLE_user_groups};

	for (size_t i = 0; i < 2; i++)
		walk_problem(a->w, WARNING, tables[i], 0, 0,
			     "line %zu of /%s is not one that the C library takes", number, path);
}

// Each gives whether a line is one of its file.
static void each_line(struct accounts *a, enum table_id table, const char *path,
		      bool (*each)(struct accounts *a, struct part line))
{
	struct part text = text_of(a->w, table, path), line;

	for (size_t number = 1; text.n > 0; number++) {
		line = take_line(&text);
		// comments, and what NIS would add
		if (line.n == 0 || strchr("#+-", *line.p))
			continue;
		if (!each(a, line))
			refuse_line(a, table, path, number);
	}
}

static void emit_membership(struct walk *w, int64_t uid, int64_t gid)
{
	struct row_user_groups row = {.uid = some_int(uid), .gid = some_int(gid)};

	WALK_EMIT(w, user_groups, &row);
}

static bool add_user(struct accounts *a, struct part line)
{
	struct part f[PASSWD_FIELDS];
	int64_t uid, gid;

	if (split(line, f, PASSWD_FIELDS) < PASSWD_LEAST || !field_id(f[2], &uid) ||
	    !field_id(f[3], &gid))
		return false;
	struct row_users row = {
		.uid = some_int(uid),
		.gid = some_int(gid),
		.uid_signed = some_int((int32_t)uid),
		.gid_signed = some_int((int32_t)gid),
		.username = field_text(f[0]),
		.description = field_text(f[4]),
		.directory = field_text(f[5]),
		.shell = field_text(f[6]),
		.pid_with_namespace = some_int(0),
		.include_remote = some_int(0),
	};
	WALK_EMIT(a->w, users, &row);
	emit_membership(a->w, uid, gid);
	vec_push(&a->users, ((struct user){f[0], uid}));
	return true;
}

static void add_members(struct accounts *a, struct part members, int64_t gid)
{
	const char *at = members.p, *end = members.p + members.n;
	const struct user *u;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t n = (size_t)((comma ? comma : end) - at);
		if (a->users.n > a->comparisons) {
			walk_problem(a->w, ERROR, TABLE_user_groups, 0, 0,
				     "more members of groups than can be true");
			return;
		}
		a->comparisons -= a->users.n;
		vec_foreach (u, &a->users)
			if (u->name.n == n && memcmp(u->name.p, at, n) == 0)
				emit_membership(a->w, u->uid, gid);
		at += n + 1;
	}
}

static bool add_group(struct accounts *a, struct part line)
{
	struct part f[GROUP_FIELDS];
	int64_t gid;

	if (split(line, f, GROUP_FIELDS) < GROUP_LEAST || !field_id(f[2], &gid))
		return false;
	struct row_groups row = {
		.gid = some_int(gid),
		.gid_signed = some_int((int32_t)gid),
		.groupname = field_text(f[0]),
		.pid_with_namespace = some_int(0),
		.members = field_text(f[3]),
	};
	WALK_EMIT(a->w, groups, &row);
	add_members(a, f[3], gid);
	return true;
}

static void run(struct walk *w)
{
	struct accounts a = {.w = w, .comparisons = MAX_COMPARISONS};

	each_line(&a, TABLE_users, "etc/passwd", add_user);
	each_line(&a, TABLE_groups, "etc/group", add_group);
	if (w->cover[TABLE_users].unavailable)
		walk_unavailable(w, TABLE_user_groups, "%s", w->cover[TABLE_users].reason);
	else if (w->cover[TABLE_groups].unavailable)
		walk_unavailable(w, TABLE_user_groups, "%s", w->cover[TABLE_groups].reason);
	vec_fini(&a.users);
}

const struct extractor walk_users = {
	.name = "users",
	.tables = {TABLE_users, TABLE_groups, TABLE_user_groups},
	.n_tables = 3,
	.run = run,
};
