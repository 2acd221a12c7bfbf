// SPDX-License-Identifier: LGPL-2.1-or-later
// The body file of the Sleuth Kit, which mactime sorts:
// MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime, times in seconds, 0 for none.
//
// A file is a line with its three times; whatever else happened is one with all four at that time,
// since mactime lists one that is 0 as a moment without a date. Bars and control characters of
// names are written \xNN.
#include "src/cli/timeline.h"

#include "src/base/scope.h"
#include "src/base/text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static void put_name(FILE *out, const char *s)
{
	_cleanup_(arena_fini) struct arena a = {0};

	for (const char *p = text_for_terminal(&a, s, strlen(s)); *p; p++)
		if (*p == '|')
			(void)fputs("\\x7c", out);
		else
			(void)fputc(*p, out);
}

static char type_of(int64_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 'r';
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return '-';
	}
}

// One class of rwx, whose x also tells of set-id or sticky.
static void put_class(char *to, int64_t bits, bool special, char letter)
{
	to[0] = bits & 4 ? 'r' : '-';
	to[1] = bits & 2 ? 'w' : '-';
	to[2] = bits & 1 ? 'x' : '-';
	if (special)
		to[2] = (char)(bits & 1 ? letter : letter - 'a' + 'A');
}

// r/rrwxr-xr-x: the type as the name and as the inode have it.
static void put_mode(FILE *out, struct opt_int mode)
{
	char text[13] = "r/r---------";

	if (!mode.set) {
		(void)fputs("------------", out);
		return;
	}
	text[0] = text[2] = type_of(mode.v);
	put_class(text + 3, mode.v >> 6, mode.v & S_ISUID, 's');
	put_class(text + 6, mode.v >> 3, mode.v & S_ISGID, 's');
	put_class(text + 9, mode.v, mode.v & S_ISVTX, 't');
	(void)fputs(text, out);
}

static int64_t seconds(struct opt_int ns)
{
	return ns.set && ns.v > 0 ? whole(ns.v, 1000000000) : 0;
}

static void file_line(FILE *out, const struct row_process_open_files *f)
{
	(void)fputs("0|", out);
	put_name(out, f->path.p);
	(void)fprintf(out, "|%" PRId64 "|", f->inode.v);
	put_mode(out, f->mode);
	(void)fprintf(
		out, "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|0\n",
		f->uid.v, f->gid.v, f->size.v, seconds(f->atime_ns), seconds(f->mtime_ns),
		seconds(f->ctime_ns));
}

static void moment_line(FILE *out, const struct moment *m)
{
	const struct row_processes *p = m->kind == MOMENT_PROCESS ? m->row : NULL;
	int64_t at = seconds(some_int(m->ns));

	(void)fprintf(out, "0|[%s] ", moment_names[m->kind]);
	put_name(out, m->message);
	(void)fprintf(out, "|0|------------|%" PRId64 "|%" PRId64 "|0|", p ? p->uid.v : 0,
		      p ? p->gid.v : 0);
	(void)fprintf(out, "%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "\n", at, at, at, at);
}

void body_file(struct timeline *t, FILE *out)
{
	const struct moment *m;

	for (size_t i = 0; i < t->files.n; i++)
		file_line(out, t->files.at[i]);
	vec_foreach (m, &t->moments)
		if (moment_table(m->kind) != TABLE_process_open_files)
			moment_line(out, m);
}
