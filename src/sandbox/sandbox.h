// SPDX-License-Identifier: LGPL-2.1-or-later
// Gives up, before a hostile byte is read, what the process will not need: what breaks out of a
// reader finds itself without files, processes, sockets and programs.
//
// Landlock bounds the files, seccomp the system calls; what the kernel or the build does not have
// is left out, and said. Each call of sandbox_enter() takes more away, and nothing gives it back.
#ifndef VMI_SANDBOX_SANDBOX_H
#define VMI_SANDBOX_SANDBOX_H

#include "src/base/vec.h"

#include <stdbool.h>
#include <stdint.h>

// --- The program itself ---

// What it still needs. Paths of folders stand for all below them; one that is not there is left
// out. {0} is a process that computes, and reads and writes what is open.
struct sandbox_needs {
	bool opens;	  // files are opened still, namely:
	VEC(char *) read; // files, and folders of files
	// Files that are written, and folders in which files are made, read, written, renamed,
	// removed: never one that evidence may lie in.
	VEC(char *) write;
	bool forks;    // processes are begun still, none of another program
	bool terminal; // lines are edited on a terminal
};

// NULL is fine, and nothing.
void sandbox_read(struct sandbox_needs *n, const char *path);
void sandbox_write(struct sandbox_needs *n, const char *path);
void sandbox_needs_fini(struct sandbox_needs *n);

enum { SANDBOX_WORDS = 256 };

// words: what is in force, and why not what is not. For a process of one thread.
void sandbox_enter(const struct sandbox_needs *n, char words[static SANDBOX_WORDS]);

// What the build and the system have, as "Landlock 7, seccomp".
void sandbox_kinds(char words[static SANDBOX_WORDS]);

extern const bool sandbox_has_libseccomp;

// --- A process that only computes, and answers through a pipe ---

struct child_limits {
	uint64_t memory;     // bytes beyond what the process has; 0: 768 MiB
	unsigned cpu_s;	     // 0: 60
	unsigned patience_s; // by the clock; 0: 300
};

// Bytes of address space in use, from the kernel's own count; asked for before the fork, since the
// child can't open what tells.
uint64_t sandbox_addresses(void);
// A forbidden system call is the end of the process.
void sandbox_enter_child(const struct child_limits *limits, uint64_t addresses);

// --- For this room ---

// Compilers' sanitizers need terabytes of addresses, and calls of their own.
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

// Both limits, the one in force and the most that it may be raised to.
void sandbox_limit(int what, uint64_t most);

// The version of Landlock that the kernel has, 0 for none.
int landlock_version(void);
// NULL once it is in force, else why it is not.
const char *landlock_enter(const struct sandbox_needs *n, int version);
const char *seccomp_enter(const struct sandbox_needs *n);
const char *seccomp_enter_child(void);
bool seccomp_is_there(void);

#endif
