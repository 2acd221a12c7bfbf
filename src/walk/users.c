// SPDX-License-Identifier: LGPL-2.1-or-later
// users, groups, user_groups: passwd(5) and group(5), read as the C library reads them.
#include "src/walk/users.h"

#include "src/base/vec.h"
#include "src/walk/cached_file.h"

#include <string.h>

enum { PASSWD_FIELDS = 7, GROUP_FIELDS = 4, MAX_ID_DIGITS = 10, MAX_COMPARISONS = 1 << 28 };

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

// An id in decimal digits that fits in 32 bits.
static bool field_id(struct part f, int64_t *id)
{
	int64_t v = 0;

	for (size_t i = 0; i < f.n; i++) {
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
		v = v * 10 + (f.p[i] - '0');
	}
	*id = v;
	return f.n > 0 && f.n <= MAX_ID_DIGITS && v <= UINT32_MAX;
}

// Cuts a line at its first n - 1 colons; how many fields there are.
static size_t split(const char *line, size_t length, struct part *fields, size_t n)
{
	const char *end = line + length;
	size_t i = 0;

	for (;;) {
		const char *colon = i + 1 < n ? memchr(line, ':', (size_t)(end - line)) : NULL;
		fields[i++] = (struct part){line, (size_t)((colon ? colon : end) - line)};
		if (!colon)
			return i;
		line = colon + 1;
	}
}

static void each_line(struct accounts *a, const char *text,
		      void (*each)(struct accounts *a, const char *line, size_t n))
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		// comments, and what NIS would add
		if (n > 0 && *text != '#' && *text != '+' && *text != '-')
			each(a, text, n);
		text += n + (text[n] == '\n');
	}
}

static void emit_membership(struct walk *w, int64_t uid, int64_t gid)
{
	struct row_user_groups row = {.uid = some_int(uid), .gid = some_int(gid)};

	WALK_EMIT(w, user_groups, &row);
}

static void add_user(struct accounts *a, const char *line, size_t n)
{
	struct part f[PASSWD_FIELDS];
	int64_t uid, gid;

	if (split(line, n, f, PASSWD_FIELDS) != PASSWD_FIELDS || !field_id(f[2], &uid) ||
	    !field_id(f[3], &gid))
		return;
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

static void add_group(struct accounts *a, const char *line, size_t n)
{
	struct part f[GROUP_FIELDS];
	int64_t gid;

	if (split(line, n, f, GROUP_FIELDS) != GROUP_FIELDS || !field_id(f[2], &gid))
		return;
	struct row_groups row = {
		.gid = some_int(gid),
		.gid_signed = some_int((int32_t)gid),
		.groupname = field_text(f[0]),
		.pid_with_namespace = some_int(0),
		.members = field_text(f[3]),
	};
	WALK_EMIT(a->w, groups, &row);
	add_members(a, f[3], gid);
}

// The text of a file; "" with a reason where there is none.
static const char *text_of(struct walk *w, enum table_id table, const char *path)
{
	uint64_t inode = cached_inode(w, path);
	bool whole = false;
	size_t n = 0;
	const char *text = inode ? cached_content(w, inode, &n, &whole) : "";

	if (!inode)
		walk_unavailable(w, table, "the name /%s is not in memory", path);
	else if (!whole)
		walk_unavailable(w, table, "/%s is not wholly in the page cache, or too large",
				 path);
	return text;
}

static void run(struct walk *w)
{
	struct accounts a = {.w = w, .comparisons = MAX_COMPARISONS};

	each_line(&a, text_of(w, TABLE_users, "etc/passwd"), add_user);
	each_line(&a, text_of(w, TABLE_groups, "etc/group"), add_group);
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
