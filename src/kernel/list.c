// SPDX-License-Identifier: LGPL-2.1-or-later
// Rings (list_head) and chains (hlist, nulls list), with Brent's cycle detection.
#include "src/kernel/iter.h"

const char *iter_end_text(enum iter_end e)
{
	switch (e) {
	case ITER_MORE:
		return "not finished";
	case ITER_END:
		return "complete";
	case ITER_CYCLE:
		return "the list runs in a circle";
	case ITER_FAULT:
		return "a link leads to memory that is not there";
	case ITER_LIMIT:
		return "more entries than can be true";
	}
	return "?";
}

void list_begin(struct list_iter *it, struct kernel *k, uint64_t head, uint64_t max)
{
	*it = (struct list_iter){
		.k = k, .head = head, .at = head, .last = head, .max = max, .mark_n = 1};
}

static bool stop(enum iter_end *end, enum iter_end why)
{
	*end = why;
	return false;
}

bool list_next(struct list_iter *it, uint64_t *node)
{
	uint64_t link[2]; // next, prev: include/linux/types.h, unchanged ever since

	if (it->end != ITER_MORE)
		return false;
	uint64_t next;
	if (!k_u64(it->k, it->at, &next) || !k_plausible(next) || !k_read(it->k, next, link, 16))
		return stop(&it->end, ITER_FAULT);
	if (link[1] != it->at && !it->bad_back)
		it->bad_back = next;
	if (next == it->head)
		return stop(&it->end, ITER_END);
	if (next == it->mark)
		return stop(&it->end, ITER_CYCLE);
	if (++it->n > it->max)
		return stop(&it->end, ITER_LIMIT);
	if (it->n == it->mark_n) {
		it->mark = next;
		it->mark_n *= 2;
	}
	it->last = it->at;
	it->at = next;
	*node = next;
	return true;
}

void chain_begin(struct chain_iter *it, struct kernel *k, uint64_t first, uint64_t next_off,
		 uint64_t max)
{
	*it = (struct chain_iter){
		.k = k, .at = first, .next_off = next_off, .max = max, .mark_n = 1};
}

bool chain_next(struct chain_iter *it, uint64_t *node)
{
	if (it->end != ITER_MORE)
		return false;
	if (it->last && !k_u64(it->k, it->last + it->next_off, &it->at))
		return stop(&it->end, ITER_FAULT);
	if (it->at == 0 || it->at & 1)
		return stop(&it->end, ITER_END);
	if (!k_plausible(it->at))
		return stop(&it->end, ITER_FAULT);
	if (it->at == it->mark)
		return stop(&it->end, ITER_CYCLE);
	if (++it->n > it->max)
		return stop(&it->end, ITER_LIMIT);
	if (it->n == it->mark_n) {
		it->mark = it->at;
		it->mark_n *= 2;
	}
	it->last = it->at;
	*node = it->at;
	return true;
}
