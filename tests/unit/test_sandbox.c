// SPDX-License-Identifier: LGPL-2.1-or-later
// What a process can't do any more once it is in the sandbox, each tried in a process of its own.
#include "src/sandbox/sandbox.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A folder with in/evidence, which is only read, and cache/, which is written to.
static char dir[64];
static int evidence = -1; // open

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	cr_assert_eq(write(fd, "x", 1), 1);
	(void)close(fd);
}

static void enter_directory(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/vmiscan-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	cr_assert_eq(mkdir("in", 0700) | mkdir("cache", 0700), 0);
	make_file("in/evidence");
	make_file("in/other");
	make_file("cache/temporary");
	evidence = open("in/evidence", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(evidence, 0);
}

static void leave_directory(void)
{
	char command[128];

	cr_assert_eq(chdir("/"), 0);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(sandbox, .init = enter_directory, .fini = leave_directory);

static void enter_first(void)
{
	struct sandbox_needs n = {.opens = true, .forks = true};
	char words[SANDBOX_WORDS];

	sandbox_read(&n, "in/evidence");
	sandbox_read(&n, "in/nothing-of-that-name");
	sandbox_write(&n, "cache");
	sandbox_enter(&n, words);
	sandbox_needs_fini(&n);
}

static void enter_second(void)
{
	const struct sandbox_needs n = {0};
	char words[SANDBOX_WORDS];

	sandbox_enter(&n, words);
}

static void enter_both(void)
{
	enter_first();
	enter_second();
}

// On a kernel that has no Landlock, for a call that writes no file but those that are open.
static void enter_seccomp_alone(void)
{
	struct sandbox_needs n = {.opens = true};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_null(seccomp_enter(&n));
}

static void enter_prompt(void)
{
	const struct sandbox_needs n = {.opens = true, .terminal = true};

	cr_assert_eq(setpgid(0, 0) | prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_null(seccomp_enter(&n));
}

enum { DONE = 0, REFUSED = 1, KILLED = 2 };

// What comes of an act: it is done where it gives true.
static int outcome(void (*enter)(void), bool (*act)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		enter();
		_exit(act() ? DONE : REFUSED);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		cr_assert_eq(WTERMSIG(status), SIGSYS, "signal %d", WTERMSIG(status));
		return KILLED;
	}
	return WEXITSTATUS(status);
}

static void outside(void)
{
}

// --- the acts ---

static bool opens(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600) >= 0;
}

static bool read_evidence(void)
{
	return opens("in/evidence", O_RDONLY);
}

static bool read_another_file(void)
{
	return opens("in/other", O_RDONLY);
}

static bool read_passwords(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static bool write_evidence(void)
{
	return opens("in/evidence", O_RDWR);
}

static bool remove_evidence(void)
{
	return unlink("in/evidence") == 0;
}

static bool truncate_evidence(void)
{
	return truncate("in/evidence", 0) == 0;
}

// Some system calls truncate what they open to be read.
static bool truncate_by_opening(void)
{
	return opens("in/evidence", O_RDONLY | O_TRUNC);
}

static bool move_evidence(void)
{
	return rename("in/evidence", "cache/new") == 0;
}

static bool link_evidence(void)
{
	return link("in/evidence", "cache/new") == 0;
}

static bool set_times(void)
{
	return utimensat(AT_FDCWD, "in/evidence", NULL, 0) == 0;
}

static bool set_times_of_open_file(void)
{
	return futimens(evidence, NULL) == 0;
}

static bool set_mode_of_open_file(void)
{
	struct stat st;

	(void)fchmod(evidence, 0640);
	return fstat(evidence, &st) == 0 && (st.st_mode & 0777) == 0640;
}

static bool put_beside_evidence(void)
{
	return opens("in/new", O_WRONLY | O_CREAT);
}

static bool list_folder(void)
{
	return opens(".", O_RDONLY | O_DIRECTORY);
}

static bool make_in_cache(void)
{
	return opens("cache/new", O_RDWR | O_CREAT | O_EXCL);
}

static bool name_in_cache(void)
{
	return rename("cache/temporary", "cache/final") == 0 &&
	       rename("cache/final", "cache/temporary") == 0;
}

static bool move_out_of_cache(void)
{
	return rename("cache/temporary", "in/final") == 0;
}

static bool remove_from_cache(void)
{
	return unlink("cache/temporary") == 0;
}

static bool make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool make_local_socket(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
}

static bool become_program(void)
{
	char name[] = "true";
	char *const args[] = {name, NULL}, *const nothing[] = {NULL};

	(void)execve("/bin/true", args, nothing);
	return false; // where it could, /bin/true ends with DONE
}

static bool begin_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) != MAP_FAILED;
}

