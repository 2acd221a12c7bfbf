// SPDX-License-Identifier: LGPL-2.1-or-later
// dmesg: the records of printk's ring (kernel/printk/printk_ringbuffer.c, 5.10 on), from the oldest
// descriptor to the newest.
#include "src/walk/log.h"

#include <inttypes.h>

enum {
	MAX_COUNT_BITS = 24, // descriptors; LOG_BUF_SHIFT is at most 25, a record has 32 bytes
	MAX_SIZE_BITS = 31,  // of text; log_buf_len= is limited to 2 GiB
	NS_PER_S = 1000000000,
	NO_LPOS = 3,	  // both positions of an empty text; FAILED_LPOS, 1: it had no room
	CALLER_BITS = 31, // the highest one tells CPUs from threads: printk_caller_id()
};

// enum desc_state: the two highest bits of prb_desc.state_var; the rest is the descriptor's id.
enum { DESC_RESERVED, DESC_COMMITTED, DESC_FINALIZED, DESC_REUSABLE };

// struct printk_ringbuffer, as far as it is needed.
struct ring {
	struct walk *w;
	uint64_t descs, infos, data; // three arrays
	uint64_t desc_size, info_size;
	uint64_t count, size; // elements of the first two, bytes of the third: powers of two
	uint64_t tail, head;  // ids of the oldest and the newest descriptor
	uint64_t id_mask;
};

static bool read_bits(struct walk *w, uint64_t base, enum field f, unsigned most, uint64_t *size)
{
	uint64_t bits;

	if (!k_get(w->k, base, f, &bits) || bits == 0 || bits > most)
		return false;
	*size = 1ULL << bits;
	return true;
}

// --- finding the ring ---

static uint64_t ring_of_kernel(struct walk *w)
{
	uint64_t prb, at = w->k->symbol[S(prb)];

	return at && k_ptr(w->k, at, &prb) && k_plausible(w->k, prb) ? prb : 0;
}

static bool open_ring(struct walk *w, struct ring *r)
{
	struct kernel *k = w->k;
	uint64_t prb = ring_of_kernel(w);
	uint64_t descs = k_field_va(k, prb, F(printk_ringbuffer, desc_ring));
	uint64_t text = k_field_va(k, prb, F(printk_ringbuffer, text_data_ring));

	*r = (struct ring){.w = w};
	r->id_mask = (k->word == 8 ? UINT64_MAX : UINT32_MAX) >> 2;
	r->desc_size = k_sizeof(k, "prb_desc");
	r->info_size = k_sizeof(k, "printk_info");
	return r->desc_size && r->info_size &&
	       read_bits(w, descs, F(prb_desc_ring, count_bits), MAX_COUNT_BITS, &r->count) &&
	       read_bits(w, text, F(prb_data_ring, size_bits), MAX_SIZE_BITS, &r->size) &&
	       k_get(k, descs, F(prb_desc_ring, descs), &r->descs) &&
	       k_get(k, descs, F(prb_desc_ring, infos), &r->infos) &&
	       k_get(k, text, F(prb_data_ring, data), &r->data) &&
	       k_get(k, descs, F(prb_desc_ring, head_id), &r->head) &&
	       k_get(k, descs, F(prb_desc_ring, tail_id), &r->tail);
}

// --- one record ---

// get_data(): a block is the id of its descriptor and the text. One that would not fit before the
// end of the ring begins anew at its start; one without text is an odd pair of positions.
static bool find_block(const struct ring *r, uint64_t begin, uint64_t next, uint64_t *at,
		       uint64_t *size)
{
	uint64_t word = r->w->k->word; // positions are unsigned longs, and wrap around as they do
	uint64_t wraps = ~(r->size - 1) & (word == 8 ? UINT64_MAX : UINT32_MAX);

	if (((begin | next) & 1) || begin == next)
		return false;
	if (((begin ^ (next - 1)) & wraps) == 0 && begin < next) {
		*at = begin & (r->size - 1);
		*size = next - begin;
	} else if ((((begin + r->size) ^ (next - 1)) & wraps) == 0) {
		*at = 0;
		*size = next & (r->size - 1);
	} else {
		return false;
	}
	if (*size <= word || *size > r->size - *at || *at % word != 0)
		return false;
	*at += word;
	*size -= word;
	return true;
}

// The text of a record, unless its place is used by a later one.
static struct opt_text text_of(const struct ring *r, uint64_t id, uint64_t desc, uint64_t info)
{
	struct kernel *k = r->w->k;
	uint64_t begin, next, at, size, length, owner;

