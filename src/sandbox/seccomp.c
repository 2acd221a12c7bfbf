// SPDX-License-Identifier: LGPL-2.1-or-later
// Which system calls, by libseccomp. What is not listed fails with EPERM, so that a C library that
// tries something new falls back; what only an attacker calls is the end of the process.
#include "src/sandbox/sandbox.h"

#if defined(HAVE_SECCOMP) && !SANITIZED
#include <errno.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

// Reads, writes, and memory. sysinfo is qsort()'s, sched_getaffinity malloc()'s; fcntl, geteuid
// and ftruncate are SQLite's.
static const int computing[] = {SCMP_SYS(read),
				SCMP_SYS(pread64),
				SCMP_SYS(readv),
				SCMP_SYS(preadv),
				SCMP_SYS(write),
				SCMP_SYS(pwrite64),
				SCMP_SYS(writev),
				SCMP_SYS(pwritev),
				SCMP_SYS(lseek),
				SCMP_SYS(_llseek),
				SCMP_SYS(fstat),
				SCMP_SYS(fstat64),
				SCMP_SYS(stat),
				SCMP_SYS(stat64),
				SCMP_SYS(lstat),
				SCMP_SYS(lstat64),
				SCMP_SYS(newfstatat),
				SCMP_SYS(fstatat64),
				SCMP_SYS(statx),
				SCMP_SYS(fsync),
				SCMP_SYS(fdatasync),
				SCMP_SYS(ftruncate),
				SCMP_SYS(ftruncate64),
				SCMP_SYS(fallocate),
				SCMP_SYS(fcntl),
				SCMP_SYS(fcntl64),
				SCMP_SYS(close),
				SCMP_SYS(flock),
				SCMP_SYS(brk),
				SCMP_SYS(munmap),
				SCMP_SYS(mremap),
				SCMP_SYS(madvise),
				SCMP_SYS(futex),
				SCMP_SYS(futex_time64),
				SCMP_SYS(sysinfo),
				SCMP_SYS(sched_getaffinity),
				SCMP_SYS(sched_yield),
				SCMP_SYS(getrandom),
				SCMP_SYS(clock_gettime),
				SCMP_SYS(clock_getres),
				SCMP_SYS(gettimeofday),
				SCMP_SYS(time),
				SCMP_SYS(clock_gettime64),
				SCMP_SYS(clock_nanosleep),
				SCMP_SYS(getrusage),
				SCMP_SYS(getpid),
				SCMP_SYS(gettid),
				SCMP_SYS(getuid),
				SCMP_SYS(geteuid),
				SCMP_SYS(getgid),
				SCMP_SYS(getegid),
				SCMP_SYS(uname),
				SCMP_SYS(rt_sigaction),
				SCMP_SYS(rt_sigprocmask),
				SCMP_SYS(rt_sigreturn),
				SCMP_SYS(sigreturn),
				SCMP_SYS(sigaltstack),
				SCMP_SYS(restart_syscall),
				SCMP_SYS(exit),
				SCMP_SYS(exit_group)};

// The output gets its name, or a signal's handler removes it.
static const int naming[] = {SCMP_SYS(rename),	  SCMP_SYS(renameat),  SCMP_SYS(renameat2),
			     SCMP_SYS(unlink),	  SCMP_SYS(unlinkat),  SCMP_SYS(access),
			     SCMP_SYS(faccessat), SCMP_SYS(faccessat2)};

