// SPDX-License-Identifier: LGPL-2.1-or-later
// Snapshots in a series: which tasks count for which class, and what the intervals are.
#include "src/cli/series.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

static struct census c;

static void setup(void)
{
	census_init(&c);
}

static void teardown(void)
{
	census_fini(&c);
}

TestSuite(series, .init = setup, .fini = teardown);

static void thread(const char *phase)
{
	struct row_threads row = {.phase = some_text(phase)};

	c.sink.emit(&c.sink, TABLE_threads, &row);
}

static void finding(uint64_t task, const char *scope, const char *class, const char *phase)
{
	struct row_inconsistencies row = {.task_addr = some_addr(task),
					  .scope = some_text(scope),
					  .class = some_text(class),
					  .phase = some_text(phase)};

	c.sink.emit(&c.sink, TABLE_inconsistencies, &row);
}

// Tasks of a class; class NULL: any of the scope.
static size_t counted(const char *scope, const char *class)
{
	for (size_t i = 0; i < CENSUS_CLASSES; i++) {
		const char *its = census_classes[i].class;
		if (strcmp(census_classes[i].scope, scope) == 0 &&
		    (its && class ? strcmp(its, class) == 0 : its == class))
			return c.of[i].n;
	}
	cr_assert_fail("no class %s %s", scope, class ? class : "any");
	return 0;
}

Test(series, a_task_counts_once_for_each_of_its_classes)
{
	finding(1, "extrinsic", "task-died", NULL);
	finding(1, "extrinsic", "task-died", NULL);
	finding(1, "extrinsic", "attribute-changed", NULL);
	finding(2, "intrinsic", "zombie", "Z2");
	cr_expect_eq(counted("extrinsic", "task-died"), 1);
	cr_expect_eq(counted("extrinsic", "attribute-changed"), 1);
	cr_expect_eq(counted("extrinsic", NULL), 1);
	cr_expect_eq(counted("intrinsic", "zombie"), 1);
	cr_expect_eq(counted("intrinsic", NULL), 1);
	cr_expect_eq(counted("intrinsic", "fresh"), 0);
	cr_expect_eq(counted("cross-view", NULL), 0);
}

Test(series, forks_in_flight_and_remains_of_the_dead_are_no_tasks)
{
	thread(NULL);
	thread("Z2");
	thread("N0");
	thread("X2");
	thread("X3");
	finding(3, "intrinsic", "fresh", "N0");
	finding(4, "intrinsic", "zombie", "X3");
	cr_expect_eq(c.tasks, 2);
	cr_expect_eq(counted("intrinsic", NULL), 0);
}

Test(series, sums)
{
	struct series s = {0};

	thread(NULL);
	thread("Z2");
	finding(2, "intrinsic", "zombie", "Z2");
	finding(3, "intrinsic", "zombie", "Z2");
	series_add(&s, &c, "torn");
	census_fini(&c);
	census_init(&c);
	thread(NULL);
	series_add(&s, &c, "atomic-compatible");
	cr_expect_eq(s.snapshots, 2);
	cr_expect_eq(s.tasks, 3);
	cr_expect_eq(s.with[1], 1);
	cr_expect_eq(s.tasks_of[1], 2);
	cr_expect_eq(s.verdicts[0], 1);
	cr_expect_eq(s.verdicts[2], 1);
}

// The values are those of R's prop.test(k, n, correct = FALSE).
Test(series, intervals)
{
	static const struct {
		uint64_t k, n;
		double low, high;
	} known[] = {
		{0, 10, 0, 0.27754},	     {1, 10, 0.01788, 0.40415}, {12, 100, 0.06998, 0.19811},
		{50, 100, 0.40383, 0.59617}, {100, 100, 0.96301, 1},	{0, 0, 0, 1},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct interval is = wilson(known[i].k, known[i].n);
		cr_expect(fabs(is.low - known[i].low) < 5e-5, "%zu: %f", i, is.low);
		cr_expect(fabs(is.high - known[i].high) < 5e-5, "%zu: %f", i, is.high);
	}
}