static bool make_memory(void)
{
	char *p = malloc(64 << 20);

	return p && memset(p, 1, 64 << 20);
}

// Asked of no file at all, since it acts where it is allowed.
static bool type_into_terminal(void)
{
	char c = 'x';

	return ioctl(-1, TIOCSTI, &c) == 0 || errno == EBADF;
}

// --- other processes ---

static bool look_for_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool signal_thread_of_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0;
}

static bool signal_task_of_parent(void)
{
	return syscall(SYS_tkill, getppid(), 0) == 0;
}

static bool signal_by_handle(void)
{
	long handle = syscall(SYS_pidfd_open, getppid(), 0);

	return handle >= 0 && syscall(SYS_pidfd_send_signal, handle, 0, NULL, 0) == 0;
}

static bool queue_signal(void)
{
	return sigqueue(getppid(), 0, (union sigval){0}) == 0;
}

// Whom the kernel sends what F_SETSIG says when something can be read.
static bool have_parent_signalled(void)
{
	return fcntl(evidence, F_SETOWN, getppid()) == 0;
}

static bool look_at_limits_of_parent(void)
{
	struct rlimit l;

	return prlimit(getppid(), RLIMIT_CORE, NULL, &l) == 0;
}

static bool raise_signal(void)
{
	return signal(SIGTERM, SIG_IGN) != SIG_ERR && raise(SIGTERM) == 0;
}

static bool continue_group(void)
{
	return kill(0, SIGCONT) == 0;
}

static bool kill_group(void)
{
	return kill(0, SIGKILL) == 0;
}

static bool get_rights_back(void)
{
	const struct rlimit l = {64, 64};

	return setrlimit(RLIMIT_NOFILE, &l) == 0;
}

// --- what comes of them ---

// Who forbids it. With a sanitizer seccomp is off, and all files may be read.
enum guard { LANDLOCK, LANDLOCK_3, LANDLOCK_ON_READING, SECCOMP };

static bool is_there(enum guard g)
{
	if (g == SECCOMP)
		return seccomp_is_there();
	if (g == LANDLOCK_3) // which truncation is part of since
		return landlock_version() >= 3;
	return landlock_version() > 0 && !(SANITIZED && g == LANDLOCK_ON_READING);
}

struct expectation {
	const char *what;
	bool (*act)(void);
	bool first, second; // done in the first, and in the second sandbox
	enum guard guard;
};

#define ACT(act, ...)                                                                              \
	{                                                                                          \
#act, act, __VA_ARGS__                                                             \
	}

// clang-format off
static const struct expectation expectations[] = {
	ACT(read_evidence,            true,  false, LANDLOCK_ON_READING),
	ACT(read_another_file,        false, false, LANDLOCK_ON_READING),
	ACT(read_passwords,           false, false, LANDLOCK_ON_READING),
	ACT(list_folder,              false, false, LANDLOCK_ON_READING),
	ACT(write_evidence,           false, false, LANDLOCK),
	ACT(truncate_evidence,        false, false, SECCOMP),
	ACT(truncate_by_opening,      false, false, LANDLOCK_3),
	ACT(remove_evidence,          false, false, LANDLOCK),
	ACT(move_evidence,            false, false, LANDLOCK),
	ACT(link_evidence,            false, false, LANDLOCK),
	ACT(set_times,                false, false, SECCOMP),
	ACT(set_times_of_open_file,   false, false, SECCOMP),
	ACT(set_mode_of_open_file,    false, false, SECCOMP),
	ACT(put_beside_evidence,      false, false, LANDLOCK),
	ACT(move_out_of_cache,        false, false, LANDLOCK),
	ACT(make_in_cache,            true,  false, LANDLOCK),
	ACT(name_in_cache,            true,  false, LANDLOCK),
	ACT(remove_from_cache,        true,  false, LANDLOCK),
	ACT(become_program,           false, false, LANDLOCK),
	ACT(begin_process,            true,  false, SECCOMP),
	ACT(make_socket,              false, false, SECCOMP),
	ACT(make_local_socket,        false, false, SECCOMP),
	ACT(make_code,                false, false, SECCOMP),
	ACT(make_memory,              true,  true,  SECCOMP),
	ACT(type_into_terminal,       false, false, SECCOMP),
	ACT(get_rights_back,          true,  false, SECCOMP),
	ACT(look_for_parent,          false, false, SECCOMP),
	ACT(signal_thread_of_parent,  false, false, SECCOMP),
	ACT(signal_task_of_parent,    false, false, SECCOMP),
	ACT(signal_by_handle,         false, false, SECCOMP),
	ACT(queue_signal,             false, false, SECCOMP),
	ACT(have_parent_signalled,    false, false, SECCOMP),
	ACT(look_at_limits_of_parent, false, false, SECCOMP),
	ACT(raise_signal,             true,  true,  SECCOMP),
};