// Also what the next, narrower sandbox is entered with.
static const int opening[] = {SCMP_SYS(open),
			      SCMP_SYS(openat),
			      SCMP_SYS(getdents64),
			      SCMP_SYS(getdents),
			      SCMP_SYS(getcwd),
			      SCMP_SYS(readlink),
			      SCMP_SYS(readlinkat),
			      SCMP_SYS(mkdir),
			      SCMP_SYS(mkdirat),
			      SCMP_SYS(utimensat),
			      SCMP_SYS(fstatfs),
			      SCMP_SYS(fstatfs64),
			      SCMP_SYS(fadvise64),
			      SCMP_SYS(prctl),
			      SCMP_SYS(seccomp),
			      SCMP_SYS(prlimit64),
			      SCMP_SYS(setrlimit),
			      SCMP_SYS(ugetrlimit),
			      SCMP_SYS(getrlimit),
			      SCMP_SYS(landlock_create_ruleset),
			      SCMP_SYS(landlock_add_rule),
			      SCMP_SYS(landlock_restrict_self)};

// A child that reads a file of symbols, and the pipe that it answers through.
static const int forking[] = {SCMP_SYS(fork),	SCMP_SYS(vfork),	  SCMP_SYS(wait4),
			      SCMP_SYS(waitid), SCMP_SYS(pipe2),	  SCMP_SYS(poll),
			      SCMP_SYS(ppoll),	SCMP_SYS(ppoll_time64),	  SCMP_SYS(dup),
			      SCMP_SYS(dup2),	SCMP_SYS(dup3),		  SCMP_SYS(set_tid_address),
			      SCMP_SYS(rseq),	SCMP_SYS(set_robust_list)};

// Waiting for keys; fchmod is for the file of what was typed.
static const int terminal[] = {
	SCMP_SYS(fchmod), SCMP_SYS(poll),	SCMP_SYS(ppoll),    SCMP_SYS(ppoll_time64),
	SCMP_SYS(select), SCMP_SYS(_newselect), SCMP_SYS(pselect6), SCMP_SYS(pselect6_time64)};

static const int attacks[] = {SCMP_SYS(execve),
			      SCMP_SYS(execveat),
			      SCMP_SYS(socket),
			      SCMP_SYS(socketpair),
			      SCMP_SYS(socketcall),
			      SCMP_SYS(connect),
			      SCMP_SYS(bind),
			      SCMP_SYS(ptrace),
			      SCMP_SYS(process_vm_readv),
			      SCMP_SYS(process_vm_writev),
			      SCMP_SYS(pidfd_getfd),
			      SCMP_SYS(bpf),
			      SCMP_SYS(perf_event_open),
			      SCMP_SYS(io_uring_setup),
			      SCMP_SYS(userfaultfd),
			      SCMP_SYS(keyctl),
			      SCMP_SYS(add_key),
			      SCMP_SYS(request_key),
			      SCMP_SYS(unshare),
			      SCMP_SYS(setns),
			      SCMP_SYS(chroot),
			      SCMP_SYS(pivot_root),
			      SCMP_SYS(mount),
			      SCMP_SYS(umount2),
			      SCMP_SYS(init_module),
			      SCMP_SYS(finit_module),
			      SCMP_SYS(kexec_load),
			      SCMP_SYS(open_by_handle_at)};

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

// A name that an architecture does not have is passed over by libseccomp.
static void add(scmp_filter_ctx f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)seccomp_rule_add(f, action, calls[i], 0);
}

// One value of one argument, seen through the mask.
static void allow_value(scmp_filter_ctx f, int call, unsigned argument, uint64_t mask,
			uint64_t value)
{
	const struct scmp_arg_cmp same = {argument, SCMP_CMP_MASKED_EQ, mask, value};

	(void)seccomp_rule_add_array(f, SCMP_ACT_ALLOW, call, 1, &same);
}

// No new code: neither from a file nor made.
static void allow_memory(scmp_filter_ctx f)
{
	static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};

	for (size_t i = 0; i < N_OF(calls); i++)
		allow_value(f, calls[i], 2, PROT_EXEC, 0);
}

