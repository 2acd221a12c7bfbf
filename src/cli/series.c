// SPDX-License-Identifier: LGPL-2.1-or-later
// Shares of snapshots and of tasks.
#include "src/cli/series.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *const series_verdicts[SERIES_VERDICTS] = {"atomic-compatible", "locally torn", "torn",
						      "undecidable"};

void series_add(struct series *s, const struct census *c, const char *verdict)
{
	s->snapshots++;
	s->tasks += c->tasks;
	for (size_t i = 0; i < CENSUS_CLASSES; i++) {
		s->with[i] += c->of[i].n != 0;
		s->tasks_of[i] += c->of[i].n;
	}
	for (size_t i = 0; i < SERIES_VERDICTS; i++)
		s->verdicts[i] += strcmp(verdict, series_verdicts[i]) == 0;
}

struct interval wilson(uint64_t k, uint64_t n)
{
	const double z = 1.959963984540054; // of the normal distribution, 95 % between -z and z

	if (n == 0)
		return (struct interval){0, 1};
	double share = (double)k / (double)n, zz = z * z / (double)n;
	double middle = (share + zz / 2) / (1 + zz);
	double half = z * sqrt((share * (1 - share) + zz / 4) / (double)n) / (1 + zz);
	// at the ends the formula is exact, its arithmetic is not
	return (struct interval){k == 0 ? 0 : middle - half, k == n ? 1 : middle + half};
}

// "  12 of 100   12.00 %  (7.00 - 19.81)"
static void print_share(FILE *out, uint64_t k, uint64_t n)
{
	struct interval i = wilson(k, n);

	if (n == 0)
		(void)fprintf(out, " %15s %8s   %-15s", "-", "-", "-");
	else
		(void)fprintf(out, " %6" PRIu64 " of %-5" PRIu64 " %6.2f %%  %6.2f -%6.2f %%", k, n,
			      100 * (double)k / (double)n, 100 * i.low, 100 * i.high);
}

void series_text(const struct series *s, FILE *out)
{
	(void)fprintf(out, "%" PRIu64 " snapshots, %" PRIu64 " unreadable, %" PRIu64 " tasks\n\n",
		      s->snapshots, s->unreadable, s->tasks);
	(void)fprintf(out, "%-10s %-17s %-39s %s\n", "scope", "class", " snapshots that have some",
		      " tasks");
	for (size_t i = 0; i < CENSUS_CLASSES; i++) {
		const struct census_class *c = &census_classes[i];
		(void)fprintf(out, "%-10s %-17s", c->scope, c->class ? c->class : "any");
		print_share(out, s->with[i], s->snapshots);
		print_share(out, s->tasks_of[i], s->tasks);
		(void)fputc('\n', out);
	}
	(void)fputc('\n', out);
	for (size_t i = 0; i < SERIES_VERDICTS; i++) {
		(void)fprintf(out, "%-10s %-17s", "verdict", series_verdicts[i]);
		print_share(out, s->verdicts[i], s->snapshots);
		(void)fputc('\n', out);
	}
}