// What seccomp does by itself: nothing is written, and nobody hears of us.
static const struct expectation by_seccomp[] = {
	ACT(read_evidence,            true,  true,  SECCOMP),
	ACT(write_evidence,           false, false, SECCOMP),
	ACT(truncate_evidence,        false, false, SECCOMP),
	ACT(truncate_by_opening,      false, false, SECCOMP),
	ACT(remove_evidence,          false, false, SECCOMP),
	ACT(move_evidence,            false, false, SECCOMP),
	ACT(link_evidence,            false, false, SECCOMP),
	ACT(put_beside_evidence,      false, false, SECCOMP),
	ACT(make_in_cache,            false, false, SECCOMP),
	ACT(set_mode_of_open_file,    false, false, SECCOMP),
	ACT(begin_process,            false, false, SECCOMP),
	ACT(look_for_parent,          false, false, SECCOMP),
	ACT(signal_thread_of_parent,  false, false, SECCOMP),
	ACT(signal_task_of_parent,    false, false, SECCOMP),
	ACT(signal_by_handle,         false, false, SECCOMP),
	ACT(queue_signal,             false, false, SECCOMP),
	ACT(kill_group,               false, false, SECCOMP),
	ACT(continue_group,           false, true,  SECCOMP), // at the prompt
};
// clang-format on

static void expect(const struct expectation *e, void (*enter)(void), bool done)
{
	int got;

	make_file("in/evidence");
	make_file("cache/temporary");
	(void)fchmod(evidence, 0600);
	got = outcome(enter, e->act);
	(void)unlink("cache/new");
	(void)unlink("in/new");
	(void)unlink("in/final");
	if (done || is_there(e->guard))
		cr_expect_eq(got == DONE, done, "%s came to %d", e->what, got);
}

enum {
	N_EXPECTATIONS = sizeof(expectations) / sizeof(expectations[0]),
	N_BY_SECCOMP = sizeof(by_seccomp) / sizeof(by_seccomp[0]),
};

Test(sandbox, everything_can_be_done_outside)
{
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		expect(&expectations[i], outside, true);
}

Test(sandbox, leaves_the_named_files_and_nothing_else)
{
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		expect(&expectations[i], enter_first, expectations[i].first);
}

Test(sandbox, leaves_no_file_once_all_are_open)
{
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		expect(&expectations[i], enter_both, expectations[i].second);
}

Test(sandbox, writes_nothing_and_signals_nobody_without_landlock)
{
	if (!seccomp_is_there())
		cr_skip_test("no seccomp in this build or system");
	for (size_t i = 0; i < N_BY_SECCOMP; i++) {
		expect(&by_seccomp[i], enter_seccomp_alone, by_seccomp[i].first);
		expect(&by_seccomp[i], enter_prompt, by_seccomp[i].second);
	}
}

Test(sandbox, ends_who_asks_for_a_socket_or_a_program)
{
	if (!seccomp_is_there())
		cr_skip_test("no seccomp in this build or system");
	cr_expect_eq(outcome(enter_first, make_socket), KILLED);
	cr_expect_eq(outcome(enter_first, become_program), KILLED);
	cr_expect_eq(outcome(enter_both, make_socket), KILLED);
}

static bool same_kinds(const char *a, const char *b, const char *lack)
{
	return !strstr(a, lack) == !strstr(b, lack);
}

static bool say_what_is_in_force(void)
{
	const struct sandbox_needs n = {0};
	char kinds[SANDBOX_WORDS], words[SANDBOX_WORDS];

	sandbox_kinds(kinds);
	sandbox_enter(&n, words);
	return same_kinds(kinds, words, "no Landlock") && same_kinds(kinds, words, "no seccomp");
}

Test(sandbox, says_what_is_in_force)
{
	cr_expect_eq(outcome(outside, say_what_is_in_force), DONE);
}
