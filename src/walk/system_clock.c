// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's clock, from kernel/time/timekeeping.c's timekeeper.
#include "src/walk/system.h"

#include <time.h>

enum { NS_PER_S = 1000000000 };

struct reading {
	uint64_t clock, shift, frac, xtime_sec, ktime_sec, to_mono_sec, offs_real, offs_boot;
};

static bool read_timekeeper(struct walk *w, uint64_t tk, struct reading *r)
{
	struct kernel *k = w->k;

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
static bool makes_sense(const struct walk *w, const struct reading *r)
{
	const uint64_t latest = 7258118400, longest = 946684800;

	return k_plausible(w->k, r->clock) && r->shift <= 32 && r->xtime_sec < latest &&
	       r->frac >> r->shift < 2ULL * NS_PER_S &&
	       r->ktime_sec - (r->xtime_sec + r->to_mono_sec) <= 1 &&
	       r->offs_real < latest * NS_PER_S && r->offs_boot < longest * NS_PER_S;
}

// Where in tk_core the timekeeper lies: behind a sequence counter, whose size depends on debugging
// options. The type has a name since 6.13 only; tk_core is an element of an array since 6.17.
static bool find_timekeeper(struct walk *w, uint64_t core, struct reading *r)
{
	if (k_has(w->k, F(tk_data, timekeeper)))
		return read_timekeeper(w, k_field_va(w->k, core, F(tk_data, timekeeper)), r) &&
		       makes_sense(w, r);
	for (uint64_t off = w->k->word; off <= 128; off += w->k->word)
		if (read_timekeeper(w, core + off, r) && makes_sense(w, r))
			return true;
	return false;
}

bool system_clock_read(struct walk *w, struct clock_reading *out, const char **why)
{
	uint64_t core = w->k->symbol[S(timekeeper_data)];
	struct reading r;

	core = core ? core : w->k->symbol[S(tk_core)];
	if (!core || !k_has(w->k, F(timekeeper, xtime_sec))) {
		*why = "the kernel's symbols have neither timekeeper_data nor tk_core";
		return false;
	}
	if (!find_timekeeper(w, core, &r)) {
		*why = "the timekeeper is not in memory or makes no sense";
		return false;
	}
	out->wall = (int64_t)(r.xtime_sec * NS_PER_S + (r.frac >> r.shift));
	out->boot = (int64_t)(r.offs_real - r.offs_boot);
	out->uptime = out->wall - out->boot;
	return true;
}

void system_clock(struct walk *w)
{
	struct clock_reading now;
	const char *why;

	if (!system_clock_read(w, &now, &why))
		return;
	w->boot_ns = some_int(now.boot);
	w->now_boottime = some_int(now.uptime);
}

// "Mon Jan  2 15:04:05 2006 UTC"
static struct opt_text timestamp(struct walk *w, const struct tm *tm, const char *day)
{
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	return row_printf(w, "%.3s %s %2d %02d:%02d:%02d %d UTC", day, months[tm->tm_mon],
			  tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec, tm->tm_year + 1900);
}

static struct opt_text iso_8601(struct walk *w, const struct tm *tm)
{
	return row_printf(w, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm->tm_year + 1900, tm->tm_mon + 1,
			  tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
}

static void emit_time(struct walk *w, const struct clock_reading *now)
{
	static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					   "Thursday", "Friday", "Saturday"};
	time_t seconds = now->wall / NS_PER_S;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		return;
	struct row_time row = {
		.weekday = some_text(days[tm.tm_wday]),
		.year = some_int(tm.tm_year + 1900),
		.month = some_int(tm.tm_mon + 1),
		.day = some_int(tm.tm_mday),
		.hour = some_int(tm.tm_hour),
		.minutes = some_int(tm.tm_min),
		.seconds = some_int(tm.tm_sec),
		.timezone = some_text("UTC"),
		.unix_time = some_int(seconds),
		.timestamp = timestamp(w, &tm, days[tm.tm_wday]),
		.datetime = iso_8601(w, &tm),
		.iso_8601 = iso_8601(w, &tm),
		.unix_ns = some_int(now->wall),
		.boot_ns = some_int(now->boot),
	};
	WALK_EMIT(w, time, &row);
}

static void emit_uptime(struct walk *w, const struct clock_reading *now)
{
	int64_t seconds = now->uptime / NS_PER_S;
	struct row_uptime row = {
		.days = some_int(seconds / 86400),
		.hours = some_int(seconds / 3600 % 24),
		.minutes = some_int(seconds / 60 % 60),
		.seconds = some_int(seconds % 60),
		.total_seconds = some_int(seconds),
	};
	WALK_EMIT(w, uptime, &row);
}

static void run(struct walk *w)
{
	struct clock_reading now;
	const char *why;

	if (!system_clock_read(w, &now, &why)) {
		walk_unavailable(w, TABLE_time, "%s", why);
		walk_unavailable(w, TABLE_uptime, "%s", why);
		return;
	}
	emit_time(w, &now);
	emit_uptime(w, &now);
}

const struct extractor walk_clock = {
	.name = "clock",
	.tables = {TABLE_time, TABLE_uptime},
	.n_tables = 2,
	.run = run,
};
