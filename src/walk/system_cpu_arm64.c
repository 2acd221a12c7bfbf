// SPDX-License-Identifier: LGPL-2.1-or-later
// Processors of arm64: arch/arm64/kernel/cpuinfo.c's account of them, and their topology. Names are
// not kept: MIDR_EL1 has numbers of the implementer and the part.
#include "src/walk/system.h"

#include "src/base/u64map.h"

#include <inttypes.h>

enum { ARMV8 = 8 }; // "CPU architecture" of /proc/cpuinfo, for all that run such a kernel

// The struct cpuinfo_arm64 of an online CPU, or 0.
static uint64_t online_cpu(struct walk *w, size_t cpu)
{
	uint64_t mask = w->k->symbol[S(__cpu_online_mask)], midr;
	uint64_t info = k_percpu(w->k, w->k->symbol[S(cpu_data)], cpu);
	bool online = true;

	if (mask && (!k_bit(w->k, mask, cpu, &online) || !online))
		return 0;
	// without the mask those that were ever brought up count
	return k_get(w->k, info, F(cpuinfo_arm64, reg_midr), &midr) && midr ? info : 0;
}

// struct cpu_topology of a CPU, drivers/base/arch_topology.c.
static uint64_t topology_of(struct walk *w, size_t cpu)
{
	uint64_t all = w->k->symbol[S(cpu_topology)], size = k_sizeof(w->k, "cpu_topology");

	return all && size ? all + cpu * size : 0;
}

static uint64_t package_of(struct walk *w, size_t cpu)
{
	return k_or0(w->k, topology_of(w, cpu), F(cpu_topology, package_id));
}

struct cpu_counts system_count_arm64_cpus(struct walk *w)
{
	struct u64map sockets = {0}, cores = {0};
	struct cpu_counts counts = {0};
	int64_t n = 0;

	for (size_t cpu = 0; cpu < w->k->n_cpus; cpu++) {
		uint64_t core = k_or0(w->k, topology_of(w, cpu), F(cpu_topology, core_id));
		uint64_t package = package_of(w, cpu);
		if (!online_cpu(w, cpu))
			continue;
		n++;
		(void)u64map_add(&sockets, package, 0);
		(void)u64map_add(&cores, package << 32 | (core & UINT32_MAX), 0);
	}
	if (n > 0)
		counts.logical = some_int(n);
	if (n > 0 && topology_of(w, 0)) {
		counts.cores = some_int((int64_t)cores.n);
		counts.sockets = some_int((int64_t)sockets.n);
	}
	u64map_fini(&sockets);
	u64map_fini(&cores);
	return counts;
}

struct opt_int system_arm64_part(struct walk *w)
{
	uint64_t midr;

	if (!k_get(w->k, online_cpu(w, 0), F(cpuinfo_arm64, reg_midr), &midr))
		return (struct opt_int){0};
	return some_int((int64_t)(midr >> 4 & 0xfff));
}

// Cores of a package; CPUs of one core are its threads.
static size_t count_cores(struct walk *w, uint64_t package, size_t *n_cpus)
{
	struct u64map cores = {0};

	*n_cpus = 0;
	for (size_t cpu = 0; cpu < w->k->n_cpus; cpu++) {
		if (!online_cpu(w, cpu) || package_of(w, cpu) != package)
			continue;
		++*n_cpus;
		uint64_t topology = topology_of(w, cpu);
		(void)u64map_add(&cores, k_or0(w->k, topology, F(cpu_topology, core_id)), 0);
	}
	size_t n = cores.n;
	u64map_fini(&cores);
	return n;
}

// info: the first online CPU of the package. MIDR_EL1: implementer, variant, architecture, part,
// revision.
static void emit_package(struct walk *w, uint64_t info, uint64_t package)
{
	uint64_t midr = k_or0(w->k, info, F(cpuinfo_arm64, reg_midr));
	size_t n_cpus, n_cores = count_cores(w, package, &n_cpus);
	struct row_cpu_info row = {
		.device_id = row_printf(w, "CPU%" PRIu64, package),
		.manufacturer = row_printf(w, "0x%02" PRIx64, midr >> 24 & 0xff),
		.logical_processors = some_int((int64_t)n_cpus),
		.address_width = some_text("64"),
		.family = some_int(ARMV8),
		.model_id = some_int((int64_t)(midr >> 4 & 0xfff)),
		.stepping = some_int((int64_t)(midr & 0xf)),
	};

	if (topology_of(w, 0))
		row.number_of_cores = row_printf(w, "%zu", n_cores);
	WALK_EMIT(w, cpu_info, &row);
}

void system_emit_arm64_cpus(struct walk *w)
{
	struct u64map seen = {0};

	for (size_t cpu = 0; cpu < w->k->n_cpus; cpu++) {
		uint64_t info = online_cpu(w, cpu);
		if (info && u64map_add(&seen, package_of(w, cpu), 0))
			emit_package(w, info, package_of(w, cpu));
	}
	if (seen.n == 0)
		walk_unavailable(w, TABLE_cpu_info,
				 "no per-CPU cpu_data of an online CPU was found");
	u64map_fini(&seen);
}
