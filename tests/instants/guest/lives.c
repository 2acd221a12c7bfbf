/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that are born, execute programs and die. */
#define _GNU_SOURCE
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void here(void)
{
	(void)getpgid(0);
}

static char state_of(int pid)
{
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = (int)CHECK(open(path, O_RDONLY | O_CLOEXEC));
	ssize_t n = CHECK(read(fd, line, sizeof(line) - 1));

	close(fd);
	line[n] = '\0';
	char *after = strrchr(line, ')');
	return after != NULL ? after[2] : '?';
}

void await_zombie(int pid)
{
	while (state_of(pid) != 'Z')
		usleep(20000); /* each look closes a file, which may be a stop that is not meant */
	usleep(20000);
}

void reap(int pid)
{
	CHECK(waitpid(pid, NULL, 0));
}

int named_child(const char *name)
{
	int ends[2], pid;
	char none;

	CHECK(pipe2(ends, O_CLOEXEC));
	pid = (int)CHECK(fork());
	if (pid == 0)
		prctl(PR_SET_NAME, name);
	CHECK(close(ends[1]));
	if (pid != 0)
		CHECK(read(ends[0], &none, 1)); /* nothing, once the child has closed its end */
	CHECK(close(ends[0]));
	return pid;
}

void fork_scenario(void)
{
	int pid = named_child("i-kid");

	if (pid == 0) {
		/* Closed at exit, by the task's own deferred work. */
		CHECK(open("/etc/hostname", O_RDONLY));
		here();
		_exit(7);
	}
	await_zombie(pid);
	reap(pid);
}

void exec_scenario(void)
{
	char *argv[] = {PROGRAM, "one", "two words", NULL}, *envp[] = {"A=b", NULL};
	int pid = named_child("i-kid");

	if (pid == 0) {
		execve(PROGRAM, argv, envp);
		_exit(1);
	}
	reap(pid);
}

void autoreap_scenario(void)
{
	signal(SIGCHLD, SIG_IGN);
	if (named_child("i-kid") == 0)
		_exit(0);
	while (wait(NULL) > 0)
		;
}

void killed_scenario(void)
{
	int pid = named_child("i-kid");

	if (pid == 0)
		rest();
	usleep(20000);
	CHECK(kill(pid, SIGKILL));
	await_zombie(pid);
	reap(pid);
}

void vforked_scenario(void)
{
	/* Calls that leave the stack, which is the parent's too, as it was. */
	int pid = vfork();

	if (pid == 0) {
		prctl(PR_SET_NAME, "i-kid");
		here();
		_exit(0);
	}
	await_zombie(pid);
	reap(pid);
}

/* The tracer is a brother: what it waits for is not its child. */
void traced_scenario(void)
{
	int child = named_child("i-kid");

	if (child == 0)
		rest();
	int tracer = named_child("i-tracer");
	if (tracer == 0) {
		CHECK(ptrace(PTRACE_SEIZE, child, NULL, NULL));
		CHECK(kill(child, SIGKILL));
		await_zombie(child);
		CHECK(waitpid(child, NULL, 0));
		_exit(0);
	}
	reap(tracer);
	reap(child);
}

void umh_scenario(void)
{
	CHECK(write_file("/proc/sys/kernel/modprobe", PROGRAM));
	/* A family that no kernel has and whose number none forbids: request_module("net-pf-%d").
	 */
	if (socket(AF_ROSE, SOCK_SEQPACKET, 0) >= 0)
		die("a socket of AF_ROSE");
}

void kthread_scenario(void)
{
	mkdir("/data", 0755);
	CHECK(mount("/dev/vda", "/data", "ext4", 0, NULL));
	usleep(50000);
	CHECK(umount("/data"));
}
