// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's clock, as rows: the time and since when it runs.
#include "src/kernel/clock.h"
#include "src/walk/system.h"

#include <time.h>

enum { NS_PER_S = 1000000000 };

void system_clock(struct walk *w)
{
	struct clock_reading now;
	const char *why;

	if (!kernel_clock(w->k, &now, &why))
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

	if (!kernel_clock(w->k, &now, &why)) {
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
