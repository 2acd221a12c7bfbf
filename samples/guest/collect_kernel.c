/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth about the kernel's own: its log with sequence numbers, its settings, its disks, System
 * V memory of every IPC namespace. */
#define _GNU_SOURCE
#include "guest.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One read is one record; a record that is overwritten while we read is skipped. */
void collect_log_records(void)
{
	static struct text out;
	char record[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	text_clear(&out);
	while ((n = read(fd, record, sizeof(record))) > 0 || (n < 0 && errno == EPIPE))
		if (n > 0)
			text_add(&out, record, (size_t)n);
	tar_add(&out, "sys/kmsg");
	close(fd);
}

struct settings {
	struct text *out;
	const char *folder;
};

static void add_setting(struct text *out, const char *path)
{
	static struct text value;

	if (!text_read(&value, path))
		return;
	text_format(out, "%s\t", path + strlen("/proc/sys/"));
	text_escape(out, value.data, value.length);
	text_add(out, "\n", 1);
}

static void add_settings(struct text *out, const char *folder);

static void add_settings_entry(const char *name, void *arg)
{
	const struct settings *settings = arg;
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", settings->folder, name);
	if (lstat(path, &st) != 0)
		return;
	if (S_ISDIR(st.st_mode))
		add_settings(settings->out, path);
	else if (S_ISREG(st.st_mode) && (st.st_mode & 0444) != 0)
		add_setting(settings->out, path);
}

static void add_settings(struct text *out, const char *folder)
{
	struct settings settings = {.out = out, .folder = folder};

	each_entry(folder, add_settings_entry, &settings);
}

void collect_settings(void)
{
	static struct text out;

	text_clear(&out);
	add_settings(&out, "/proc/sys");
	tar_add(&out, "sys/sysctl");
}

/* A disk's folder has those of its partitions in it. */
static void collect_disk(const char *name, void *arg)
{
	char path[300], target[300];

	(void)arg;
	snprintf(path, sizeof(path), "/sys/block/%s", name);
	snprintf(target, sizeof(target), "sys/block/%s", name);
	tar_tree(path, target, 1);
	snprintf(path, sizeof(path), "/sys/block/%s/device", name);
	snprintf(target, sizeof(target), "sys/block/%s/device", name);
	tar_tree(path, target, 0);
}

void collect_disks(void)
{
	each_entry("/sys/block", collect_disk, NULL);
}

struct spaces {
	uint64_t inodes[64];
	size_t count;
};

static bool is_new(struct spaces *seen, uint64_t inode)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->inodes[i] == inode)
			return false;
	if (seen->count == sizeof(seen->inodes) / sizeof(seen->inodes[0]))
		return false;
	seen->inodes[seen->count++] = inode;
	return true;
}

/* /proc/sysvipc shows the namespace of who reads. */
static void visit_process(const char *name, void *arg)
{
	char path[300];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/ipc", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	CHECK(fstat(fd, &st));
	if (is_new(arg, st.st_ino) && setns(fd, CLONE_NEWIPC) == 0)
		tar_file("/proc/sysvipc/shm", "ipcns/%" PRIu64 "/shm", (uint64_t)st.st_ino);
	close(fd);
}

void collect_ipc_spaces(void)
{
	struct spaces seen = {.count = 0};
	int home = (int)CHECK(open("/proc/self/ns/ipc", O_RDONLY | O_CLOEXEC));

	each_entry("/proc", visit_process, &seen);
	CHECK(setns(home, CLONE_NEWIPC));
	close(home);
}
