/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sends the ground truth of the whole guest to the host, says so, and rests. */
#define _GNU_SOURCE
#include "guest.h"
#include "truth.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { SYSLOG_ACTION_READ_ALL = 3, SYSLOG_ACTION_SIZE_BUFFER = 10 };

/* What does not move any more goes out first. */
static const char *const still_files[] = {
	"cmdline",  "version", "cpuinfo",     "devices",     "dma",	   "filesystems",
	"iomem",    "ioports", "misc",	      "mtrr",	     "partitions", "cgroups",
	"consoles", "crypto",  "execdomains", "tty/drivers", "tty/ldiscs",
};

static const char *const moving_files[] = {
	"modules",     "mounts",      "swaps",	    "locks",	   "keys",	"key-users",
	"meminfo",     "stat",	      "loadavg",    "vmstat",	   "zoneinfo",	"buddyinfo",
	"slabinfo",    "interrupts",  "softirqs",   "vmallocinfo", "diskstats", "sysvipc/shm",
	"sysvipc/sem", "sysvipc/msg", "timer_list", "uptime",
};

static const char *const other_files[] = {
	"/proc/sys/kernel/hostname",
	"/proc/sys/kernel/domainname",
	"/proc/sys/kernel/ostype",
	"/proc/sys/kernel/osrelease",
	"/proc/sys/kernel/version",
	"/proc/sys/kernel/tainted",
	"/proc/sys/kernel/pid_max",
	"/proc/sys/kernel/random/boot_id",
	"/proc/sys/kernel/core_pattern",
	"/proc/sys/kernel/kptr_restrict",
	"/proc/sys/vm/nr_hugepages",
	"/proc/sys/net/ipv4/ip_forward",
	"/sys/kernel/notes",
	"/sys/kernel/vmcoreinfo",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/devices/system/cpu/online",
	"/sys/devices/system/clocksource/clocksource0/current_clocksource",
	"/etc/passwd",
	"/etc/group",
	"/run/utmp",
	"/var/log/wtmp",
	"/etc/hostname",
	"/etc/os-release",
};

static void collect_other_file(const char *path)
{
	char name[128];
	char *slash;

	/* /proc/sys/kernel/hostname becomes sys/proc.sys.kernel.hostname: one flat folder. */
	snprintf(name, sizeof(name), "%s", path + 1);
	while ((slash = strchr(name, '/')) != NULL)
		*slash = '.';
	tar_file(path, "sys/%s", name);
}

static void collect_proc(const char *const *names, size_t count)
{
	char path[128];

	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%s", names[i]);
		tar_file(path, "sys/%s", names[i]);
	}
}

static void add_name(const char *name, void *arg)
{
	text_format(arg, "%s\n", name);
}

static void collect_names(const char *folder, const char *name)
{
	static struct text out;

	text_clear(&out);
	each_entry(folder, add_name, &out);
	tar_add(&out, "%s", name);
}

static void collect_module(const char *name)
{
	char path[256], target[160];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	snprintf(target, sizeof(target), "modules/%s", name);
	tar_tree(path, target, 1);
	snprintf(path, sizeof(path), "/sys/module/%s/holders", name);
	snprintf(target, sizeof(target), "modules/%s/holders", name);
	collect_names(path, target);
}

static void collect_modules(void)
{
	struct text list = {0};
	char *line, *rest;

	if (!text_read(&list, "/proc/modules"))
		return;
	text_add(&list, "", 1);
	for (line = strtok_r(list.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line[strcspn(line, " ")] = '\0';
		collect_module(line);
	}
}

static void collect_kernel_log(void)
{
	static char log[1 << 20];
	struct text out = {.data = log};
	int n = klogctl(SYSLOG_ACTION_READ_ALL, log, sizeof(log));

	if (n < 0)
		return;
	out.length = (size_t)n;
	tar_add(&out, "sys/dmesg");
}

static void collect_uname(void)
{
	static struct text out;
	struct utsname u;

	CHECK(uname(&u));
	text_clear(&out);
	text_format(&out, "sysname\t%s\nnodename\t%s\nrelease\t%s\n", u.sysname, u.nodename,
		    u.release);
	text_format(&out, "version\t%s\nmachine\t%s\ndomainname\t%s\n", u.version, u.machine,
		    u.domainname);
	tar_add(&out, "sys/uname");
}

static void add_clock(struct text *out, const char *name, clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) == 0)
		text_format(out, "%s\t%" PRId64 ".%09ld\n", name, (int64_t)t.tv_sec, t.tv_nsec);
}

