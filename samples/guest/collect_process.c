/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth about processes: what /proc/PID says. */
#define _GNU_SOURCE
#include "truth.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PAGEMAP_BATCH = 8192 };

/* /proc/PID/pagemap, Documentation/admin-guide/mm/pagemap.rst. */
#define PM_PRESENT   (UINT64_C(1) << 63)
#define PM_SWAP	     (UINT64_C(1) << 62)
#define PM_FILE	     (UINT64_C(1) << 61)
#define PM_EXCLUSIVE (UINT64_C(1) << 56)
#define PM_FRAME     ((UINT64_C(1) << 55) - 1)

static const char *const process_files[] = {
	"stat",		 "status",
	"statm",	 "comm",
	"cmdline",	 "environ",
	"auxv",		 "maps",
	"smaps",	 "smaps_rollup",
	"mountinfo",	 "mounts",
	"limits",	 "cgroup",
	"loginuid",	 "sessionid",
	"wchan",	 "syscall",
	"stack",	 "personality",
	"oom_score_adj", "coredump_filter",
	"uid_map",	 "gid_map",
	"setgroups",	 "timens_offsets",
	"timers",	 "autogroup",
	"cpuset",	 "io",
	"schedstat",	 "timerslack_ns",
	"attr/current",
};

static const char *const thread_files[] = {
	"stat", "status", "comm", "wchan", "syscall", "stack", "children", "cgroup",
};

static bool is_number(const char *name)
{
	return isdigit((unsigned char)name[0]) != 0;
}

/* A task is named by its folder below /proc: PID, or PID/task/TID. */
static void add_link(struct text *out, const char *task, const char *name)
{
	char path[300];
	size_t start = out->length;

	snprintf(path, sizeof(path), "/proc/%s/%s", task, name);
	text_format(out, "%s\t", name);
	if (text_link(out, path))
		text_add(out, "\n", 1);
	else
		out->length = start;
}

struct links {
	struct text *out;
	const char *task;
};

static void add_ns_link(const char *entry, void *arg)
{
	struct links *links = arg;
	char name[280];

	snprintf(name, sizeof(name), "ns/%s", entry);
	add_link(links->out, links->task, name);
}

static void collect_links(const char *task)
{
	static struct text out;
	struct links links = {.out = &out, .task = task};
	char path[64];

	text_clear(&out);
	add_link(&out, task, "exe");
	add_link(&out, task, "cwd");
	add_link(&out, task, "root");
	snprintf(path, sizeof(path), "/proc/%s/ns", task);
	each_entry(path, add_ns_link, &links);
	tar_add(&out, "proc/%s/links", task);
}

static void add_fd(const char *fd, void *arg)
{
	struct links *links = arg;
	struct text *out = links->out;
	char path[300];
	struct stat target, link;

	snprintf(path, sizeof(path), "/proc/%s/fd/%s", links->task, fd);
	if (stat(path, &target) != 0 || lstat(path, &link) != 0)
		return;
	text_format(out, "%s\t", fd);
	text_link(out, path);
	text_format(out, "\t%x:%x\t%" PRIu64 "\t%o\t%" PRId64 "\t%c%c\t%ju\n", major(target.st_dev),
		    minor(target.st_dev), (uint64_t)target.st_ino, target.st_mode,
		    (int64_t)target.st_size, link.st_mode & S_IRUSR ? 'r' : '-',
		    link.st_mode & S_IWUSR ? 'w' : '-', (uintmax_t)target.st_nlink);
	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", links->task, fd);
	tar_file(path, "proc/%s/fdinfo/%s", links->task, fd);
}

static void collect_files(const char *task)
{
	static struct text out;
	struct links links = {.out = &out, .task = task};
	char path[64];

	text_clear(&out);
	snprintf(path, sizeof(path), "/proc/%s/fd", task);
	each_entry(path, add_fd, &links);
	tar_add(&out, "proc/%s/fd", task);
}

