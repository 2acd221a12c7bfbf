/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs of a test guest share. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>

/* An actor brings itself into a state worth finding, then stays there. */
typedef int actor_main(int argc, char **argv);

#define ACTORS                                                                                     \
	ACTOR(threads, "named threads, one with identity and files of its own")                    \
	ACTOR(zombies, "two zombies: one exited, one was killed")                                  \
	ACTOR(leader, "zombie leader with a live thread")                                          \
	ACTOR(stopped, "stopped by SIGSTOP")                                                       \
	ACTOR(tracer, "traces one stopped and one running process")                                \
	ACTOR(vforker, "waits for a vfork child that shares its memory")                           \
	ACTOR(daemon, "daemonised by a double fork")                                               \
	ACTOR(user, "an ordinary user")                                                            \
	ACTOR(ids, "real, effective, saved and file ids all differ")                               \
	ACTOR(renamed, "renamed by prctl")                                                         \
	ACTOR(disguised, "looks like a kernel thread")                                             \
	ACTOR(hollow, "user process with a kernel thread's name and no argv")                      \
	ACTOR(odd, "name and arguments that are no text")                                          \
	ACTOR(long, "arguments and environment of several pages")                                  \
	ACTOR(dynamic, "position-independent, with shared libraries, from a disk")                 \
	ACTOR(gone, "its executable is deleted")                                                   \
	ACTOR(memfdexe, "its executable is a memfd")                                               \
	ACTOR(files, "every kind of file descriptor")                                              \
	ACTOR(manyfds, "more than 64 descriptors, with gaps")                                      \
	ACTOR(maps, "every kind of mapping")                                                       \
	ACTOR(tcp, "TCP sockets in every state")                                                   \
	ACTOR(tcp6, "TCP sockets over IPv6")                                                       \
	ACTOR(sockets, "UDP, raw, packet, netlink and ping sockets")                               \
	ACTOR(unixes, "unix sockets")                                                              \
	ACTOR(space, "first process of a second set of namespaces")                                \
	ACTOR(userns, "user namespace of its own")                                                 \
	ACTOR(chrooted, "lives in a chroot")                                                       \
	ACTOR(grouped, "lives in a cgroup of its own")                                             \
	ACTOR(session, "session with a terminal and two jobs")                                     \
	ACTOR(sched, "nice, FIFO, batch and idle scheduling")                                      \
	ACTOR(ipc, "System V shared memory, semaphores, messages and a key")                       \
	ACTOR(logger, "records of its own in the kernel's log")                                    \
	ACTOR(logins, "users who have logged in")                                                  \
	ACTOR(partition, "a partition of the disk")                                                \
	ACTOR(spinner, "runs at the end; only where a guest is to have a busy CPU")                \
	ACTOR(timewait, "leaves TCP sockets in TIME_WAIT; comes last, they live for a minute")

#define ACTOR(name, idea) actor_main name##_main;
ACTORS
#undef ACTOR

#define ACTOR_DIR "/opt/guest/"
enum { READY_FD = 9 };

int workload_main(int argc, char **argv);
int collect_main(int argc, char **argv);
int network_main(int argc, char **argv);

/* Ends the program with a message on the console and the control port. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A call that must not fail, e.g. CHECK(listen(fd, 1)). */
long check(long result, const char *what, const char *file, int line);
#define CHECK(expr) check((long)(expr), #expr, __FILE__, __LINE__)

void *check_map(void *address, const char *what);

/* Tells who started us that our state is final. */
void ready(void);
_Noreturn void rest(void);
_Noreturn void rest_ready(void);

/* Forks; the child dies with nobody and inherits no ready pipe. */
int fork_quiet(void);

/* Starts ACTOR_DIR/name and waits until it is ready; returns its PID. */
int start_actor(const char *name, char *const argv[], char *const envp[]);
int start_program(const char *path, char *const argv[], char *const envp[]);

/* As start_actor, for code that wants to be a child of its own kind. */
int start_child(void (*body)(void *arg), void *arg);

int write_file(const char *path, const char *text);
void fill(int fd, const char *text);
void copy_file(const char *from, const char *to, int mode);

#endif
