/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads without end, of which series of snapshots are taken: busy CPUs, and a web server. */
#define _GNU_SOURCE
#include "scenario.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUSY = 4, CLIENTS = 4, PORT = 80, REST_US = 2000 };

/* --- CPUs --- */

static void compute(void)
{
	volatile unsigned long sum = 0;

	for (unsigned long i = 1;; i++)
		sum += i * i;
}

void busy_scenario(void)
{
	for (int i = 1; i < BUSY; i++)
		if (named_child("i-busy") == 0)
			compute();
	compute();
}

/* --- a web server: it forks for every connection --- */

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = (int)CHECK(socket(AF_INET, SOCK_DGRAM, 0));

	CHECK(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void start_server(void)
{
	char *argv[] = {"httpd", "-f", "-p", "127.0.0.1:80", "-h", "/etc", NULL};

	if (named_child("i-server") == 0) {
		execv("/bin/httpd", argv);
		die("no /bin/httpd");
	}
}

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = (int)CHECK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* True if the server has answered. */
static int fetch(void)
{
	static const char request[] = "GET /hostname HTTP/1.0\r\n\r\n";
	char answer[4096];
	int fd = dial();
	ssize_t got = 0, n;

	if (fd < 0)
		return 0;
	if (write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1)
		while ((n = read(fd, answer, sizeof(answer))) > 0)
			got += n;
	close(fd);
	return got > 0;
}

static void fetch_forever(void)
{
	for (;;) {
		(void)fetch();
		usleep(REST_US);
	}
}

void web_scenario(void)
{
	raise_loopback();
	start_server();
	while (!fetch())
		usleep(100000);
	for (int i = 1; i < CLIENTS; i++)
		if (named_child("i-client") == 0)
			fetch_forever();
	fetch_forever();
}
