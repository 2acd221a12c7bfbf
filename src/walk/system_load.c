// SPDX-License-Identifier: LGPL-2.1-or-later
// How busy the guest was: fs/proc/stat.c and fs/proc/loadavg.c.
#include "src/kernel/clock.h"
#include "src/walk/system.h"

enum {
	NS_PER_TICK = 10000000, // USER_HZ is 100
	FIXED_1 = 2048,		// include/linux/sched/loadavg.h
	TS_FLAG_IDLE_ACTIVE = 4 // kernel/time/tick-sched.h, 6.9
};

// --- load_average ---

static void run_load(struct walk *w)
{
	static const char *const periods[] = {"1m", "5m", "15m"};
	uint64_t at = w->k->symbol[S(avenrun)];
	int64_t v;

	if (!at)
		walk_unavailable(w, TABLE_load_average,
				 "no table of symbols lists avenrun, and nothing leads to it");
	for (size_t i = 0; at && i < sizeof(periods) / sizeof(periods[0]); i++) {
		if (!k_long(w->k, at + i * w->k->word, &v))
			continue; // the fault is reported
		struct row_load_average row = {
			.period = some_text(periods[i]),
			.average = row_printf(w, "%.6f", (double)v / FIXED_1),
		};
		WALK_EMIT(w, load_average, &row);
	}
}

// --- cpu_time ---

struct cpu {
	struct walk *w;
	uint64_t stat, tick, rq;
	struct opt_int now; // ns, monotonic
};

static struct opt_int in_ticks(struct opt_int ns)
{
	return ns.set ? some_int(ns.v / NS_PER_TICK) : ns;
}

static struct opt_int spent(const struct cpu *c, const char *what)
{
	uint64_t v;
	int64_t i;

	if (!k_enum(c->w->k, what, &i) || i < 0 ||
	    (uint64_t)i >= c->w->k->field[F(kernel_cpustat, cpustat)].n_elem ||
	    !k_get_at(c->w->k, c->stat, F(kernel_cpustat, cpustat), (size_t)i, &v))
		return (struct opt_int){0};
	return some_int((int64_t)v);
}

// Whether the CPU is idle now, and so the time since it went idle is not counted yet.
static bool is_idle(const struct cpu *c)
{
	uint64_t v;

	if (k_get(c->w->k, c->tick, F(tick_sched, idle_active), &v))
		return v != 0;
	return k_get(c->w->k, c->tick, F(tick_sched, flags), &v) && v & TS_FLAG_IDLE_ACTIVE;
}

// get_cpu_sleep_time_us() of kernel/time/tick-sched.c.
static struct opt_int slept(const struct cpu *c, enum field f, bool waits, const char *without)
{
	struct opt_int total = col_int(c->w, c->tick, f);
	struct opt_int entry = col_int(c->w, c->tick, F(tick_sched, idle_entrytime));
	bool is_waiting = (int32_t)k_or0(c->w->k, c->rq, F(rq, nr_iowait)) > 0;

	// Where ticks never stop (no CONFIG_NO_HZ_COMMON), no CPU notes when it went idle.
	if (!total.set || (entry.set && entry.v == 0))
		return spent(c, without);
	if (is_idle(c) && is_waiting == waits && entry.set && c->now.set && c->now.v > entry.v)
		total.v = wrapping_sum(total.v, c->now.v - entry.v);
	return total;
}

static void emit_cpu(const struct cpu *c, size_t number)
{
	struct row_cpu_time row = {
		.core = some_int((int64_t)number),
		.user = in_ticks(spent(c, "CPUTIME_USER")),
		.nice = in_ticks(spent(c, "CPUTIME_NICE")),
		.system = in_ticks(spent(c, "CPUTIME_SYSTEM")),
		.idle = in_ticks(slept(c, F(tick_sched, idle_sleeptime), false, "CPUTIME_IDLE")),
		.iowait =
			in_ticks(slept(c, F(tick_sched, iowait_sleeptime), true, "CPUTIME_IOWAIT")),
		.irq = in_ticks(spent(c, "CPUTIME_IRQ")),
		.softirq = in_ticks(spent(c, "CPUTIME_SOFTIRQ")),
		.steal = in_ticks(spent(c, "CPUTIME_STEAL")),
		.guest = in_ticks(spent(c, "CPUTIME_GUEST")),
		.guest_nice = in_ticks(spent(c, "CPUTIME_GUEST_NICE")),
	};
	WALK_EMIT(c->w, cpu_time, &row);
}

static void run_times(struct walk *w)
{
	struct cpu c = {.w = w};
	struct clock_reading now;
	const char *why;

	if (!w->k->symbol[S(kernel_cpustat)]) {
		walk_unavailable(w, TABLE_cpu_time,
				 "neither symbols nor types tell where kernel_cpustat is");
		return;
	}
	if (kernel_clock(w->k, &now, &why))
		c.now = some_int(now.monotonic);
	for (size_t i = 0; i < w->k->n_cpus; i++) {
		if (!system_is_online(w, i))
			continue;
		c.stat = k_percpu(w->k, w->k->symbol[S(kernel_cpustat)], i);
		c.tick = k_percpu(w->k, w->k->symbol[S(tick_cpu_sched)], i);
		c.rq = k_percpu(w->k, w->k->symbol[S(runqueues)], i);
		if (c.stat)
			emit_cpu(&c, i);
	}
}

const struct extractor walk_load = {
	.name = "load",
	.tables = {TABLE_load_average},
	.n_tables = 1,
	.run = run_load,
};

const struct extractor walk_cpu_time = {
	.name = "cpu_time",
	.tables = {TABLE_cpu_time},
	.n_tables = 1,
	.needs = {F(kernel_cpustat, cpustat)},
	.n_needs = 1,
	.run = run_times,
};
