/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that wait for different things, and one that has left its process in all but memory. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 128 * 1024 };

static atomic_int resting;
static pthread_mutex_t locked = PTHREAD_MUTEX_INITIALIZER;

static void settle(const char *name)
{
	prctl(PR_SET_NAME, name);
	atomic_fetch_add(&resting, 1);
}

static void *wait_mutex(void *arg)
{
	(void)arg;
	settle("on-a-futex");
	pthread_mutex_lock(&locked);
	return NULL;
}

static void *wait_time(void *arg)
{
	struct timespec day = {.tv_sec = 86400};

	(void)arg;
	settle("sleeper");
	nanosleep(&day, NULL);
	return NULL;
}

static void *wait_pipe(void *arg)
{
	char byte;
	int ends[2];

	(void)arg;
	CHECK(pipe(ends));
	settle("pipe-reader");
	(void)!read(ends[0], &byte, 1);
	return NULL;
}

/* Ids, files, working directory and network namespace are a thread's own; glibc only pretends
 * otherwise. */
static void *differ(void *arg)
{
	(void)arg;
	CHECK(syscall(SYS_unshare, CLONE_FS | CLONE_FILES | CLONE_NEWUTS));
	CHECK(chdir("/tmp"));
	CHECK(open("/etc/hostname", O_RDONLY));
	CHECK(open("/etc/hostname", O_RDONLY));
	CHECK(sethostname("thread-host", 11));
	CHECK(syscall(SYS_setresuid, 1234, 1234, 1234));
	settle("stranger");
	rest();
}

static void *hurry(void *arg)
{
	struct sched_param param = {.sched_priority = 7};

	(void)arg;
	CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_RR, &param));
	/* As many bytes as a name can have. */
	settle("fifteen-letters");
	rest();
}

int threads_main(int argc, char **argv)
{
	static void *(*const bodies[])(void *) = {wait_mutex, wait_time, wait_pipe, differ, hurry};
	enum { COUNT = sizeof(bodies) / sizeof(bodies[0]) };
	pthread_attr_t attr;
	pthread_t thread;

	(void)argc;
	(void)argv;
	pthread_mutex_lock(&locked);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; i < COUNT; i++)
		if (pthread_create(&thread, &attr, bodies[i], NULL) != 0)
			die("no thread");
	while (atomic_load(&resting) < COUNT)
		usleep(10000);
	rest_ready();
}