static void collect_clocks(const char *name)
{
	static struct text out;

	text_clear(&out);
	add_clock(&out, "realtime", CLOCK_REALTIME);
	add_clock(&out, "monotonic", CLOCK_MONOTONIC);
	add_clock(&out, "monotonic_raw", CLOCK_MONOTONIC_RAW);
	add_clock(&out, "boottime", CLOCK_BOOTTIME);
	add_clock(&out, "tai", CLOCK_TAI);
	tar_add(&out, "sys/%s", name);
}

static void collect_still(bool kallsyms)
{
	collect_proc(still_files, sizeof(still_files) / sizeof(still_files[0]));
	for (size_t i = 0; i < sizeof(other_files) / sizeof(other_files[0]); i++)
		collect_other_file(other_files[i]);
	tar_tree("/sys/class/dmi/id", "sys/dmi", 0);
	collect_uname();
	if (kallsyms)
		tar_file("/proc/kallsyms", "sys/kallsyms");
}

/* The device below an interface, and its driver: both are links. */
static void collect_hardware(const char *name)
{
	static struct text out;
	char path[300], device[PATH_MAX], driver[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (realpath(path, device) == NULL)
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", name);
	if (realpath(path, driver) == NULL)
		return;
	text_clear(&out);
	text_format(&out, "device=%s\tdriver=%s\n", device, strrchr(driver, '/') + 1);
	tar_add(&out, "sys/class/net/%s/hardware", name);
}

/* The entries of /sys/class/net are links to folders. */
static void collect_interface(const char *name, void *arg)
{
	char path[300], target[300];

	(void)arg;
	snprintf(path, sizeof(path), "/sys/class/net/%s", name);
	snprintf(target, sizeof(target), "sys/class/net/%s", name);
	tar_tree(path, target, 1);
	collect_hardware(name);
}

static void collect_moving(void)
{
	collect_modules();
	collect_processes();
	collect_mount_spaces();
	collect_networks();
	each_entry("/sys/class/net", collect_interface, NULL);
	collect_proc(moving_files, sizeof(moving_files) / sizeof(moving_files[0]));
	collect_disks();
	collect_settings();
	collect_ipc_spaces();
	collect_kernel_log();
	collect_log_records();
}

/* Reading all that left thousands of inodes behind; once freed they are zero, and compress well. */
static void clean_up(void)
{
	CHECK(write_file("/proc/sys/vm/drop_caches", "3"));
	usleep(500000);
}

static void wake_spinner(const char *name, void *arg)
{
	struct text comm = {0};
	char path[300];

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%s/comm", name);
	if (text_read(&comm, path) && comm.length == 8 && memcmp(comm.data, "spinner\n", 8) == 0) {
		CHECK(kill(atoi(name), SIGUSR1));
		usleep(100000);
		/* Replaces what was collected while it still slept. */
		collect_process(atoi(name));
	}
	free(comm.data);
}

static bool has_option(char **options, const char *name)
{
	for (; *options; options++)
		if (strcmp(*options, name) == 0)
			return true;
	return false;
}

/* collect PORT [clean] [kallsyms] [spin] */
int collect_main(int argc, char **argv)
{
	static const char done[] = "DONE\n";
	char **options = argv + 2;

	if (argc < 2)
		die("usage: collect PORT [clean] [kallsyms] [spin]");
	tar_open((int)CHECK(open(argv[1], O_WRONLY | O_CLOEXEC)));
	collect_clocks("clocks.start");
	collect_still(has_option(options, "kallsyms"));
	collect_moving();
	if (has_option(options, "clean")) {
		clean_up();
		/* Replaces what was collected before; dropping caches is a record of the log. */
		tar_file("/proc/meminfo", "sys/meminfo");
		collect_log_records();
	}
	if (has_option(options, "spin"))
		each_entry("/proc", wake_spinner, NULL);
	collect_clocks("clocks");
	tar_close();
	CHECK(write(STDERR_FILENO, done, sizeof(done) - 1));
	rest();
}
