/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every kind of thing that a file descriptor can be. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define DIR "/tmp/actors/files/"

static void open_regular(void)
{
	int fd = (int)CHECK(open(DIR "plain", O_RDWR | O_CREAT, 0640));

	fill(fd, "0123456789");
	CHECK(lseek(fd, 4, SEEK_SET));
	CHECK(flock(fd, LOCK_EX));
	CHECK(dup(fd));
	CHECK(open(DIR "append", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600));
	CHECK(open("/etc", O_RDONLY | O_DIRECTORY));
	CHECK(open("/etc/passwd", O_PATH));
	CHECK(symlink("/etc/passwd", DIR "link"));
	CHECK(open(DIR "link", O_PATH | O_NOFOLLOW));
	CHECK(open("/tmp", O_TMPFILE | O_RDWR, 0600));
	fd = (int)CHECK(open(DIR "sparse", O_RDWR | O_CREAT, 0600));
	CHECK(ftruncate(fd, 1LL << 33));
	CHECK(lseek(fd, 1LL << 32, SEEK_SET));
}

static void open_deleted(void)
{
	int fd = (int)CHECK(open(DIR "deleted", O_RDWR | O_CREAT, 0600));

	fill(fd, "nobody finds this by name\n");
	CHECK(unlink(DIR "deleted"));
	fd = (int)CHECK(open(DIR "before", O_RDWR | O_CREAT, 0600));
	CHECK(rename(DIR "before", DIR "after"));
	fd = (int)CHECK(memfd_create("a memfd", 0));
	fill(fd, "in memory only\n");
	/* A file really called like a deleted one. */
	CHECK(open(DIR "fake (deleted)", O_RDWR | O_CREAT, 0600));
}

static void open_odd_names(void)
{
	static char name[256];

	CHECK(open(DIR "new\nline", O_RDWR | O_CREAT, 0600));
	CHECK(open(DIR "esc\x1b[2J", O_RDWR | O_CREAT, 0600));
	CHECK(open(DIR "\xff\xfe", O_RDWR | O_CREAT, 0600));
	CHECK(open(DIR "a b\\c\"d", O_RDWR | O_CREAT, 0600));
	memset(name, 'n', 255);
	CHECK(chdir(DIR));
	CHECK(open(name, O_RDWR | O_CREAT, 0600));
}

/* Many folders deep: longer than a page of path pieces. */
static void open_deep(void)
{
	static char name[201];

	memset(name, 'd', 200);
	for (int i = 0; i < 10; i++) {
		CHECK(mkdir(name, 0700));
		CHECK(chdir(name));
	}
	CHECK(open("bottom", O_RDWR | O_CREAT, 0600));
}

static void open_pipes(void)
{
	int ends[2];

	CHECK(pipe(ends));
	fill(ends[1], "unread in a pipe");
	CHECK(pipe2(ends, O_NONBLOCK));
	CHECK(close(ends[0]));
	CHECK(mkfifo(DIR "fifo", 0600));
	ends[0] = (int)CHECK(open(DIR "fifo", O_RDONLY | O_NONBLOCK));
	ends[1] = (int)CHECK(open(DIR "fifo", O_WRONLY));
	fill(ends[1], "unread in a fifo");
}

static void open_events(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 77};
	struct itimerspec hour = {.it_value.tv_sec = 3600};
	sigset_t signals;
	int epoll = (int)CHECK(epoll_create1(0));
	int fd = (int)CHECK(eventfd(5, EFD_NONBLOCK));

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	fd = (int)CHECK(timerfd_create(CLOCK_MONOTONIC, 0));
	CHECK(timerfd_settime(fd, 0, &hour, NULL));
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR2);
	CHECK(sigprocmask(SIG_BLOCK, &signals, NULL));
	CHECK(signalfd(-1, &signals, 0));
	fd = (int)CHECK(inotify_init1(0));
	CHECK(inotify_add_watch(fd, "/etc", IN_CREATE | IN_DELETE));
	fd = (int)CHECK(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
	CHECK(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/etc/hostname"));
	CHECK(syscall(SYS_pidfd_open, getppid(), 0));
}

/* Kernels may be built without these, or forbid them. */
static void open_rare(void)
{
	struct io_uring_params params = {0};

	(void)syscall(SYS_io_uring_setup, 4, &params);
	/* This one has a thread in the kernel that counts among ours. */
	params.flags = IORING_SETUP_SQPOLL;
	params.sq_thread_idle = 1;
	(void)syscall(SYS_io_uring_setup, 4, &params);
	(void)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
	(void)syscall(SYS_fsopen, "tmpfs", 0);
}

static void open_devices(void)
{
	int terminal = (int)CHECK(posix_openpt(O_RDWR | O_NOCTTY));

	CHECK(grantpt(terminal));
	CHECK(unlockpt(terminal));
	CHECK(open(ptsname(terminal), O_RDWR | O_NOCTTY));
	CHECK(open("/dev/null", O_RDONLY));
	CHECK(open("/dev/zero", O_RDWR));
	CHECK(open("/dev/kmsg", O_WRONLY));
	CHECK(open("/dev/urandom", O_RDONLY));
	CHECK(open("/proc/self/ns/net", O_RDONLY));
	CHECK(open("/proc/self/status", O_RDONLY));
	CHECK(open("/sys/kernel/mm", O_RDONLY));
}

static void lock_range(void)
{
	struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3};
	int fd = (int)CHECK(open(DIR "locked", O_RDWR | O_CREAT, 0600));

	fill(fd, "0123456789");
	CHECK(fcntl(fd, F_SETLK, &range));
}

int files_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(mkdir(DIR, 0755));
	open_regular();
	open_deleted();
	open_pipes();
	open_events();
	open_rare();
	open_devices();
	lock_range();
	open_odd_names();
	open_deep();
	rest_ready();
}

/* The table of descriptors grows at 64, 256 and 1024. */
int manyfds_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int fd = (int)CHECK(open("/etc/hostname", O_RDONLY));

	for (int i = 20; i < 90; i++)
		CHECK(dup2(fd, i));
	for (int i = 30; i < 40; i++)
		CHECK(close(i));
	CHECK(dup2(fd, 300));
	CHECK(dup3(fd, 1000, O_CLOEXEC));
	rest_ready();
}
