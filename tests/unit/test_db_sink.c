// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows into a database file, and what is in the directory when that goes wrong.
#include "src/db/output.h"
#include "src/db/sqlite_sink.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];

static void enter_directory(void)
{
	snprintf(dir, sizeof(dir), "/tmp/vmiscan-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void leave_directory(void)
{
	char command[128];

	cr_assert_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(db, .init = enter_directory, .fini = leave_directory);

// How many files the directory has, hidden ones included.
static int n_files(void)
{
	DIR *d = opendir(".");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static bool holds(const char *name, const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(name, "r");

	cr_assert_not_null(f, "%s", name);
	size_t n = fread(buf, 1, sizeof(buf) - 1, f);
	fclose(f);
	buf[n] = '\0';
	return strcmp(buf, text) == 0;
}

static struct sqlite_sink *open_sink(const char *name, bool force)
{
	struct sqlite_sink *s;
	struct err *e = sqlite_sink_new(name, force, &s);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return s;
}

static void emit_env(struct sqlite_sink *s, int64_t pid, const char *key, const char *value,
		     size_t n)
{
	struct row_process_envs row = {.pid = some_int(pid),
				       .key = some_text(key),
				       .value = some_bytes(value, n),
				       .task_addr = some_addr(0xffff888000000000 + (uint64_t)pid)};

	sqlite_sink_rows(s)->emit(sqlite_sink_rows(s), TABLE_process_envs, &row);
}

static void finish(struct sqlite_sink *s)
{
	struct err *e = sqlite_sink_finish(s);

	cr_assert_null(e, "%s", e ? e->msg : "");
	sqlite_sink_free(s);
}

static const char *answer(const char *name, const char *sql)
{
	static char text[1024];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s",
		     sqlite3_errmsg(db));
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
	const unsigned char *value = sqlite3_column_text(stmt, 0);
	snprintf(text, sizeof(text), "%s", value ? (const char *)value : "NULL");
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return text;
}

// --- rows ---

Test(db, values_arrive_as_they_are)
{
	struct sqlite_sink *s = open_sink("x.db", false);
	struct row_problems empty = {0};

	emit_env(s, -1, "PATH", "/bin\xff\0z", 7);
	sqlite_sink_rows(s)->emit(sqlite_sink_rows(s), TABLE_problems, &empty);
	finish(s);
	cr_expect_str_eq(answer("x.db",
				"SELECT pid || ' ' || key || ' ' || value || ' ' || task_addr "
				"FROM process_envs"),
			 "-1 PATH /bin\\xff\\x00z 0xffff887fffffffff");
	cr_expect_str_eq(answer("x.db", "SELECT count(*) FROM problems WHERE severity IS NULL "
					"AND task_addr IS NULL AND message IS NULL"),
			 "1");
	cr_expect_str_eq(
		answer("x.db", "SELECT typeof(pid) || typeof(task_addr) FROM process_envs"),
		"integertext");
	cr_expect_eq(n_files(), 1, "only the database");
}

Test(db, an_empty_text_is_not_null)
{
	struct sqlite_sink *s = open_sink("x.db", false);

	emit_env(s, 1, "EMPTY", "", 0);
	finish(s);
	cr_expect_str_eq(answer("x.db", "SELECT value = '' FROM process_envs"), "1");
}

Test(db, rows_keep_their_order_across_batches)
{
	struct sqlite_sink *s = open_sink("x.db", false);
	char value[32];

	for (int i = 0; i < 1003; i++) {
		int n = snprintf(value, sizeof(value), "value %d", i);
		emit_env(s, i, "K", value, (size_t)n);
		memset(value, '!', sizeof(value)); // the sink has its own copy
	}
	finish(s);
	cr_expect_str_eq(answer("x.db",
				"SELECT count(*) FROM process_envs WHERE rowid = pid + 1 AND "
				"value = 'value ' || pid"),
			 "1003");
	cr_expect_str_eq(answer("x.db", "PRAGMA integrity_check"), "ok");
}

Test(db, the_same_rows_give_the_same_bytes)
{
	for (int round = 0; round < 2; round++) {
		struct sqlite_sink *s = open_sink(round ? "b.db" : "a.db", false);
		for (int i = 0; i < 500; i++)
			emit_env(s, i, "KEY", "value", 5);
		finish(s);
	}
	cr_expect_eq(system("cmp a.db b.db"), 0);
}

// --- names ---

Test(db, nothing_is_left_without_a_finish)
{
	struct sqlite_sink *s = open_sink("x.db", false);

	cr_expect_eq(n_files(), 1, "the temporary file");
	emit_env(s, 1, "K", "v", 1);
	sqlite_sink_free(s);
	cr_expect_eq(n_files(), 0);
}

Test(db, the_old_file_stays_until_the_end)
{
	write_file("x.db", "old");
	struct sqlite_sink *s = open_sink("x.db", true);
	emit_env(s, 1, "K", "v", 1);
	cr_expect(holds("x.db", "old"));
	finish(s);
	cr_expect_str_eq(answer("x.db", "SELECT count(*) FROM process_envs"), "1");
}

Test(db, a_file_that_came_meanwhile_is_not_overwritten)
{
	struct sqlite_sink *s = open_sink("x.db", false);

	write_file("x.db", "somebody's");
	struct err *e = sqlite_sink_finish(s);
	cr_assert_not_null(e);
	cr_expect_eq(e->code, ERR_OUTPUT);
	cr_expect_not_null(strstr(e->msg, "x.db: "), "%s", e->msg);
	sqlite_sink_free(s);
	cr_expect(holds("x.db", "somebody's"));
	cr_expect_eq(n_files(), 1);
}

Test(db, a_directory_that_is_not_there)
{
	struct sqlite_sink *s;
	struct err *e = sqlite_sink_new("nowhere/x.db", false, &s);

	cr_assert_not_null(e);
	cr_expect_eq(e->code, ERR_OUTPUT);
	cr_expect_not_null(strstr(e->msg, "nowhere/x.db: can't create"), "%s", e->msg);
}

Test(db, a_full_disk_leaves_nothing)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	char value[1000];

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	struct sqlite_sink *s = open_sink("x.db", false);
	memset(value, 'v', sizeof(value));
	for (int i = 0; i < 4000; i++)
		emit_env(s, i, "K", value, sizeof(value));
	struct err *e = sqlite_sink_finish(s);
	cr_assert_not_null(e);
	cr_expect_eq(e->code, ERR_OUTPUT);
	cr_expect_not_null(strstr(e->msg, "File too large"), "%s", e->msg);
	sqlite_sink_free(s);
	cr_expect_eq(n_files(), 0);
}

// --- what killed runs left ---

static pid_t dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

static void leftover(char name[static 64], pid_t pid)
{
	snprintf(name, 64, ".vmiscan-%ld-0badcafe.tmp", (long)pid);
	write_file(name, "half a database");
}

Test(db, leftovers_of_dead_runs_are_swept)
{
	char dead[64], alive[64], locked[64];

	leftover(dead, dead_pid());
	leftover(alive, getppid());
	leftover(locked, dead_pid());
	write_file(".vmiscan-notes.tmp", "not ours");
	write_file(".vmiscan-12x-1.tmp", "not ours");
	write_file("vmiscan-1-1.tmp", "not ours");
	int fd = open(locked, O_RDWR);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	sqlite_sink_free(open_sink("x.db", false));
	cr_expect_neq(access(dead, F_OK), 0, "its process is gone");
	cr_expect_eq(access(alive, F_OK), 0, "its process lives");
	cr_expect_eq(access(locked, F_OK), 0, "somebody holds it");
	cr_expect_eq(n_files(), 5);
	close(fd);
}

enum whom { MYSELF, THE_GROUP };

static void die_while_writing(int sig, enum whom whom)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)setpgid(0, 0);
		struct sqlite_sink *s = open_sink("x.db", false);
		for (int i = 0; i < 100; i++)
			emit_env(s, i, "K", "v", 1);
		(void)kill(whom == MYSELF ? getpid() : 0, sig);
		_exit(99);
	}
	int status;
	waitpid(pid, &status, 0);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == sig, "status 0x%x", (unsigned)status);
}

