/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A second set of namespaces, as a container has it; a user namespace; a chroot. */
#define _GNU_SOURCE
#include "guest.h"
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum {
	SPACES = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
		 CLONE_NEWCGROUP
};

static struct sockaddr_in space_address(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(SPACE_PORT)};

	CHECK(inet_pton(AF_INET, SPACE_ADDRESS, &a.sin_addr));
	return a;
}

static void enter(int network)
{
	CHECK(setns(network, CLONE_NEWNET));
}

/* Both ends are made from inside; va is born in the namespace that we came from. */
static void make_wire(int home, int space)
{
	link_up("lo");
	link_add_veth("vb", "02:00:00:00:77:02", "va", "02:00:00:00:77:01", home);
	address_add("vb", SPACE_ADDRESS, 24, NULL, NULL);
	address_add("vb", SPACE_ADDRESS6, 64, NULL, NULL);
	link_up("vb");
	enter(home);
	address_add("va", HOME_ADDRESS, 24, NULL, NULL);
	address_add("va", HOME_ADDRESS6, 64, NULL, NULL);
	link_up("va");
	neighbour_add("va", NOBODY_ADDRESS, "02:00:00:00:77:99");
	neighbour_add("va", SPACE_ADDRESS, "02:00:00:00:77:02");
	enter(space);
	neighbour_add("vb", HOME_ADDRESS, "02:00:00:00:77:01");
	route_add("vb", "0.0.0.0", 0, HOME_ADDRESS);
}

static void make_mounts(void)
{
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(mkdir("/mnt/inner", 0755));
	CHECK(mount("inner-tmpfs", "/mnt/inner", "tmpfs", MS_NOSUID | MS_NODEV,
		    "size=1m,mode=700"));
	CHECK(mkdir("/mnt/inner/a b", 0755));
	CHECK(mount("/etc", "/mnt/inner/a b", NULL, MS_BIND, NULL));
	CHECK(mount(NULL, "/mnt/inner/a b", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	CHECK(mkdir("/mnt/inner/proc", 0755));
	CHECK(mount("proc", "/mnt/inner/proc", "proc", MS_NOSUID | MS_NOEXEC, NULL));
	CHECK(mkdir("/mnt/inner/new\nline", 0755));
	CHECK(mount("odd source", "/mnt/inner/new\nline", "tmpfs", MS_RDONLY, "size=4k"));
	/* Two on one folder: the first is hidden. */
	CHECK(mount("hidden", "/mnt/inner/new\nline", "tmpfs", MS_SYNCHRONOUS | MS_NOATIME,
		    "size=8k"));
}

/* The same names as outside mean other things here. */
static void open_sockets(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0abstract\0name"};
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(5000)};
	int fd = (int)CHECK(socket(AF_UNIX, SOCK_DGRAM, 0));

	CHECK(bind(fd, (struct sockaddr *)&name, offsetof(struct sockaddr_un, sun_path) + 14));
	fd = (int)CHECK(socket(AF_INET6, SOCK_DGRAM, 0));
	CHECK(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	fd = (int)CHECK(socket(AF_INET6, SOCK_STREAM, 0));
	CHECK(bind(fd, (struct sockaddr *)&any, sizeof(any)));
	CHECK(listen(fd, 1));
	CHECK(socket(AF_PACKET, SOCK_RAW, 0));
	CHECK(shmget(0x53484d31, 4096, IPC_CREAT | 0600));
}

static void use_file(void)
{
	int fd = (int)CHECK(open("/mnt/inner/inside", O_RDWR | O_CREAT, 0600));

	fill(fd, "seen from inside only\n");
	CHECK(chdir("/mnt/inner/a b"));
}

/* First process of the new PID namespace: serves one connection from outside. */
static void inner(void *arg)
{
	struct sockaddr_in a = space_address();
	int listening = (int)CHECK(socket(AF_INET, SOCK_STREAM, 0)), fd;

	(void)arg;
	prctl(PR_SET_NAME, "inner-init");
	CHECK(sethostname("inner", 5));
	CHECK(setdomainname("inner.example", 13));
	make_mounts();
	use_file();
	open_sockets();
	CHECK(bind(listening, (struct sockaddr *)&a, sizeof(a)));
	CHECK(listen(listening, 5));
	if (fork_quiet() == 0) {
		prctl(PR_SET_NAME, "inner-child");
		CHECK(setresuid(3000, 3000, 3000));
		rest();
	}
	ready();
	fd = (int)CHECK(accept(listening, NULL, NULL));
	fill(fd, "from inside");
	rest();
}

/* The sockets belong to the outer network, their process to the inner one. */
static void call_inside(int home, int space)
{
	struct sockaddr_in a = space_address();
	char part[4];
	int fd;

	enter(home);
	fd = (int)CHECK(socket(AF_INET, SOCK_STREAM, 0));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	CHECK(recv(fd, part, sizeof(part), MSG_WAITALL));
	fill(fd, "from outside");
	/* A second one that nobody accepts. */
	fd = (int)CHECK(socket(AF_INET, SOCK_STREAM, 0));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	fill(fd, "still waiting");
	enter(space);
}

int space_main(int argc, char **argv)
{
	int home = (int)CHECK(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)), space;

	(void)argc;
	(void)argv;
	CHECK(unshare(SPACES));
	/* Since 5.6; it takes effect for children. */
	(void)unshare(CLONE_NEWTIME);
	space = (int)CHECK(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	make_wire(home, space);
	start_child(inner, NULL);
	call_inside(home, space);
	rest_ready();
}

/* Root inside, an ordinary user outside. */
int userns_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(setresgid(1000, 1000, 1000));
	CHECK(setresuid(1000, 1000, 1000));
	/* Changing ids makes our files of /proc root's. */
	CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNET));
	CHECK(write_file("/proc/self/uid_map", "0 1000 1"));
	CHECK(write_file("/proc/self/setgroups", "deny"));
	CHECK(write_file("/proc/self/gid_map", "0 1000 1"));
	CHECK(setresuid(0, 0, 0));
	link_up("lo");
	rest_ready();
}

int chrooted_main(int argc, char **argv)
{
	int above;

	(void)argc;
	(void)argv;
	CHECK(mkdir("/tmp/jail", 0755));
	CHECK(mkdir("/tmp/jail/home", 0755));
	above = (int)CHECK(open("/etc/hostname", O_RDONLY));
	CHECK(chroot("/tmp/jail"));
	CHECK(chdir("/home"));
	CHECK(open("/home", O_RDONLY | O_DIRECTORY));
	CHECK(lseek(above, 1, SEEK_SET));
	rest_ready();
}
