// SPDX-License-Identifier: LGPL-2.1-or-later
// Processors: arch/x86/kernel/cpu's own account of them, as arch/x86/kernel/cpu/proc.c prints it.
#include "src/walk/system.h"

#include "src/base/u64map.h"

#include <inttypes.h>

// Without the mask of the CPUs that are online, the state of each tells (kernel/cpu.c).
bool system_is_online(struct walk *w, size_t cpu)
{
	uint64_t mask = w->k->symbol[S(__cpu_online_mask)], state;
	uint64_t hotplug = k_percpu(w->k, w->k->symbol[S(cpuhp_state)], cpu);
	int64_t online;
	bool set;

	if (w->k->uniprocessor)
		return true;
	if (mask)
		return k_bit(w->k, mask, cpu, &set) && set;
	if (!hotplug) // ever brought up
		return k_or0(w->k, k_percpu(w->k, w->k->symbol[S(cpu_info)], cpu),
			     F(cpuinfo_x86, initialized));
	return k_enum(w->k, "CPUHP_ONLINE", &online) &&
	       k_get(w->k, hotplug, F(cpuhp_cpu_state, state), &state) && state == (uint64_t)online;
}

// The struct cpuinfo_x86 of a CPU, or 0 if it is not online.
static uint64_t online_cpu(struct walk *w, size_t cpu)
{
	return system_is_online(w, cpu) ? k_percpu(w->k, w->k->symbol[S(cpu_info)], cpu) : 0;
}

uint64_t system_boot_cpu(struct walk *w)
{
	uint64_t boot = w->k->symbol[S(boot_cpu_data)];

	return boot ? boot : k_percpu(w->k, w->k->symbol[S(cpu_info)], 0);
}

// Adds the number of a package, and of a core in it, to the sets of those seen; false if unknown.
static bool add_place(struct walk *w, uint64_t info, struct u64map *sockets, struct u64map *cores)
{
	uint64_t pkg, core;

	if (!k_get(w->k, info, F(cpuinfo_x86, pkg_id), &pkg) ||
	    !k_get(w->k, info, F(cpuinfo_x86, core_id), &core))
		return false;
	(void)u64map_add(sockets, pkg, 0);
	(void)u64map_add(cores, pkg << 32 | core, 0);
	return true;
}

struct cpu_counts system_count_cpus(struct walk *w)
{
	if (w->k->arch == ARCH_ARM64)
		return system_count_arm64_cpus(w);
	struct u64map sockets = {0}, cores = {0};
	struct cpu_counts counts = {0};
	int64_t n = 0;
	bool placed = true;

	for (size_t cpu = 0; cpu < w->k->n_cpus; cpu++) {
		uint64_t info = online_cpu(w, cpu);
		if (!info)
			continue;
		n++;
		placed = placed && add_place(w, info, &sockets, &cores);
	}
	if (n > 0)
		counts.logical = some_int(n);
	if (n > 0 && placed) {
		counts.cores = some_int((int64_t)cores.n);
		counts.sockets = some_int((int64_t)sockets.n);
	}
	u64map_fini(&sockets);
	u64map_fini(&cores);
	return counts;
}

// --- cpu_info ---

static struct opt_text hex_text(struct walk *w, uint64_t base, enum field f)
{
	uint64_t v;

	return k_get(w->k, base, f, &v) ? row_printf(w, "0x%" PRIx64, v) : (struct opt_text){0};
}

static struct opt_text decimal_text(struct walk *w, uint64_t base, enum field f)
{
	uint64_t v;

	return k_get(w->k, base, f, &v) ? row_printf(w, "%" PRIu64, v) : (struct opt_text){0};
}

static void fill_clock(struct walk *w, struct row_cpu_info *row)
{
	uint64_t khz;

	if (!k_variable(w->k, S(cpu_khz), 4, &khz) || khz == 0)
		return;
	row->mhz = some_int((int64_t)khz / 1000);
	row->current_clock_speed = row->mhz;
	row->hz = some_int((int64_t)khz * 1000);
}

// info: the first online CPU of the package.
static void emit_package(struct walk *w, uint64_t info, uint64_t pkg, uint64_t n_cpus)
{
	struct row_cpu_info row = {
		.device_id = row_printf(w, "CPU%" PRIu64, pkg),
		.model = col_text(w, info, F(cpuinfo_x86, x86_model_id)),
		.manufacturer = col_text(w, info, F(cpuinfo_x86, x86_vendor_id)),
		// which nothing counts without SMP
		.number_of_cores = w->k->uniprocessor
					   ? some_text("1")
					   : decimal_text(w, info, F(cpuinfo_x86, booted_cores)),
		.logical_processors = some_int((int64_t)n_cpus),
		.address_width = some_text(w->k->word == 8 ? "64" : "32"),
		.cache_size_kb = col_int(w, info, F(cpuinfo_x86, x86_cache_size)),
		.family = col_int(w, info, F(cpuinfo_x86, x86)),
		.model_id = col_int(w, info, F(cpuinfo_x86, x86_model)),
		.stepping = col_int(w, info, F(cpuinfo_x86, x86_stepping)),
		.microcode = hex_text(w, info, F(cpuinfo_x86, microcode)),
	};
	fill_clock(w, &row);
	WALK_EMIT(w, cpu_info, &row);
}

static uint64_t package_of(struct walk *w, uint64_t info)
{
	return k_or0(w->k, info, F(cpuinfo_x86, pkg_id));
}

static void run(struct walk *w)
{
	struct u64map packages = {0}; // to their number of CPUs, then to 0: emitted
	uint64_t info, *count;

	if (w->k->arch == ARCH_ARM64) {
		system_emit_arm64_cpus(w);
		return;
	}
	for (size_t cpu = 0; cpu < w->k->n_cpus; cpu++)
		if ((info = online_cpu(w, cpu)) && !u64map_add(&packages, package_of(w, info), 1))
			++*u64map_get(&packages, package_of(w, info));
	for (size_t cpu = 0; cpu < w->k->n_cpus; cpu++) {
		info = online_cpu(w, cpu);
		count = info ? u64map_get(&packages, package_of(w, info)) : NULL;
		if (!count || *count == 0)
			continue;
		emit_package(w, info, package_of(w, info), *count);
		*count = 0;
	}
	if (packages.n == 0)
		walk_unavailable(w, TABLE_cpu_info,
				 "no per-CPU cpu_info of an online CPU was found");
	u64map_fini(&packages);
}

const struct extractor walk_cpus = {
	.name = "cpus",
	.tables = {TABLE_cpu_info},
	.n_tables = 1,
	.run = run,
};