	if (!k_get(k, desc, F(prb_desc, begin), &begin) ||
	    !k_get(k, desc, F(prb_desc, next), &next) ||
	    !k_get(k, info, F(printk_info, text_len), &length))
		return (struct opt_text){0};
	if (length == 0 && begin == NO_LPOS && next == NO_LPOS)
		return some_bytes("", 0);
	if (!find_block(r, begin, next, &at, &size) || !k_ptr(k, r->data + at - k->word, &owner) ||
	    (owner & r->id_mask) != id)
		return (struct opt_text){0};
	if (length > size)
		length = size;
	char *text = arena_alloc(&r->w->row, length);
	return k_read(k, r->data + at, text, length) ? some_bytes(text, length)
						     : (struct opt_text){0};
}

static struct opt_text caller_text(struct walk *w, uint64_t info)
{
	uint64_t id;

	if (!k_get(w->k, info, F(printk_info, caller_id), &id))
		return (struct opt_text){0};
	return row_printf(w, "%c%" PRIu64, id >> CALLER_BITS & 1 ? 'C' : 'T', id & INT32_MAX);
}

// A text that is empty stands for nothing.
static struct opt_text text_or_none(struct walk *w, uint64_t info, enum field f)
{
	struct opt_text text = col_text(w, info, f);

	return text.n ? text : (struct opt_text){0};
}

static struct opt_int time_of_day(const struct walk *w, struct opt_int ns)
{
	if (!ns.set || !w->boot_ns.set)
		return (struct opt_int){0};
	return some_int(wrapping_sum(w->boot_ns.v, ns.v) / NS_PER_S);
}

// A text that had no room was never there, and is not lost.
static bool has_text(struct walk *w, uint64_t info)
{
	uint64_t length;

	return !k_get(w->k, info, F(printk_info, text_len), &length) || length > 0;
}

static void emit_record(const struct ring *r, uint64_t id, uint64_t state)
{
	static const char *const states[] = {"reserved", "committed", "finalized"};
	struct walk *w = r->w;
	uint64_t place = id & (r->count - 1);
	uint64_t desc = r->descs + place * r->desc_size, info = r->infos + place * r->info_size;
	struct row_dmesg row = {
		.seq = col_int(w, info, F(printk_info, seq)),
		.facility = col_int(w, info, F(printk_info, facility)),
		.priority = col_int(w, info, F(printk_info, level)),
		.timestamp_ns = col_int(w, info, F(printk_info, ts_nsec)),
		.caller = caller_text(w, info),
		.subsystem = text_or_none(w, info, F(printk_info, subsystem)),
		.device = text_or_none(w, info, F(printk_info, device)),
		.state = some_text(states[state]),
		.info_addr = some_addr(info),
	};

	row.time = time_of_day(w, row.timestamp_ns);
	if (state != DESC_RESERVED) // which is being written
		row.message = text_of(r, id, desc, info);
	if (!row.message.p && state == DESC_FINALIZED && has_text(w, info))
		walk_problem(w, WARNING, TABLE_dmesg, 0, desc,
			     "the text of record %" PRId64 " of the log is not there", row.seq.v);
	WALK_EMIT(w, dmesg, &row);
}

// --- all of them ---

// False if what is there is no descriptor of that id.
static bool state_of(const struct ring *r, uint64_t id, uint64_t *state)
{
	uint64_t var, desc = r->descs + (id & (r->count - 1)) * r->desc_size;

	if (!k_get(r->w->k, desc, F(prb_desc, state_var), &var) || (var & r->id_mask) != id)
		return false;
	*state = var >> (r->w->k->word * 8 - 2) & 3;
	return true;
}

static void walk_ring(const struct ring *r)
{
	uint64_t n = ((r->head - r->tail) & r->id_mask) + 1, state, strange = 0;

	if (n > r->count) {
		walk_problem(r->w, ERROR, TABLE_dmesg, 0, r->descs,
			     "the log has %" PRIu64 " records in a ring of %" PRIu64, n, r->count);
		n = r->count;
	}
	for (uint64_t i = 0; i < n; i++) {
		uint64_t id = (r->tail + i) & r->id_mask;
		if (!state_of(r, id, &state))
			strange++;
		else if (state != DESC_REUSABLE)
			emit_record(r, id, state);
	}
	if (strange)
		walk_problem(r->w, WARNING, TABLE_dmesg, 0, r->descs,
			     "%" PRIu64 " records of the log are others than expected there",
			     strange);
}

static void run(struct walk *w)
{
	struct ring r;

	if (!w->k->symbol[S(prb)])
		walk_unavailable(w, TABLE_dmesg,
				 "neither symbols nor VMCOREINFO tell where the log is");
	else if (!open_ring(w, &r))
		walk_problem(w, ERROR, TABLE_dmesg, 0, w->k->symbol[S(prb)],
			     "the ring of the kernel's log can't be read");
	else
		walk_ring(&r);
}

const struct extractor walk_log = {
	.name = "log",
	.tables = {TABLE_dmesg},
	.n_tables = 1,
	.needs = {F(printk_ringbuffer, desc_ring), F(prb_desc_ring, infos), F(prb_desc, begin),
		  F(printk_info, text_len)},
	.n_needs = 4,
	.run = run,
};
