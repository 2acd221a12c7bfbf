// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's clock, from kernel/time/timekeeping.c's timekeeper.
#include "src/kernel/clock.h"

enum { NS_PER_S = 1000000000 };

struct reading {
	uint64_t clock, shift, frac, xtime_sec, ktime_sec, to_mono_sec, offs_real, offs_boot;
};

static bool read_timekeeper(struct kernel *k, uint64_t tk, struct reading *r)
{
	return k_get(k, tk, F(timekeeper, mono_clock), &r->clock) &&
	       k_get(k, tk, F(timekeeper, mono_shift), &r->shift) &&
	       k_get(k, tk, F(timekeeper, mono_xtime_nsec), &r->frac) &&
	       k_get(k, tk, F(timekeeper, xtime_sec), &r->xtime_sec) &&
	       k_get(k, tk, F(timekeeper, ktime_sec), &r->ktime_sec) &&
	       k_get(k, tk, F(timekeeper, wall_to_monotonic_sec), &r->to_mono_sec) &&
	       k_get(k, tk, F(timekeeper, offs_real), &r->offs_real) &&
	       k_get(k, tk, F(timekeeper, offs_boot), &r->offs_boot);
}

// tk_update_ktime_data(): ktime_sec is xtime_sec + wall_to_monotonic, in whole seconds. Times after
// the year 2200 and suspensions of 30 years are taken for rubbish, so that all sums here fit.
static bool makes_sense(const struct kernel *k, const struct reading *r)
{
	const uint64_t latest = 7258118400, longest = 946684800;

	return k_plausible(k, r->clock) && r->shift <= 32 && r->xtime_sec < latest &&
	       r->frac >> r->shift < 2ULL * NS_PER_S &&
	       r->ktime_sec - (r->xtime_sec + r->to_mono_sec) <= 1 &&
	       r->offs_real < latest * NS_PER_S && r->offs_boot < longest * NS_PER_S;
}

// Where in tk_core the timekeeper lies: behind a sequence counter, whose size depends on debugging
// options. The type has a name since 6.13 only; tk_core is an element of an array since 6.17.
static bool find_timekeeper(struct kernel *k, uint64_t core, struct reading *r)
{
	if (k_has(k, F(tk_data, timekeeper)))
		return read_timekeeper(k, k_field_va(k, core, F(tk_data, timekeeper)), r) &&
		       makes_sense(k, r);
	for (uint64_t off = k->word; off <= 128; off += k->word)
		if (read_timekeeper(k, core + off, r) && makes_sense(k, r))
			return true;
	return false;
}

bool kernel_clock(struct kernel *k, struct clock_reading *out, const char **why)
{
	uint64_t core = k->symbol[S(timekeeper_data)];
	struct reading r;

	core = core ? core : k->symbol[S(tk_core)];
	if (!core || !k_has(k, F(timekeeper, xtime_sec))) {
		*why = "the kernel's symbols have neither timekeeper_data nor tk_core";
		return false;
	}
	if (!find_timekeeper(k, core, &r)) {
		*why = "the timekeeper is not in memory or makes no sense";
		return false;
	}
	out->wall = (int64_t)(r.xtime_sec * NS_PER_S + (r.frac >> r.shift));
	out->boot = (int64_t)(r.offs_real - r.offs_boot);
	out->uptime = out->wall - out->boot;
	out->monotonic = out->uptime - (int64_t)r.offs_boot;
	return true;
}
