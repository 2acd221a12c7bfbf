// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest as a whole: names, kernel, processors, clock and memory account.
#ifndef VMI_WALK_SYSTEM_H
#define VMI_WALK_SYSTEM_H

#include "src/walk/walk.h"

// --- system_clock.c ---

// Sets w->boot_ns. To be called before the extractors that give times of day.
void system_clock(struct walk *w);

// --- system_cpu.c ---

// Whether a CPU is online, as far as that is known.
bool system_is_online(struct walk *w, size_t cpu);

// The struct cpuinfo_x86 of the CPU that booted, or 0.
uint64_t system_boot_cpu(struct walk *w);

struct cpu_counts {
	struct opt_int logical, cores, sockets; // of the CPUs that are online
};
struct cpu_counts system_count_cpus(struct walk *w);

// --- system_memory.c ---

// MemTotal in bytes.
struct opt_int system_total_memory(struct walk *w);

// --- system_nodes.c ---

// Visits the struct pglist_data of every memory node that is online, until the visitor returns
// false; false if it did, or they can't be found.
bool system_each_node(struct walk *w, bool (*visit)(void *arg, uint64_t node), void *arg);
// Visits the struct zones of all of them.
void system_each_zone(struct walk *w, void (*visit)(void *arg, uint64_t zone), void *arg);

// --- system_names.c ---

// init_uts_ns.name, or 0.
uint64_t system_uts_name(struct walk *w);

// --- system_release.c ---

// The row of os_version.
void system_emit_release(struct walk *w);

extern const struct extractor walk_clock;    // time, uptime
extern const struct extractor walk_cpus;     // cpu_info
extern const struct extractor walk_load;     // load_average
extern const struct extractor walk_cpu_time; // cpu_time
extern const struct extractor walk_memory;   // memory_info
extern const struct extractor walk_names;  // system_info, platform_info, os_version; needs w->tasks
extern const struct extractor walk_kernel; // kernel_info

// --- the same of arm64 ---
struct cpu_counts system_count_arm64_cpus(struct walk *w);
void system_emit_arm64_cpus(struct walk *w);
struct opt_int system_arm64_part(struct walk *w); // number of the part, by its maker

#endif
