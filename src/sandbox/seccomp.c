// SPDX-License-Identifier: LGPL-2.1-or-later
// Which system calls, by libseccomp. What is not listed fails with EPERM, so that a C library that
// tries something new falls back; what only an attacker calls is the end of the process.
#include "src/sandbox/sandbox.h"

#if defined(HAVE_SECCOMP) && !SANITIZED
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

// Reads, writes, and memory. sysinfo is qsort()'s, sched_getaffinity malloc()'s; geteuid and
// ftruncate are SQLite's. wait4 is for who gives the output its name.
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
				SCMP_SYS(wait4),
				SCMP_SYS(rt_sigaction),
				SCMP_SYS(rt_sigprocmask),
				SCMP_SYS(rt_sigreturn),
				SCMP_SYS(sigreturn),
				SCMP_SYS(sigaltstack),
				SCMP_SYS(restart_syscall),
				SCMP_SYS(exit),
				SCMP_SYS(exit_group)};

// A file of the cache is made, or what was typed is kept.
static const int making[] = {SCMP_SYS(open),	  SCMP_SYS(openat), SCMP_SYS(mkdir),
			     SCMP_SYS(mkdirat),	  SCMP_SYS(rename), SCMP_SYS(renameat),
			     SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat)};

// Also what the next, narrower sandbox is entered with.
static const int opening[] = {SCMP_SYS(access),
			      SCMP_SYS(faccessat),
			      SCMP_SYS(faccessat2),
			      SCMP_SYS(getdents64),
			      SCMP_SYS(getdents),
			      SCMP_SYS(getcwd),
			      SCMP_SYS(readlink),
			      SCMP_SYS(readlinkat),
			      SCMP_SYS(fstatfs),
			      SCMP_SYS(fstatfs64),
			      SCMP_SYS(fadvise64),
			      SCMP_SYS(prctl),
			      SCMP_SYS(seccomp),
			      SCMP_SYS(setrlimit),
			      SCMP_SYS(ugetrlimit),
			      SCMP_SYS(getrlimit),
			      SCMP_SYS(landlock_create_ruleset),
			      SCMP_SYS(landlock_add_rule),
			      SCMP_SYS(landlock_restrict_self)};

// A child that reads a file of symbols, and the pipe that it answers through.
static const int forking[] = {
	SCMP_SYS(fork),		SCMP_SYS(vfork),
	SCMP_SYS(waitid),	SCMP_SYS(pipe2),
	SCMP_SYS(poll),		SCMP_SYS(ppoll),
	SCMP_SYS(dup),		SCMP_SYS(dup2),
	SCMP_SYS(dup3),		SCMP_SYS(rseq),
	SCMP_SYS(alarm),	SCMP_SYS(set_tid_address),
	SCMP_SYS(setitimer),	SCMP_SYS(set_robust_list),
	SCMP_SYS(ppoll_time64),
#ifdef __SNR_close_range
	SCMP_SYS(close_range),
#endif
};

// Waiting for keys.
static const int terminal[] = {
	SCMP_SYS(poll),	      SCMP_SYS(ppoll),	  SCMP_SYS(ppoll_time64),   SCMP_SYS(select),
	SCMP_SYS(_newselect), SCMP_SYS(pselect6), SCMP_SYS(pselect6_time64)};

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

struct filter {
	scmp_filter_ctx ctx;
	bool incomplete; // for lack of memory; a name that an architecture lacks is no failure
};

static void add(struct filter *f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (seccomp_rule_add(f->ctx, action, calls[i], 0) == -ENOMEM)
			f->incomplete = true;
}

// One value of one argument, seen through the mask.
static void allow_value(struct filter *f, int call, unsigned argument, uint64_t mask,
			uint64_t value)
{
	const struct scmp_arg_cmp same = {argument, SCMP_CMP_MASKED_EQ, mask, value};

	if (seccomp_rule_add_array(f->ctx, SCMP_ACT_ALLOW, call, 1, &same) == -ENOMEM)
		f->incomplete = true;
}

// No new code: neither from a file nor made.
static void allow_memory(struct filter *f)
{
	static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)};

	for (size_t i = 0; i < N_OF(calls); i++)
		allow_value(f, calls[i], 2, PROT_EXEC, 0);
}

// Is it a terminal, how wide, how large a device. Never TIOCSTI, which types commands into a shell.
static void allow_ioctls(struct filter *f, bool edits_lines)
{
	static const uint64_t asks[] = {TCGETS, TIOCGWINSZ, BLKGETSIZE64};
	static const uint64_t sets[] = {TCSETS, TCSETSW, TCSETSF};

	for (size_t i = 0; i < N_OF(asks); i++)
		allow_value(f, SCMP_SYS(ioctl), 1, UINT32_MAX, asks[i]);
	for (size_t i = 0; edits_lines && i < N_OF(sets); i++)
		allow_value(f, SCMP_SYS(ioctl), 1, UINT32_MAX, sets[i]);
}

