/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that are dead, half dead, stopped, watched or orphaned. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void await_state(int pid, char state)
{
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 6000; i++) {
		int fd = (int)CHECK(open(path, O_RDONLY | O_CLOEXEC));
		ssize_t n = CHECK(read(fd, line, sizeof(line) - 1));
		char *after;

		close(fd);
		line[n] = '\0';
		after = strrchr(line, ')');
		if (after != NULL && after[2] == state)
			return;
		usleep(10000);
	}
	die("%d never came to state %c", pid, state);
}

int zombies_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int quick = fork_quiet();

	if (quick == 0) {
		prctl(PR_SET_NAME, "zombie-exit");
		_exit(42);
	}
	int killed = fork_quiet();

	if (killed == 0) {
		prctl(PR_SET_NAME, "zombie-kill");
		rest();
	}
	usleep(50000);
	CHECK(kill(killed, SIGKILL));
	await_state(quick, 'Z');
	await_state(killed, 'Z');
	rest_ready();
}

static void *live_on(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "leader-live");
	await_state(getpid(), 'Z');
	rest_ready();
}

int leader_main(int argc, char **argv)
{
	pthread_t thread;

	(void)argc;
	(void)argv;
	if (pthread_create(&thread, NULL, live_on, NULL) != 0)
		die("no thread");
	pthread_exit(NULL);
}

int stopped_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	ready();
	raise(SIGSTOP);
	rest();
}

int tracer_main(int argc, char **argv)
{
	int stopped = fork_quiet(), running;

	(void)argc;
	(void)argv;
	if (stopped == 0) {
		prctl(PR_SET_NAME, "traced-stopped");
		CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGUSR1);
		rest();
	}
	running = fork_quiet();
	if (running == 0) {
		prctl(PR_SET_NAME, "traced-running");
		rest();
	}
	CHECK(ptrace(PTRACE_SEIZE, running, NULL, NULL));
	await_state(stopped, 't');
	rest_ready();
}

int vforker_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	/* The child runs in our memory while we wait in the kernel; only calls that leave our stack
	 * alone. */
	if (vfork() == 0) {
		prctl(PR_SET_NAME, "vforked");
		rest_ready();
	}
	return 1;
}

int daemon_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (CHECK(fork()) > 0)
		_exit(0);
	CHECK(setsid());
	if (CHECK(fork()) > 0)
		_exit(0);
	CHECK(chdir("/"));
	while (getppid() != 1)
		usleep(10000);
	rest_ready();
}
