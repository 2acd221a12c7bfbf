// SPDX-License-Identifier: LGPL-2.1-or-later
// Free memory: every zone's lists of free blocks, and how many there are. They lie all over the
// memory and change all the time. mm/page_alloc.c: both under zone->lock.
#include "src/check/atomicity.h"
#include "src/walk/system.h"

#include <inttypes.h>

// list_heads of a free_area: one for each migrate type.
static uint64_t count_blocks(struct atomicity *a, const struct violation *v, uint64_t area)
{
	const struct field_place *lists = &a->w->k->field[F(free_area, free_list)];
	uint64_t n = 0;

	for (size_t i = 0; i < lists->n_elem; i++)
		n += rule_ring(a, v, area + lists->off + i * lists->elem_size);
	return n;
}

static void check_area(struct atomicity *a, uint64_t area, enum lock_state lock)
{
	struct violation v = {.rule = INV_free_links, .lock = lock};
	uint64_t broken = a->of[v.rule].violated, free, blocks = count_blocks(a, &v, area);

	v.rule = INV_free_counts;
	if (!k_get(a->w->k, area, F(free_area, nr_free), &free) || a->budget == 0 ||
	    a->of[INV_free_links].violated != broken)
		rule_unevaluable(a, v.rule); // what a broken list holds is anyone's guess
	else
		rule_equal(a, &v, "nr_free", free, "blocks", blocks);
}

static void check_zone(void *arg, uint64_t zone)
{
	struct atomicity *a = arg;
	struct kernel *k = a->w->k;
	const struct field_place *areas = &k->field[F(zone, free_area)];
	enum lock_state lock = k_spinlock(k, k_field_va(k, zone, F(zone, lock)));

	if (k_or0(k, zone, F(zone, present_pages)) == 0)
		return; // its lists were never made
	for (size_t i = 0; i < areas->n_elem; i++)
		check_area(a, zone + areas->off + i * areas->elem_size, lock);
}

void atomicity_of_zones(struct atomicity *a)
{
	if (k_has(a->w->k, F(zone, free_area)) && k_has(a->w->k, F(free_area, free_list)))
		system_each_zone(a->w, check_zone, a);
	for (enum invariant i = INV_free_counts; i <= INV_free_links; i++)
		if (a->of[i].evaluated == 0)
			rule_unevaluable(a, i); // no zone was found
}
