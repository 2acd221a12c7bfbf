/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What belongs to the machine and to nobody: records of the kernel's log, logins, a partition. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utmp.h>

/* Each write is a record; what comes before it in <> is its priority and facility. */
static void write_record(int fd, const char *record)
{
	CHECK(write(fd, record, strlen(record)));
}

static void write_long_record(int fd)
{
	static char record[901];

	memset(record, 'L', sizeof(record) - 1);
	memcpy(record, "<28>guest long ", 15);
	write_record(fd, record);
}

int logger_main(int argc, char **argv)
{
	int fd = (int)CHECK(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));

	(void)argc;
	(void)argv;
	/* Or it slows us down after ten records. */
	(void)write_file("/proc/sys/kernel/printk_devkmsg", "on");
	write_record(fd, "<14>guest: of the user, informational");
	write_record(fd, "<3>guest: facility of the kernel is not ours to give");
	write_record(fd, "<191>guest: the highest facility and priority");
	write_record(fd, "guest: no priority");
	write_record(fd, "<30>guest: two\nlines");
	write_record(fd, "<30>guest: esc \x1b[31m tab\t backslash \\ and \xff\xfe");
	write_record(fd, "<30>guest: gr\xc3\xbc\xc3\x9f");
	write_long_record(fd);
	close(fd);
	rest_ready();
}

static void fill_record(struct utmp *record, short type, int pid, const char *user)
{
	memset(record, 0, sizeof(*record));
	record->ut_type = type;
	record->ut_pid = pid;
	strncpy(record->ut_user, user, sizeof(record->ut_user));
}

static void place_record(struct utmp *record, const char *line, const char *host, int seconds)
{
	strncpy(record->ut_line, line, sizeof(record->ut_line));
	strncpy(record->ut_host, host, sizeof(record->ut_host));
	record->ut_tv.tv_sec = seconds;
	record->ut_tv.tv_usec = 123456;
}

static void write_login(int fd, const struct utmp *record)
{
	if (write(fd, record, sizeof(*record)) != (ssize_t)sizeof(*record))
		die("short write of a login");
}

static void write_logins(const char *path, int pid)
{
	int fd = (int)CHECK(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0664));
	struct utmp record;

	fill_record(&record, BOOT_TIME, 0, "reboot");
	place_record(&record, "~", "6.1.0-guest", 1700000000);
	write_login(fd, &record);
	fill_record(&record, USER_PROCESS, pid, "user");
	place_record(&record, "pts/0", "192.0.2.17", 1700000100);
	write_login(fd, &record);
	/* Names that fill their field have no final zero. */
	fill_record(&record, USER_PROCESS, pid, "a-name-of-thirty-two-characters-");
	place_record(&record, "tty1", "", 1700000200);
	write_login(fd, &record);
	fill_record(&record, DEAD_PROCESS, 4321, "");
	place_record(&record, "pts/1", "", 1700000300);
	write_login(fd, &record);
	fill_record(&record, LOGIN_PROCESS, 4322, "LOGIN");
	place_record(&record, "tty2", "", 1700000400);
	write_login(fd, &record);
	close(fd);
}

int logins_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mkdir("/var", 0755);
	mkdir("/var/log", 0755);
	CHECK(symlink("/run", "/var/run"));
	write_logins("/run/utmp", getpid());
	write_logins("/var/log/wtmp", getpid());
	rest_ready();
}

/* Told to the kernel alone: the disk has no table of partitions. */
int partition_main(int argc, char **argv)
{
	struct blkpg_partition part = {.start = 1 << 20, .length = 2 << 20, .pno = 1};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_ADD_PARTITION, .datalen = sizeof(part), .data = &part};
	int fd = (int)CHECK(open("/dev/vda", O_RDONLY | O_CLOEXEC));

	(void)argc;
	(void)argv;
	(void)ioctl(fd, BLKPG, &arg);
	close(fd);
	rest_ready();
}