// Not F_SETOWN and F_SETSIG, by which any process gets any signal, nor leases on evidence.
static void allow_fcntl(struct filter *f)
{
	static const int calls[] = {SCMP_SYS(fcntl), SCMP_SYS(fcntl64)};
	static const uint64_t commands[] = {F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,	   F_SETFD,
					    F_GETFL,  F_SETFL,	       F_GETLK,	   F_SETLK,
					    F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK};

	for (size_t i = 0; i < N_OF(calls); i++)
		for (size_t c = 0; c < N_OF(commands); c++)
			allow_value(f, calls[i], 1, UINT32_MAX, commands[c]);
}

// Where Landlock is not there to say which files, none at all is opened to be written.
static void allow_opening(struct filter *f, bool for_writing)
{
	const uint64_t changes = O_ACCMODE | O_CREAT | O_TRUNC;

	add(f, SCMP_ACT_ALLOW, opening, N_OF(opening));
	allow_value(f, SCMP_SYS(prlimit64), 0, UINT32_MAX, 0); // limits of its own
	if (for_writing) {
		add(f, SCMP_ACT_ALLOW, making, N_OF(making));
		return;
	}
	allow_value(f, SCMP_SYS(open), 1, changes, O_RDONLY);
	allow_value(f, SCMP_SYS(openat), 2, changes, O_RDONLY);
}

// raise() and abort().
static void allow_signals(struct filter *f)
{
	allow_value(f, SCMP_SYS(tgkill), 0, UINT32_MAX, (uint32_t)getpid());
}

// What the editor caught goes on to the process group, as the terminal sends it. It sets the mode
// of the file of what was typed, which has it already: that is nobody's to set for evidence, and
// comes to nothing.
static void allow_terminal(struct filter *f)
{
	static const int keys[] = {SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM, SIGCONT, SIGWINCH};
	static const int mode = SCMP_SYS(fchmod);

	add(f, SCMP_ACT_ALLOW, terminal, N_OF(terminal));
	add(f, SCMP_ACT_ERRNO(0), &mode, 1);
	for (size_t i = 0; i < N_OF(keys); i++) {
		const struct scmp_arg_cmp same[] = {
			{0, SCMP_CMP_MASKED_EQ, UINT32_MAX, 0},
			{1, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)keys[i]}};
		if (seccomp_rule_add_array(f->ctx, SCMP_ACT_ALLOW, SCMP_SYS(kill), 2, same) ==
		    -ENOMEM)
			f->incomplete = true;
	}
}

// Without namespaces of its own. What clone3() is asked for can't be seen, and without it the C
// library takes clone().
static void allow_forks(struct filter *f)
{
	const uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	static const int unseen = SCMP_SYS(clone3);

	add(f, SCMP_ACT_ALLOW, forking, N_OF(forking));
	allow_value(f, SCMP_SYS(clone), 0, namespaces, 0);
	add(f, SCMP_ACT_ERRNO(ENOSYS), &unseen, 1);
}

static void add_needs(struct filter *f, const struct sandbox_needs *n)
{
	add(f, SCMP_ACT_KILL_PROCESS, attacks, N_OF(attacks));
	add(f, SCMP_ACT_ALLOW, computing, N_OF(computing));
	allow_memory(f);
	allow_ioctls(f, n->terminal);
	allow_fcntl(f);
	allow_signals(f);
	if (n->opens)
		allow_opening(f, n->write.n > 0);
	if (n->forks)
		allow_forks(f);
	if (n->terminal)
		allow_terminal(f);
}

// Calls sorted for the search, and no price for each of them on kernels before 5.16, which took
// seccomp for a sign of code made at run time (their spec_store_bypass_disable=seccomp).
static int load(const struct filter *f)
{
	if (f->incomplete)
		return -ENOMEM; // it would forbid what is needed
	(void)seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(f->ctx, SCMP_FLTATR_CTL_SSB, 1);
	return seccomp_load(f->ctx);
}

static const char *enter(struct filter *f)
{
	int e = load(f);

	seccomp_release(f->ctx);
	return e == 0 ? NULL : strerror(-e);
}

const char *seccomp_enter(const struct sandbox_needs *n)
{
	struct filter f = {seccomp_init(SCMP_ACT_ERRNO(EPERM)), false};

	if (!f.ctx)
		return strerror(ENOMEM);
	add_needs(&f, n);
	return enter(&f);
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
	struct filter f = {seccomp_init(SCMP_ACT_KILL_PROCESS), false};

	if (!f.ctx)
		return strerror(ENOMEM);
	add(&f, SCMP_ACT_ALLOW, allowed, N_OF(allowed));
	return enter(&f);
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
