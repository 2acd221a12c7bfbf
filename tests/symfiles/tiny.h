// SPDX-License-Identifier: LGPL-2.1-or-later
// Structures of a kernel that never was, with something of everything that DWARF can say of them.
// The test includes them too, so that the compiler itself says where each member is.
#ifndef VMI_TESTS_SYMFILES_TINY_H
#define VMI_TESTS_SYMFILES_TINY_H

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	int counter;
} atomic_t;

struct nowhere; // only declared

enum zone_stat_item { NR_FREE_PAGES, NR_ACTIVE_ANON = 7, NR_LOWEST = -3 };

struct qstr {
	union {
		struct {
			unsigned int hash, len;
		};
		unsigned long long hash_len;
	};
	const unsigned char *name;
};

struct cred {
	atomic_t usage;
	struct {
		unsigned int val;
	} uid, gid;
};

struct task_struct {
	volatile long state;
	void *stack;
	struct nowhere *nowhere;
	unsigned int flags;
	int on_cpu;
	unsigned in_execve : 1;
	unsigned in_iowait : 1;
	int : 0;
	signed int depth : 5;
	unsigned long long wide : 40;
	struct list_head tasks;
	const struct cred *real_cred;
	struct cred embedded;
	char comm[16];
	struct qstr names[2][3];
	enum zone_stat_item item;
	_Bool yes;
	double ratio;
	int (*call)(struct task_struct *);
	struct task_struct *parent;
	long rest[];
};

#endif