/* Neighbouring pages that lie side by side in memory, too, make one run. */
struct run {
	uint64_t start, end, frame, bits;
};

static uint64_t read_u64(int fd, uint64_t index)
{
	uint64_t value;

	return pread(fd, &value, sizeof(value), (off_t)(index * sizeof(value))) == sizeof(value)
		       ? value
		       : 0;
}

static void end_run(struct text *out, struct run *run, int kpageflags)
{
	if (run->bits & PM_PRESENT)
		text_format(out, "%" PRIx64 "\t%" PRIx64 "\t%" PRIx64 "\t%s%s\t%" PRIx64 "\n",
			    run->start, run->end, run->frame, run->bits & PM_FILE ? "f" : "a",
			    run->bits & PM_EXCLUSIVE ? "x" : "-", read_u64(kpageflags, run->frame));
	else if (run->bits & PM_SWAP)
		text_format(out, "%" PRIx64 "\t%" PRIx64 "\tswap:%" PRIu64 ":%" PRIx64 "\t\t\n",
			    run->start, run->end, run->frame & 31, run->frame >> 5);
	run->bits = 0;
}

static void add_page(struct text *out, struct run *run, uint64_t va, uint64_t entry, int kpageflags)
{
	uint64_t bits = entry & (PM_PRESENT | PM_SWAP | PM_FILE | PM_EXCLUSIVE);
	uint64_t frame = entry & PM_FRAME;
	/* A swap offset starts at bit 5: its runs grow by 32. */
	uint64_t step = bits & PM_SWAP ? 32 : 1;
	uint64_t page = (uint64_t)getpagesize(), pages = (run->end - run->start) / page;

	if (run->bits != 0 && run->bits == bits && run->end == va &&
	    run->frame + pages * step == frame) {
		run->end = va + page;
		return;
	}
	end_run(out, run, kpageflags);
	if (bits & (PM_PRESENT | PM_SWAP))
		*run = (struct run){va, va + page, frame, bits};
}

static void add_mapping(struct text *out, uint64_t start, uint64_t end, int pagemap, int kpageflags)
{
	static uint64_t entries[PAGEMAP_BATCH];
	struct run run = {0};
	uint64_t va = start, page = (uint64_t)getpagesize();

	while (va < end) {
		uint64_t want = (end - va) / page;
		ssize_t n;

		if (want > PAGEMAP_BATCH)
			want = PAGEMAP_BATCH;
		n = pread(pagemap, entries, want * sizeof(entries[0]),
			  (off_t)(va / page * sizeof(entries[0])));
		if (n <= 0)
			break;
		for (size_t i = 0; i < (size_t)n / sizeof(entries[0]); i++, va += page)
			add_page(out, &run, va, entries[i], kpageflags);
	}
	end_run(out, &run, kpageflags);
}

static void collect_pages(const char *task)
{
	static struct text maps, out;
	char path[64];
	int pagemap, kpageflags;
	char *line, *rest;

	snprintf(path, sizeof(path), "/proc/%s/maps", task);
	if (!text_read(&maps, path) || maps.length == 0)
		return;
	text_add(&maps, "", 1);
	snprintf(path, sizeof(path), "/proc/%s/pagemap", task);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	text_clear(&out);
	for (line = strtok_r(maps.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		uint64_t start, end;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && (int64_t)start >= 0)
			add_mapping(&out, start, end, pagemap, kpageflags);
	}
	close(pagemap);
	close(kpageflags);
	tar_add(&out, "proc/%s/pagemap", task);
}

/* What belongs to memory and descriptors rather than to a task. */
static void collect_living(const char *task)
{
	char path[300];

	for (size_t i = 0; i < sizeof(process_files) / sizeof(process_files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s/%s", task, process_files[i]);
		tar_file(path, "proc/%s/%s", task, process_files[i]);
	}
	collect_links(task);
	collect_files(task);
	collect_pages(task);
}

/* A leader that has exited shows nothing of the memory and files that its threads still have. */
static bool is_empty_leader(int pid)
{
	char path[64], target[1];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, target, sizeof(target)) < 0;
}