Test(db, signals_remove_the_temporary_file)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < 3; i++) {
		die_while_writing(signals[i], MYSELF);
		cr_expect_eq(n_files(), 0, "signal %d", signals[i]);
		die_while_writing(signals[i], THE_GROUP);
		cr_expect_eq(n_files(), 0, "signal %d", signals[i]);
	}
}

static void a_moment(void)
{
	const struct timespec tick = {.tv_nsec = 10000000};

	(void)nanosleep(&tick, NULL);
}

// Nobody waits for the keeper then, who is an orphan.
Test(db, a_kill_leaves_nothing)
{
	die_while_writing(SIGKILL, MYSELF);
	for (int i = 0; i < 6000 && n_files() > 0; i++)
		a_moment();
	cr_expect_eq(n_files(), 0);
}

Test(db, the_next_run_sweeps_after_a_kill_of_all)
{
	die_while_writing(SIGKILL, THE_GROUP);
	cr_expect_eq(n_files(), 1);
	// The keeper may be a moment behind, and with it the lock of its file.
	for (int i = 0; i < 6000 && n_files() > 0; i++) {
		a_moment();
		sqlite_sink_free(open_sink("x.db", false));
	}
	cr_expect_eq(n_files(), 0);
}

// --- may this be the output? ---

static void refused(const char *path, bool force, const char *part)
{
	struct err *e = output_check(path, "image", force);

	cr_assert_not_null(e, "%s was taken", path);
	cr_expect_eq(e->code, ERR_OUTPUT);
	cr_expect_not_null(strstr(e->msg, part), "%s", e->msg);
}

Test(db, the_evidence_is_never_the_output)
{
	write_file("image", "evidence");
	cr_assert_eq(link("image", "hard"), 0);
	cr_assert_eq(symlink("image", "soft"), 0);
	refused("image", true, "is the image itself");
	refused("./image", true, "is the image itself");
	refused("hard", true, "is the image itself");
	refused("soft", true, "is the image itself");
}

Test(db, only_new_files_unless_forced)
{
	write_file("image", "evidence");
	write_file("old.db", "old");
	cr_assert_eq(mkdir("folder", 0755), 0);
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	cr_expect_null(output_check("new.db", "image", false));
	refused("old.db", false, "--force");
	cr_expect_null(output_check("old.db", "image", true));
	refused("folder", true, "is a directory");
	refused("/dev/null", true, "is no regular file");
	refused("dangling", false, "--force");
}
