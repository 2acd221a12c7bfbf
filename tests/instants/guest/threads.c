/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes of several threads, the kernel's own among them. */
#define _GNU_SOURCE
#include "scenario.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void thread(void *(*body)(void *))
{
	pthread_t id;

	if (pthread_create(&id, NULL, body, NULL) != 0)
		die("no thread");
}

static void *idle(void *arg)
{
	prctl(PR_SET_NAME, "i-idle");
	rest();
	return arg;
}

/* --- the leader first --- */

static void *outlive(void *arg)
{
	prctl(PR_SET_NAME, "i-alive");
	await_zombie(getpid());
	here();
	(void)syscall(SYS_exit, 0);
	return arg;
}

void threads_scenario(void)
{
	int pid = named_child("i-leader");

	if (pid == 0) {
		thread(outlive);
		usleep(10000);
		(void)syscall(SYS_exit, 0);
	}
	reap(pid);
}

/* --- a thread that executes --- */

static void *execute(void *arg)
{
	char *argv[] = {PROGRAM, NULL};

	prctl(PR_SET_NAME, "i-exec");
	execv(PROGRAM, argv);
	die("no " PROGRAM);
	return arg;
}

void mtexec_scenario(void)
{
	int pid = named_child("i-leader");

	if (pid == 0) {
		thread(idle);
		usleep(10000);
		thread(execute);
		rest();
	}
	reap(pid);
}

/* --- core --- */

static void *crash(void *arg)
{
	prctl(PR_SET_NAME, "i-crash");
	raise(SIGSEGV);
	return arg;
}

void core_scenario(void)
{
	struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
	int pid;

	CHECK(write_file("/proc/sys/kernel/core_pattern", "/tmp/core"));
	CHECK(setrlimit(RLIMIT_CORE, &most));
	pid = named_child("i-leader");
	if (pid == 0) {
		thread(idle);
		usleep(10000);
		thread(crash);
		rest();
	}
	reap(pid);
	unlink("/tmp/core");
}

/* --- io_uring --- */

/* One request that may not be tried at once, so that a worker has to be made for it. */
void iouring_scenario(void)
{
	struct io_uring_params p = {0};
	int fd = (int)CHECK(syscall(SYS_io_uring_setup, 1, &p));
	size_t ring = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	unsigned char *sq = check_map(mmap(NULL, ring, PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING),
				      "mmap");
	struct io_uring_sqe *sqe =
		check_map(mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES),
			  "mmap");
	static char block[64];
	int file = (int)CHECK(open("/etc/hostname", O_RDONLY));

	*sqe = (struct io_uring_sqe){.opcode = IORING_OP_READ,
				     .flags = IOSQE_ASYNC,
				     .fd = file,
				     .addr = (unsigned long)block,
				     .len = sizeof(block)};
	*(unsigned *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((unsigned *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	CHECK(syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	usleep(20000);
	here();
	_exit(0);
}
