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
	case ITER_TORN:
		return "links that contradict each other";
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

// Whether the node was visited; looked up by going through the list again, so not too often.
static bool was_visited(struct list_iter *it, uint64_t node)
{
	uint64_t at = it->head;

	for (uint64_t i = 0; i < it->n && it->rechecked < 8 * it->n + 1024; i++, it->rechecked++)
		if (!k_ptr(it->k, at, &at) || at == node)
			return at == node;
	return false;
}

// A node has one prev, so one that is reached a second time does not match at least once.
static bool leads_back(struct list_iter *it, uint64_t next, uint64_t prev)
{
	if (next == it->mark || next == it->bad_back)
		return true;
	if (prev == it->at)
		return false;
	if (!it->bad_back)
		it->bad_back = next;
	return was_visited(it, next);
}

bool list_next(struct list_iter *it, uint64_t *node)
{
	uint64_t next;
	uint8_t link[16]; // next, prev: include/linux/types.h, unchanged ever since
	size_t word = it->k->word;

	if (it->end != ITER_MORE)
		return false;
	if (!k_ptr(it->k, it->at, &next) || !k_plausible(it->k, next) ||
	    !k_read(it->k, next, link, 2 * word))
		return stop(&it->end, ITER_FAULT);
	uint64_t prev = k_ptr_in(it->k, link + word);
	if (next == it->head) {
		it->bad_back = it->bad_back || prev == it->at ? it->bad_back : next;
		return stop(&it->end, ITER_END);
	}
	if (leads_back(it, next, prev))
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
	if (it->last && !k_ptr(it->k, it->last + it->next_off, &it->at))
		return stop(&it->end, ITER_FAULT);
	if (it->at == 0 || (it->at & 1 && (it->odd_ends || !k_plausible(it->k, it->at))))
		return stop(&it->end, ITER_END);
	if (it->at & 1 || !k_plausible(it->k, it->at))
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
