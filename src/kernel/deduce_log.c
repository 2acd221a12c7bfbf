// SPDX-License-Identifier: LGPL-2.1-or-later
// The ring of the kernel's log, where VMCOREINFO does not tell: a pointer to a structure whose
// newest and oldest descriptor say that they are these.
#include "src/kernel/deduce.h"

#include "src/base/bytes.h"

enum { MOST_BITS = 24 };

// prb_desc.state_var: two bits of state, and the id.
static bool has_id(struct kernel *k, uint64_t descs, uint64_t id, uint64_t count)
{
	uint64_t var, at = descs + (id & (count - 1)) * k_sizeof(k, "prb_desc");

	return k_plausible(k, at) && k_get(k, at, F(prb_desc, state_var), &var) &&
	       ((var ^ id) << 2) == 0;
}

static bool is_ring(struct kernel *k, uint64_t prb)
{
	uint64_t ring = k_field_va(k, prb, F(printk_ringbuffer, desc_ring));
	uint64_t bits, descs, head, tail;

	return k_get(k, ring, F(prb_desc_ring, count_bits), &bits) && bits > 0 &&
	       bits <= MOST_BITS && k_get(k, ring, F(prb_desc_ring, descs), &descs) &&
	       k_plausible(k, descs) && k_get(k, ring, F(prb_desc_ring, head_id), &head) &&
	       k_get(k, ring, F(prb_desc_ring, tail_id), &tail) &&
	       has_id(k, descs, head, 1ULL << bits) && has_id(k, descs, tail, 1ULL << bits);
}

// `prb` (kernel/printk/printk.c) points to printk_rb_static or printk_rb_dynamic, both of the
// image.
void deduce_log(struct deduction *d)
{
	const struct image_part *p;

	if (d->k->symbol[S(prb)] || d->k->symbol[S(vmcoreinfo_data)] ||
	    !k_has(d->k, F(printk_ringbuffer, desc_ring)) || !k_sizeof(d->k, "prb_desc"))
		return;
	vec_foreach (p, &d->parts)
		for (size_t off = 0; p->writable && off + 8 <= p->n; off += 8) {
			uint64_t v = le64(p->bytes + off);
			if (v % 8 == 0 && deduce_is_image(d, v) && is_ring(d->k, v)) {
				deduce_set(d, S(prb), p->va + off);
				return;
			}
		}
}