static void collect_thread(const char *tid, void *arg)
{
	int pid = *(const int *)arg;
	char path[300], task[64];

	snprintf(task, sizeof(task), "%d/task/%d", pid, atoi(tid));
	if (atoi(tid) != pid && is_empty_leader(pid))
		collect_living(task);
	for (size_t i = 0; i < sizeof(thread_files) / sizeof(thread_files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%s/%s", task, thread_files[i]);
		tar_file(path, "proc/%s/%s", task, thread_files[i]);
	}
}

void collect_process(int pid)
{
	char path[64], task[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	/* A kernel thread may have ended since we listed it. */
	if (access(path, R_OK) != 0)
		return;
	snprintf(task, sizeof(task), "%d", pid);
	collect_living(task);
	collect_sockets(pid);
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	each_entry(path, collect_thread, &pid);
}

static void collect_entry(const char *name, void *arg)
{
	(void)arg;
	/* Our own process comes last: it is the one that moves. */
	if (is_number(name) && atoi(name) != getpid())
		collect_process(atoi(name));
}

void collect_processes(void)
{
	each_entry("/proc", collect_entry, NULL);
	collect_process(getpid());
}

/* Which mount namespaces were seen; a guest has a handful. */
struct seen {
	uint64_t inodes[64];
	size_t count;
};

static bool first_sight(struct seen *seen, uint64_t inode)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->inodes[i] == inode)
			return false;
	if (seen->count < sizeof(seen->inodes) / sizeof(seen->inodes[0]))
		seen->inodes[seen->count++] = inode;
	return true;
}

/* statfs() of a mount, unless another one lies over its mount point. */
static void add_mount_sizes(struct text *out, const char *process, const char *line)
{
	unsigned id, major_number, minor_number;
	struct statfs sizes;
	struct stat st;
	char point[4096], path[4200];

	if (sscanf(line, "%u %*u %u:%u %*s %4095s", &id, &major_number, &minor_number, point) != 4)
		return;
	snprintf(path, sizeof(path), "/proc/%s/root%s", process, point);
	if (stat(path, &st) != 0 || st.st_dev != makedev(major_number, minor_number) ||
	    statfs(path, &sizes) != 0)
		return;
	const uint64_t numbers[] = {(uint64_t)sizes.f_bsize, sizes.f_blocks, sizes.f_bfree,
				    sizes.f_bavail,	     sizes.f_files,  sizes.f_ffree};

	text_format(out, "%u", id);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		text_format(out, "\t%" PRIu64, numbers[i]);
	text_format(out, "\n");
}

static void collect_mount_sizes(const char *process, uint64_t inode)
{
	static struct text mounts, out;
	char path[300], *line, *rest;

	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	if (!text_read(&mounts, path))
		return;
	text_add(&mounts, "", 1);
	text_clear(&out);
	for (line = strtok_r(mounts.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		add_mount_sizes(&out, process, line);
	tar_add(&out, "mntns/%" PRIu64 "/statfs", inode);
}

static void collect_mount_space(const char *name, void *arg)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", name);
	if (!is_number(name) || stat(path, &st) != 0 || !first_sight(arg, st.st_ino))
		return;
	snprintf(path, sizeof(path), "/proc/%s/mounts", name);
	tar_file(path, "mntns/%" PRIu64 "/mounts", (uint64_t)st.st_ino);
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", name);
	tar_file(path, "mntns/%" PRIu64 "/mountinfo", (uint64_t)st.st_ino);
	collect_mount_sizes(name, st.st_ino);
}

void collect_mount_spaces(void)
{
	struct seen seen = {.count = 0};

	each_entry("/proc", collect_mount_space, &seen);
}
