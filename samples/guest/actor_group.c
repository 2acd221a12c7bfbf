/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How processes belong together: control groups, sessions, scheduling, System V IPC. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CGROUP		      "/sys/fs/cgroup/guest.slice"
#define KEY_SPEC_USER_KEYRING (-4)

int grouped_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(mkdir(CGROUP, 0755));
	CHECK(mkdir(CGROUP "/app.scope", 0755));
	CHECK(write_file(CGROUP "/app.scope/cgroup.procs", "0"));
	if (fork_quiet() == 0) {
		prctl(PR_SET_NAME, "grouped-child");
		rest();
	}
	rest_ready();
}

/* The pipe goes from the job in front to the one behind: each keeps one end. */
static void start_job(const char *name, bool in_front, const int *ends)
{
	if (fork_quiet() == 0) {
		prctl(PR_SET_NAME, name);
		CHECK(setpgid(0, 0));
		signal(SIGTTOU, SIG_IGN);
		CHECK(close(ends[in_front ? 0 : 1]));
		if (in_front)
			CHECK(tcsetpgrp(STDIN_FILENO, getpid()));
		rest();
	}
}

static void await_foreground(void)
{
	for (int i = 0; i < 1000; i++) {
		if (tcgetpgrp(STDIN_FILENO) != getpgrp())
			return;
		usleep(10000);
	}
	die("no job in the foreground");
}

int session_main(int argc, char **argv)
{
	int master = (int)CHECK(posix_openpt(O_RDWR | O_NOCTTY)), terminal;
	int ends[2];

	(void)argc;
	(void)argv;
	CHECK(grantpt(master));
	CHECK(unlockpt(master));
	CHECK(setsid());
	terminal = (int)CHECK(open(ptsname(master), O_RDWR));
	CHECK(ioctl(terminal, TIOCSCTTY, 0));
	CHECK(dup2(terminal, STDIN_FILENO));
	CHECK(pipe(ends));
	fill(ends[1], "job to job");
	start_job("job-foreground", true, ends);
	start_job("job-background", false, ends);
	CHECK(close(ends[0]));
	CHECK(close(ends[1]));
	await_foreground();
	rest_ready();
}

static void start_policy(const char *name, int policy, int priority, int nice_value)
{
	struct sched_param param = {.sched_priority = priority};

	if (fork_quiet() == 0) {
		prctl(PR_SET_NAME, name);
		CHECK(sched_setscheduler(0, policy, &param));
		if (nice_value != 0)
			CHECK(setpriority(PRIO_PROCESS, 0, nice_value));
		rest();
	}
}

int sched_main(int argc, char **argv)
{
	cpu_set_t one;

	(void)argc;
	(void)argv;
	start_policy("fifo", SCHED_FIFO, 42, 0);
	start_policy("batch", SCHED_BATCH, 0, 5);
	start_policy("idle", SCHED_IDLE, 0, 0);
	start_policy("nice-minus", SCHED_OTHER, 0, -11);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one));
	CHECK(setpriority(PRIO_PROCESS, 0, 19));
	CHECK(write_file("/proc/self/oom_score_adj", "-500"));
	CHECK(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)));
	rest_ready();
}

/* On the second CPU, while nobody else wants it. */
int spinner_main(int argc, char **argv)
{
	struct sched_param param = {.sched_priority = 0};
	cpu_set_t one;
	sigset_t start;
	int signal_number;

	(void)argc;
	(void)argv;
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	CHECK(sched_setaffinity(0, sizeof(one), &one));
	CHECK(sched_setscheduler(0, SCHED_IDLE, &param));
	sigemptyset(&start);
	sigaddset(&start, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &start, NULL));
	ready();
	/* The collector needs the CPUs first. */
	sigwait(&start, &signal_number);
	for (;;)
		;
}

static void make_messages(void)
{
	struct {
		long type;
		char text[16];
	} message = {.type = 3, .text = "unread message"};
	int queue = (int)CHECK(msgget(0x4d534731, IPC_CREAT | 0620));

	CHECK(msgsnd(queue, &message, sizeof(message.text), 0));
}

static void make_shared_memory(void)
{
	int kept = (int)CHECK(shmget(0x53484d31, 3 * 4096, IPC_CREAT | 0640));
	int doomed = (int)CHECK(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
	char *p = shmat(kept, NULL, 0), *q = shmat(doomed, NULL, SHM_RDONLY);

	if (p == (void *)-1 || q == (void *)-1)
		die("cannot attach shared memory");
	strcpy(p, "System V shared memory");
	CHECK(shmctl(doomed, IPC_RMID, NULL));
	/* A segment that nobody has attached, one that is locked, and a hole in the ids. */
	CHECK(shmget(0x53484d32, 8192, IPC_CREAT | 0600));
	CHECK(shmctl((int)CHECK(shmget(0x53484d34, 4096, IPC_CREAT | 0600)), IPC_RMID, NULL));
	CHECK(shmctl((int)CHECK(shmget(0x53484d33, 4096, IPC_CREAT | 0606)), SHM_LOCK, NULL));
}

int ipc_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	make_shared_memory();
	make_messages();
	CHECK(semget(0x53454d31, 5, IPC_CREAT | 0600));
	CHECK(syscall(SYS_add_key, "user", "guest:key", "secret", 6, KEY_SPEC_USER_KEYRING));
	rest_ready();
}
