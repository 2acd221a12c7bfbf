// SPDX-License-Identifier: LGPL-2.1-or-later
// logged_in_users and last: struct utmp of the C library, utmp(5).
#include "src/base/bytes.h"
#include "src/walk/cached_file.h"
#include "src/walk/users.h"

#include <string.h>

// glibc, sysdeps/gnu/utmp.h (bits/utmp.h); since the records of arm64 have longs, they differ.
enum {
	AT_TYPE = 0,
	AT_PID = 4,
	AT_LINE = 8,
	AT_USER = 44,
	AT_HOST = 76,
	NAME_SIZE = 32,
	HOST_SIZE = 256,
	RECORD = 384,
	AT_SECONDS = 340,
	RECORD_ARM64 = 400,
	AT_SECONDS_ARM64 = 344,
};

struct record {
	int64_t type, pid, seconds;
	struct opt_text line, user, host;
};

static struct opt_text text_in(const uint8_t *p, size_t n)
{
	return some_bytes((const char *)p, strnlen((const char *)p, n));
}

static const char *type_name(int64_t type)
{
	static const char *const names[] = {"empty",	"runlevel", "boot_time",
					    "new_time", "old_time", "init",
					    "login",	"user",	    "dead"};

	return type >= 0 && (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

static struct record read_record(const struct walk *w, const uint8_t *p)
{
	bool is_arm64 = w->k->arch == ARCH_ARM64;

	return (struct record){
		.type = (int16_t)le16(p + AT_TYPE),
		.pid = (int32_t)le32(p + AT_PID),
		.seconds = is_arm64 ? (int64_t)le64(p + AT_SECONDS_ARM64)
				    : (int64_t)le32(p + AT_SECONDS),
		.line = text_in(p + AT_LINE, NAME_SIZE),
		.user = text_in(p + AT_USER, NAME_SIZE),
		.host = text_in(p + AT_HOST, HOST_SIZE),
	};
}

static void emit_login(struct walk *w, const struct record *r)
{
	struct row_logged_in_users row = {
		.type = some_text(type_name(r->type)),
		.user = r->user,
		.tty = r->line,
		.host = r->host,
		.time = some_int(r->seconds),
		.pid = some_int(r->pid),
	};
	WALK_EMIT(w, logged_in_users, &row);
}

static void emit_last(struct walk *w, const struct record *r)
{
	struct row_last row = {
		.username = r->user,
		.tty = r->line,
		.pid = some_int(r->pid),
		.type = some_int(r->type),
		.type_name = some_text(type_name(r->type)),
		.time = some_int(r->seconds),
		.host = r->host,
	};
	WALK_EMIT(w, last, &row);
}

static void each_record(struct walk *w, enum table_id table, const char *path,
			void (*emit)(struct walk *w, const struct record *r))
{
	size_t n = 0, size = w->k->arch == ARCH_ARM64 ? RECORD_ARM64 : RECORD;
	uint64_t inode = cached_inode(w, path);
	bool whole = false;
	const char *bytes = inode ? cached_content(w, inode, &n, &whole) : NULL;

	if (!inode)
		walk_unavailable(w, table, "the name /%s is not in memory", path);
	else if (!whole)
		walk_unavailable(w, table, "/%s is not wholly in the page cache, or too large",
				 path);
	for (size_t at = 0; at + size <= n; at += size) {
		struct record r = read_record(w, (const uint8_t *)bytes + at);
		emit(w, &r);
	}
}

static void run(struct walk *w)
{
	each_record(w, TABLE_logged_in_users, "run/utmp", emit_login);
	each_record(w, TABLE_last, "var/log/wtmp", emit_last);
}

const struct extractor walk_logins = {
	.name = "logins",
	.tables = {TABLE_logged_in_users, TABLE_last},
	.n_tables = 2,
	.run = run,
};