// Is it a terminal, how wide, how large a device. Never TIOCSTI, which types commands into a shell.
static void allow_ioctls(scmp_filter_ctx f, bool edits_lines)
{
	static const uint64_t asks[] = {TCGETS, TIOCGWINSZ, BLKGETSIZE64};
	static const uint64_t sets[] = {TCSETS, TCSETSW, TCSETSF};

	for (size_t i = 0; i < N_OF(asks); i++)
		allow_value(f, SCMP_SYS(ioctl), 1, UINT32_MAX, asks[i]);
	for (size_t i = 0; edits_lines && i < N_OF(sets); i++)
		allow_value(f, SCMP_SYS(ioctl), 1, UINT32_MAX, sets[i]);
}

// To itself; "is there a process" (0), whose leftovers those are, and the end of a child.
static void allow_signals(scmp_filter_ctx f, const struct sandbox_needs *n)
{
	allow_value(f, SCMP_SYS(tgkill), 0, UINT32_MAX, (uint32_t)getpid());
	if (n->opens)
		allow_value(f, SCMP_SYS(kill), 1, UINT32_MAX, 0);
	if (n->forks)
		allow_value(f, SCMP_SYS(kill), 1, UINT32_MAX, SIGKILL);
	if (n->terminal) // what the editor caught goes on to its own group
		allow_value(f, SCMP_SYS(kill), 0, UINT32_MAX, 0);
}

// Without namespaces of its own. What clone3() is asked for can't be seen, and without it the C
// library takes clone().
static void allow_forks(scmp_filter_ctx f)
{
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

	add(f, SCMP_ACT_ALLOW, forking, N_OF(forking));
	allow_value(f, SCMP_SYS(clone), 0, namespaces, 0);
	(void)seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static void add_needs(scmp_filter_ctx f, const struct sandbox_needs *n)
{
	add(f, SCMP_ACT_KILL_PROCESS, attacks, N_OF(attacks));
	add(f, SCMP_ACT_ALLOW, computing, N_OF(computing));
	allow_memory(f);
	allow_ioctls(f, n->terminal);
	allow_signals(f, n);
	if (n->write.n)
		add(f, SCMP_ACT_ALLOW, naming, N_OF(naming));
	if (n->opens)
		add(f, SCMP_ACT_ALLOW, opening, N_OF(opening));
	if (n->forks)
		allow_forks(f);
	if (n->terminal)
		add(f, SCMP_ACT_ALLOW, terminal, N_OF(terminal));
}

// Calls sorted for the search, and no price for each of them on kernels before 5.16, which took
// seccomp for a sign of code made at run time (their spec_store_bypass_disable=seccomp).
static const char *load(scmp_filter_ctx f)
{
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_SSB, 1);
	int e = seccomp_load(f);
	seccomp_release(f);
	return e == 0 ? NULL : strerror(-e);
}

const char *seccomp_enter(const struct sandbox_needs *n)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!f)
		return "out of memory";
	add_needs(f, n);
	return load(f);
}

const char *seccomp_enter_child(void)
{
	static const int allowed[] = {
		SCMP_SYS(read),		  SCMP_SYS(write),	SCMP_SYS(brk),
		SCMP_SYS(mmap),		  SCMP_SYS(munmap),	SCMP_SYS(mremap),
		SCMP_SYS(mprotect),	  SCMP_SYS(madvise),	SCMP_SYS(futex),
		SCMP_SYS(sysinfo),	  SCMP_SYS(getrandom),	SCMP_SYS(clock_gettime),
		SCMP_SYS(exit),		  SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall)};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!f)
		return "out of memory";
	add(f, SCMP_ACT_ALLOW, allowed, N_OF(allowed));
	return load(f);
}

bool seccomp_is_there(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

#else

const char *seccomp_enter(const struct sandbox_needs *n)
{
	(void)n;
	return SANITIZED ? "not with a sanitizer" : "built without libseccomp";
}

const char *seccomp_enter_child(void)
{
	return seccomp_enter(NULL);
}

bool seccomp_is_there(void)
{
	return false;
}
#endif

#ifdef HAVE_SECCOMP
const bool sandbox_has_libseccomp = true;
#else
const bool sandbox_has_libseccomp = false;
#endif
