/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forks, execs, threads, files and mappings without end: what a dump of a running guest is torn by.
 */
#define _GNU_SOURCE
#include "scenario.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 6, KIDS = 8, FILES = 40, MAPPINGS = 24, PAGES = 16 };

static void fork_some(void)
{
	for (int i = 0; i < KIDS; i++)
		if (fork() == 0)
			_exit(0);
	while (wait(NULL) > 0)
		;
}

static void exec_one(void)
{
	char *argv[] = {PROGRAM, NULL};
	int pid = fork();

	if (pid == 0) {
		execv(PROGRAM, argv);
		_exit(1);
	}
	while (wait(NULL) > 0)
		;
}

static void *nothing(void *arg)
{
	usleep(1000);
	return arg;
}

static void thread_some(void)
{
	pthread_t threads[KIDS];
	int n = 0;

	while (n < KIDS && pthread_create(&threads[n], NULL, nothing, NULL) == 0)
		n++;
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

static void open_some(void)
{
	int fds[FILES];

	for (int i = 0; i < FILES; i++)
		fds[i] = i % 2 ? open("/etc/hostname", O_RDONLY) : dup(0);
	for (int i = 0; i < FILES; i++)
		close(fds[i]);
}

static void map_some(void)
{
	char *at[MAPPINGS];
	size_t size = PAGES * 4096;

	for (int i = 0; i < MAPPINGS; i++) {
		at[i] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (at[i] == MAP_FAILED)
			continue;
		for (size_t page = 0; page < size; page += 4096)
			at[i][page] = 1;
		mprotect(at[i] + size / 2, 4096, PROT_READ);
	}
	for (int i = 0; i < MAPPINGS; i++)
		if (at[i] != MAP_FAILED)
			munmap(at[i], size);
}

static void rage(unsigned seed)
{
	static void (*const acts[])(void) = {fork_some, exec_one, thread_some, open_some, map_some};

	for (;;)
		acts[(unsigned)rand_r(&seed) % (sizeof(acts) / sizeof(acts[0]))]();
}

void storm_scenario(void)
{
	for (unsigned i = 1; i < WORKERS; i++)
		if (named_child("i-storm") == 0)
			rage(i);
	rage(0);
}
