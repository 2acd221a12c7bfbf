// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether the memory was read at one instant. Rules that the kernel keeps at any instant, across
// pages that a dump reads at different times, are evaluated; one that is broken although its lock
// is free says that time passed meanwhile.
#ifndef VMI_CHECK_ATOMICITY_H
#define VMI_CHECK_ATOMICITY_H

#include "src/kernel/lock.h"
#include "src/walk/tasks.h"

enum invariant {
#define INVARIANT(name, weight, lock, doc) INV_##name,
#include "src/check/invariants.def"
#undef INVARIANT
	INVARIANT_COUNT
};

struct invariant_count {
	uint64_t evaluated, violated, excused, unevaluable;
	// Of links from one address to another: how many lay near each other, how many far apart.
	uint64_t near, near_violated, far, far_violated;
	uint64_t worst_weight;
	const char *worst; // in the run arena
};

struct atomicity {
	struct walk *w;
	struct invariant_count of[INVARIANT_COUNT];
	enum lock_state tasklist, css_set;
	uint64_t budget;		    // reads that are left
	uint64_t near;			    // bytes: farther apart than this is far
	uint64_t findings;		    // rows of inconsistencies made so far
	VEC(uint64_t) files;		    // struct files that are open, once each
	struct u64map files_seen, mappings; // they, and the address_spaces of their inodes
};

// What was found to be broken.
struct violation {
	enum invariant rule;
	enum lock_state lock;	 // under which the kernel breaks the rule
	const struct task *task; // that it hits; NULL for none
	const char *class;	 // task-died or attribute-changed; NULL: no row of its own
	uint64_t weight;	 // how far apart the two values are
};

void rule_holds(struct atomicity *a, enum invariant rule);
void rule_unevaluable(struct atomicity *a, enum invariant rule);
// With both values in words. Gives whether no lock excuses it.
bool rule_broken(struct atomicity *a, const struct violation *v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// a == b, for counts; a >= b for rule_at_least().
void rule_equal(struct atomicity *a, const struct violation *v, const char *name_a,
		uint64_t value_a, const char *name_b, uint64_t value_b);
void rule_at_least(struct atomicity *a, const struct violation *v, const char *name_a,
		   uint64_t value_a, const char *name_b, uint64_t value_b);

// Walks a ring from its head and checks each link back; gives the number of entries. Stops at links
// that lead nowhere, and after a few that are broken.
uint64_t rule_ring(struct atomicity *a, const struct violation *v, uint64_t head);

// The rules by subject.
void atomicity_of_tasks(struct atomicity *a);
void atomicity_of_memory(struct atomicity *a);
void atomicity_of_files(struct atomicity *a);
void atomicity_of_zones(struct atomicity *a);
void atomicity_of_views(struct atomicity *a);
void atomicity_of_scheduling(struct atomicity *a);
void atomicity_of_pages(struct atomicity *a); // after files
void atomicity_of_slabs(struct atomicity *a);

void atomicity_fini(struct atomicity *a);

// Rows of `atomicity`, and the verdict into the walk.
void atomicity_report(struct atomicity *a);

#endif
