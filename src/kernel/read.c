// SPDX-License-Identifier: LGPL-2.1-or-later
// Typed reads of kernel structures.
#include "src/kernel/kernel.h"

#include <string.h>

static bool note_fault(struct kernel *k, uint64_t va, enum as_fault why)
{
	if (k->faults.count++ == 0) {
		k->faults.first_va = va;
		k->faults.first_why = why;
	}
	return false;
}

struct kernel_faults kernel_faults_take(struct kernel *k)
{
	struct kernel_faults f = k->faults;

	k->faults = (struct kernel_faults){0};
	return f;
}

bool k_read(struct kernel *k, uint64_t va, void *buf, size_t n)
{
	enum as_fault f = aspace_read(&k->as, va, buf, n);

	return f == AS_OK || note_fault(k, va, f);
}

bool k_u64(struct kernel *k, uint64_t va, uint64_t *v)
{
	uint8_t raw[8];

	if (!k_read(k, va, raw, sizeof(raw)))
		return false;
	*v = le64(raw);
	return true;
}

bool k_u32(struct kernel *k, uint64_t va, uint32_t *v)
{
	uint8_t raw[4];

	if (!k_read(k, va, raw, sizeof(raw)))
		return false;
	*v = le32(raw);
	return true;
}

bool k_ptr(struct kernel *k, uint64_t va, uint64_t *v)
{
	uint8_t raw[8];

	if (!k_read(k, va, raw, k->word))
		return false;
	*v = k_ptr_in(k, raw);
	return true;
}

bool k_long(struct kernel *k, uint64_t va, int64_t *v)
{
	uint8_t raw[8];

	if (!k_read(k, va, raw, k->word))
		return false;
	*v = k->word == 8 ? (int64_t)le64(raw) : (int32_t)le32(raw);
	return true;
}

// Bytes come in the order of bits, whatever the width: the guest is little-endian.
bool k_bit(struct kernel *k, uint64_t bitmap, uint64_t i, bool *set)
{
	uint8_t byte;

	if (!k_read(k, bitmap + i / 8, &byte, 1))
		return false;
	*set = byte >> i % 8 & 1;
	return true;
}

bool k_variable(struct kernel *k, enum symbol s, size_t size, uint64_t *v)
{
	uint8_t raw[8];

	if (!k->symbol[s]) {
		*v = k->deduced[s].value;
		return k->deduced[s].known;
	}
	if (size == 0 || size > sizeof(raw) || !k_read(k, k->symbol[s], raw, size))
		return false;
	*v = le_n(raw, size);
	return true;
}

// bits: 1 to 64
static uint64_t sign_extend(uint64_t v, unsigned bits)
{
	unsigned unused = (64 - bits) & 63;

	return (uint64_t)((int64_t)(v << unused) >> unused);
}

static bool get_bits(struct kernel *k, uint64_t va, const struct field_place *p, uint64_t *v)
{
	uint8_t raw[9];
	size_t n = (p->bit_off + p->bit_size + 7U) / 8;

	if (n > 8 || !k_read(k, va, raw, n))
		return false;
	*v = le_n(raw, n) >> p->bit_off;
	if (p->bit_size < 64)
		*v &= (1ULL << p->bit_size) - 1;
	return true;
}

bool k_get_at(struct kernel *k, uint64_t base, enum field f, size_t i, uint64_t *v)
{
	const struct field_place *p = &k->field[f];
	uint8_t raw[8];

	if (!p->present || !base)
		return false;
	if (p->bit_size)
		return get_bits(k, base + p->off, p, v);
	size_t n = p->elem_size;
	if (n == 0 || n > 8 || !k_read(k, base + p->off + i * n, raw, n))
		return false;
	*v = le_n(raw, n);
	if (p->is_pointer)
		*v = k_untag(k, *v);
	if (p->is_signed)
		*v = sign_extend(*v, (unsigned)n * 8);
	return true;
}

bool k_get(struct kernel *k, uint64_t base, enum field f, uint64_t *v)
{
	return k_get_at(k, base, f, 0, v);
}

uint64_t k_or0(struct kernel *k, uint64_t base, enum field f)
{
	uint64_t v;

	return k_get(k, base, f, &v) ? v : 0;
}

size_t k_bytes(struct kernel *k, uint64_t base, enum field f, void *buf, size_t n)
{
	const struct field_place *p = &k->field[f];

	if (!p->present || !base)
		return 0;
	if (n > p->size)
		n = p->size;
	return k_read(k, base + p->off, buf, n) ? n : 0;
}

uint64_t k_field_va(const struct kernel *k, uint64_t base, enum field f)
{
	return k->field[f].present && base ? base + k->field[f].off : 0;
}

char *k_string(struct kernel *k, struct arena *a, uint64_t va, size_t max)
{
	char *s = arena_alloc(a, max + 1);
	enum as_fault why;
	size_t n = aspace_read_some(&k->as, va, s, max, &why);

	s[n] = '\0';
	if (n < max && !memchr(s, '\0', n))
		(void)note_fault(k, va + n, why); // cut off
	return n ? s : NULL;
}

char *k_text(struct kernel *k, struct arena *a, uint64_t base, enum field f)
{
	const struct field_place *p = &k->field[f];

	if (!p->present || !base || p->size > 4096)
		return NULL;
	return k_string(k, a, base + p->off, p->size);
}

uint64_t k_percpu(const struct kernel *k, uint64_t var, size_t cpu)
{
	if (!var || cpu >= k->n_cpus)
		return 0;
	if (k->uniprocessor)
		return var;
	return k->percpu_offset[cpu] ? (var + k->percpu_offset[cpu]) & k->va_mask : 0;
}

bool k_percpu_sum(struct kernel *k, uint64_t ptr, uint64_t delta, size_t size, int64_t *sum)
{
	uint8_t raw[8];
	uint64_t total = 0;

	if (!ptr || size == 0 || size > 8 || k->n_cpus == 0)
		return false;
	for (size_t cpu = 0; cpu < k->n_cpus; cpu++) {
		uint64_t va = k_percpu(k, ptr, cpu);
		if (!va)
			continue;
		if (!k_read(k, va + delta, raw, size))
			return false;
		total += sign_extend(le_n(raw, size), (unsigned)size * 8);
	}
	*sum = (int64_t)total;
	return true;
}

bool k_percpu_counter(struct kernel *k, uint64_t counter, int64_t *value)
{
	uint64_t count;
	int64_t parts = 0;

	if (!k_get(k, counter, F(percpu_counter, count), &count))
		return false;
	if (k_has(k, F(percpu_counter, counters)) &&
	    !k_percpu_sum(k, k_or0(k, counter, F(percpu_counter, counters)), 0, 4, &parts))
		return false;
	*value = (int64_t)(count + (uint64_t)parts);
	return true;
}
