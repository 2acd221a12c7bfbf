// SPDX-License-Identifier: LGPL-2.1-or-later
// A library that is loaded before all others (LD_PRELOAD) and makes one call of a run fail.
//
// FAULT=CALL:N:ERROR fails the Nth call of that name once, FAULT=CALL:N:ERROR+ also all after it,
// and FAULT=CALL:N:ERROR/BYTES lets that one transfer so many bytes, and fails the next. CALL is
// alloc, or one of those below; ERROR is a number. FAULT=short:SEED lets no call fail, but makes
// reads and writes short, and interrupts them, at random. FAULT_LOG=FILE gets the counts of a run
// that ends by itself, a "CALL N" a line.
//
// Memory that libseccomp asks for is always there, and not counted: version 2.5.4 frees some of it
// twice when there is none.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum call { ALLOC, OPEN, READ, PREAD, WRITE, PWRITE, FSYNC, FTRUNCATE, RENAME, FORK, N_CALLS };

static const char *const names[N_CALLS] = {"alloc",  "open",  "read",	   "pread",  "write",
					   "pwrite", "fsync", "ftruncate", "rename", "fork"};

static struct {
	enum call call;
	unsigned long at; // 0: none
	int error;
	bool stays;
	unsigned long cut; // bytes that the call before it may transfer; 0: all
} fault;

static unsigned long *counts; // [N_CALLS] of this process and those that it forks
static uint64_t random_state; // 0: no short reads
static int log_fd = -1;

// --- who asks ---

static uintptr_t spared_from, spared_to;

static int spare(struct dl_phdr_info *library, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (!strstr(library->dlpi_name, "libseccomp"))
		return 0;
	for (int i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &library->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
			continue;
		spared_from = library->dlpi_addr + p->p_vaddr;
		spared_to = spared_from + p->p_memsz;
	}
	return 1;
}

static bool is_spared(const void *caller)
{
	return (uintptr_t)caller >= spared_from && (uintptr_t)caller < spared_to;
}

// --- what was asked for ---

static void parse(const char *s)
{
	char name[16];
	int error = 0, end = 0;

	if (sscanf(s, "short:%lu", &random_state) == 1)
		return;
	if (sscanf(s, "%15[a-z]:%lu:%d%n", name, &fault.at, &error, &end) < 3)
		abort();
	fault.error = error;
	fault.stays = s[end] == '+';
	if (sscanf(s + end, "/%lu", &fault.cut) == 1)
		fault.at++;
	while (strcmp(names[fault.call], name) != 0)
		if (++fault.call == N_CALLS)
			abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *asked = getenv("FAULT"), *path = getenv("FAULT_LOG");

	if (path)
		log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	(void)dl_iterate_phdr(spare, NULL);
	counts = mmap(NULL, N_CALLS * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		abort();
	if (asked)
		parse(asked);
}

__attribute__((destructor)) static void end(void)
{
	for (int c = 0; log_fd >= 0 && c < N_CALLS; c++)
		(void)dprintf(log_fd, "%s %lu\n", names[c], counts[c]);
}

// --- what becomes of a call ---

static bool fails(enum call c)
{
	unsigned long n = counts ? __atomic_add_fetch(&counts[c], 1, __ATOMIC_RELAXED) : 0;

	if (!fault.at || c != fault.call || n < fault.at || (n > fault.at && !fault.stays))
		return false;
	errno = fault.error;
	return true;
}

// xorshift64*, which needs no memory and no lock.
static uint64_t next_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

// Of n bytes so many as are let through; -1 for an interruption.
static ssize_t shortened(enum call c, size_t n)
{
	if (fault.cut && c == fault.call && counts[c] + 1 == fault.at)
		return (ssize_t)(n < fault.cut ? n : fault.cut);
	uint64_t r = random_state && n > 1 ? next_random() >> 32 : 3;

	if (r % 4 == 0)
		return -1;
	return r % 4 == 1 ? (ssize_t)(1 + r / 4 % n) : (ssize_t)n;
}

static void *next_of(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

// --- memory ---

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool has_no_memory(const void *caller)
{
	return !is_spared(caller) && fails(ALLOC);
}

void *malloc(size_t n)
{
	return has_no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return has_no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return has_no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

// --- files; the names with _chk and _2 are those of _FORTIFY_SOURCE ---

#define TRANSFER(name, call, args, pass)                                                           \
	ssize_t name args;                                                                         \
	ssize_t name args                                                                          \
	{                                                                                          \
		static ssize_t(*next) args;                                                        \
		if (fails(call))                                                                   \
			return -1;                                                                 \
		if (!next)                                                                         \
			*(void **)&next = next_of(#name);                                          \
		ssize_t most = shortened(call, n);                                                 \
		if (most < 0) {                                                                    \
			errno = EINTR;                                                             \
			return -1;                                                                 \
		}                                                                                  \
		n = (size_t)most;                                                                  \
		return next pass;                                                                  \
	}

TRANSFER(read, READ, (int fd, void *p, size_t n), (fd, p, n))
TRANSFER(__read_chk, READ, (int fd, void *p, size_t n, size_t room), (fd, p, n, room))
TRANSFER(pread64, PREAD, (int fd, void *p, size_t n, off64_t at), (fd, p, n, at))
TRANSFER(__pread64_chk, PREAD, (int fd, void *p, size_t n, off64_t at, size_t room),
	 (fd, p, n, at, room))
TRANSFER(write, WRITE, (int fd, const void *p, size_t n), (fd, p, n))
TRANSFER(pwrite64, PWRITE, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))

#define PLAIN(name, call, args, pass)                                                              \
	int name args;                                                                             \
	int name args                                                                              \
	{                                                                                          \
		static int(*next) args;                                                            \
		if (fails(call))                                                                   \
			return -1;                                                                 \
		if (!next)                                                                         \
			*(void **)&next = next_of(#name);                                          \
		return next pass;                                                                  \
	}

PLAIN(fsync, FSYNC, (int fd), (fd))
PLAIN(fdatasync, FSYNC, (int fd), (fd))
PLAIN(ftruncate64, FTRUNCATE, (int fd, off64_t n), (fd, n))
PLAIN(rename, RENAME, (const char *a, const char *b), (a, b))
PLAIN(renameat2, RENAME, (int at, const char *a, int bt, const char *b, unsigned flags),
      (at, a, bt, b, flags))
PLAIN(fork, FORK, (void), ())
PLAIN(__open64_2, OPEN, (const char *path, int flags), (path, flags))
PLAIN(__openat64_2, OPEN, (int at, const char *path, int flags), (at, path, flags))

// The mode is there if a file may be made.
static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

int open64(const char *path, int flags, ...)
{
	va_list ap;

	if (fails(OPEN))
		return -1;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	int (*next)(const char *, int, ...);
	*(void **)&next = next_of("open64");
	return next(path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
	va_list ap;

	if (fails(OPEN))
		return -1;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	int (*next)(int, const char *, int, ...);
	*(void **)&next = next_of("openat64");
	return next(at, path, flags, mode);
}
