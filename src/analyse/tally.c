// SPDX-License-Identifier: LGPL-2.1-or-later
// One small observer for each table that the summary speaks of.
#include "src/analyse/tally.h"

#include <stdio.h>
#include <string.h>

const char *const lifecycle_names[LIFECYCLE_COUNT] = {"live", "fresh", "dying", "as-good-as-dead",
						      "zombie"};

static bool is_text(struct opt_text t, const char *s)
{
	return t.p && t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static void keep(char to[static TALLY_TEXT], struct opt_text t)
{
	if (t.p)
		(void)snprintf(to, TALLY_TEXT, "%.*s", (int)(t.n < TALLY_TEXT ? t.n : TALLY_TEXT),
			       t.p);
}

// A fork in flight, or what is left of the dead: no process that one could ask for.
static bool is_outside(struct opt_text found_by, struct opt_text phase)
{
	return !is_text(found_by, "tasks") && (is_text(phase, "N0") || is_text(phase, "N1") ||
					       is_text(phase, "X2") || is_text(phase, "X3"));
}

static void see_thread(struct tally *t, const void *row)
{
	const struct row_threads *r = row;

	t->outside_threads += is_outside(r->found_by, r->phase);
}

static void see_process(struct tally *t, const void *row)
{
	const struct row_processes *r = row;

	if (is_outside(r->found_by, r->phase)) {
		t->outside_processes++;
		return;
	}
	t->kthreads += r->is_kthread.set && r->is_kthread.v;
	for (size_t i = 0; i < LIFECYCLE_COUNT; i++)
		t->lifecycle[i] += is_text(r->lifecycle, lifecycle_names[i]);
}

static void see_socket(struct tally *t, const void *row)
{
	const struct row_sockets *r = row;

	if (!r->protocol.set || r->protocol.v != 6)
		return;
	t->listening += is_text(r->state, "LISTEN");
	t->established += is_text(r->state, "ESTABLISHED");
}

static void see_problem(struct tally *t, const void *row)
{
	const struct row_problems *r = row;

	t->errors += is_text(r->severity, "error");
	t->warnings += is_text(r->severity, "warning");
}

static void see_inconsistency(struct tally *t, const void *row)
{
	const struct row_inconsistencies *r = row;

	t->intrinsic += is_text(r->scope, "intrinsic");
	t->extrinsic += is_text(r->scope, "extrinsic");
}

static void see_coverage(struct tally *t, const void *row)
{
	const struct row_coverage *r = row;

	for (unsigned id = 0; id < TABLE_COUNT; id++)
		if (is_text(r->table_name, schema_tables[id].name))
			t->covered[id] = true;
	t->partial += is_text(r->status, "partial");
	t->unavailable += is_text(r->status, "unavailable");
}

static void see_system(struct tally *t, const void *row)
{
	const struct row_system_info *r = row;

	keep(t->hostname, r->hostname);
	keep(t->cpu, r->cpu_brand);
	if (r->cpu_logical_cores.set)
		t->cpus = r->cpu_logical_cores.v;
}

static void see_os(struct tally *t, const void *row)
{
	const struct row_os_version *r = row;

	keep(t->os_name, r->name);
	keep(t->arch, r->arch);
}

static void see_kernel(struct tally *t, const void *row)
{
	keep(t->release, ((const struct row_kernel_info *)row)->version);
}

static void see_time(struct tally *t, const void *row)
{
	keep(t->clock, ((const struct row_time *)row)->iso_8601);
}

static void see_uptime(struct tally *t, const void *row)
{
	const struct row_uptime *r = row;

	if (r->total_seconds.set)
		t->uptime = r->total_seconds.v;
}

static void (*const observers[TABLE_COUNT])(struct tally *t, const void *row) = {
	[TABLE_processes] = see_process,
	[TABLE_threads] = see_thread,
	[TABLE_sockets] = see_socket,
	[TABLE_problems] = see_problem,
	[TABLE_inconsistencies] = see_inconsistency,
	[TABLE_coverage] = see_coverage,
	[TABLE_system_info] = see_system,
	[TABLE_os_version] = see_os,
	[TABLE_kernel_info] = see_kernel,
	[TABLE_time] = see_time,
	[TABLE_uptime] = see_uptime,
};

static void pass_on(struct tally *t, enum table_id table, const void *row)
{
	struct row_coverage timeless;

	if (t->without_times && table == TABLE_coverage) {
		timeless = *(const struct row_coverage *)row;
		timeless.duration_ms.set = false;
		row = &timeless;
	}
	t->next->emit(t->next, table, row);
}

static void emit(struct sink *sink, enum table_id table, const void *row)
{
	struct tally *t = (struct tally *)sink;

	if (!t->wanted[table])
		return;
	t->rows[table]++;
	if (observers[table])
		observers[table](t, row);
	pass_on(t, table, row);
	sink->failed = t->next->failed;
}

void tally_init(struct tally *t, struct sink *next, const bool *wanted, bool without_times)
{
	*t = (struct tally){.sink = {.emit = emit, .failed = next->failed},
			    .next = next,
			    .wanted = wanted,
			    .without_times = without_times,
			    .cpus = -1,
			    .uptime = -1};
}
