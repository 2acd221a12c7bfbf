// SPDX-License-Identifier: LGPL-2.1-or-later
// The timekeeper, by what its fields say of each other, and the frequency of the CPU.
#include "src/kernel/deduce.h"

#include "src/base/bytes.h"

#include <string.h>

enum { NS_PER_S = 1000000000, MAX_SHIFT = 32 };
#define LATEST 7258118400ULL // the year 2200

static bool field_near(const struct deduction *d, const struct word *w, enum field f, uint64_t *v)
{
	const struct field_place *clock = &d->k->field[F(timekeeper, mono_clock)];

	return k_has(d->k, f) && word_near(w, (int64_t)d->k->field[f].off - (int64_t)clock->off, v);
}

// tk_set_wall_to_mono() (kernel/time/timekeeping.c): the clocks' distance is kept twice, as seconds
// and nanoseconds of the one, and as nanoseconds of the other.
static bool is_timekeeper(const struct deduction *d, const struct word *w, uint64_t *wall)
{
	uint64_t raw, sec, mono, nsec, real, wtm_sec, wtm_nsec;
	const struct field_place *shift = &d->k->field[F(timekeeper, mono_shift)];

	if (!field_near(d, w, F(timekeeper, raw_clock), &raw) || raw != w->value ||
	    !field_near(d, w, F(timekeeper, xtime_sec), &sec) || sec == 0 || sec > LATEST ||
	    !field_near(d, w, F(timekeeper, ktime_sec), &mono) ||
	    !field_near(d, w, F(timekeeper, offs_real), &real) || real > LATEST * NS_PER_S ||
	    !field_near(d, w, F(timekeeper, wall_to_monotonic_sec), &wtm_sec) ||
	    !field_near(d, w, F(timekeeper, wall_to_monotonic_nsec), &wtm_nsec) ||
	    !field_near(d, w, F(timekeeper, mono_xtime_nsec), &nsec) || !shift->present)
		return false;
	const uint8_t *place = w->part->bytes + (w->at - w->part->va) -
			       d->k->field[F(timekeeper, mono_clock)].off + shift->off;
	uint32_t bits = le32(place);
	if (bits > MAX_SHIFT || nsec >> bits >= 2ULL * NS_PER_S ||
	    real + wtm_sec * NS_PER_S + wtm_nsec != 0 || mono - (sec + wtm_sec) > 1)
		return false;
	*wall = sec * NS_PER_S + (nsec >> bits);
	return true;
}

// There is a copy, which is made after each change; it lies behind in time only while that happens.
void see_timekeeper(struct deduction *d, const struct word *w)
{
	const struct kernel *k = d->k;
	uint64_t wall, tk = w->at - k->field[F(timekeeper, mono_clock)].off;

	if (!w->part->writable || d->has_clock_symbol || !is_timekeeper(d, w, &wall) ||
	    wall <= d->clock_at)
		return;
	d->clock_at = wall;
	// in tk_core it lies behind a sequence counter
	d->k->symbol[S(tk_core)] =
		tk - (k_has(k, F(tk_data, timekeeper)) ? k->field[F(tk_data, timekeeper)].off : 8);
}

// --- the frequency ---

// cpu_khz and tsc_khz lie side by side (arch/x86/kernel/tsc.c) and differ at most by what measuring
// the latter again has changed, which tsc_refine_calibration_work() limits to 1 %.
static bool is_frequency(const struct deduction *d, uint32_t khz)
{
	const struct image_part *p;

	vec_foreach (p, &d->parts)
		for (size_t off = 0; p->writable && off + 8 <= p->n; off += 4) {
			uint32_t a = le32(p->bytes + off), b = le32(p->bytes + off + 4);
			if ((a == khz && b - khz + khz / 100 <= khz / 50) ||
			    (b == khz && a - khz + khz / 100 <= khz / 50))
				return true;
		}
	return false;
}

// loops_per_jiffy is tsc_khz * 1000 / HZ of the first measurement, which cpu_khz keeps.
void deduce_frequency(struct deduction *d)
{
	static const uint32_t hz[] = {250, 1000, 300, 100};
	uint64_t info = k_percpu(d->k, d->k->symbol[S(cpu_info)], 0), lpj;

	info = info ? info : d->k->symbol[S(boot_cpu_data)];
	if (d->k->symbol[S(cpu_khz)] || !k_get(d->k, info, F(cpuinfo_x86, loops_per_jiffy), &lpj))
		return;
	for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
		uint64_t khz = (lpj * hz[i] + 999) / 1000;
		if (khz < 100000 || khz > 20000000)
			continue;
		if (is_frequency(d, (uint32_t)khz)) {
			deduce_value(d, S(cpu_khz), khz);
			return;
		}
	}
}

// --- the boot CPU ---

static bool is_cpu_info(struct kernel *k, uint64_t va)
{
	uint64_t family = k_or0(k, va, F(cpuinfo_x86, x86));
	char model[2] = "";

	return family >= 3 && family < 0x40 &&
	       k_bytes(k, va, F(cpuinfo_x86, x86_model_id), model, 1) == 1 && model[0] > ' ';
}

// boot_cpu_data: on machines of one CPU the only account of it.
void deduce_boot_cpu(struct deduction *d)
{
	static const char *const vendors[] = {"GenuineIntel", "AuthenticAMD", "HygonGenuine",
					      "CentaurHauls", "  Shanghai  "};

	if (!k_has(d->k, F(cpuinfo_x86, x86_vendor_id)))
		return;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		uint64_t va = deduce_find_bytes(d, vendors[i], strlen(vendors[i]) + 1, 1);
		va -= d->k->field[F(cpuinfo_x86, x86_vendor_id)].off;
		if (deduce_is_image(d, va) && is_cpu_info(d->k, va))
			deduce_set(d, S(boot_cpu_data), va);
	}
}

// Where types do not list per-CPU variables: cpu_info of the first CPU names the maker that
// boot_cpu_data names.
void deduce_cpu_info(struct deduction *d)
{
	struct kernel *k = d->k;
	const struct field_place *vendor = &k->field[F(cpuinfo_x86, x86_vendor_id)];
	uint64_t area = k->n_cpus ? k->percpu_offset[0] : 0;
	uint8_t name[16], here[16];

	if (!area || k->symbol[S(cpu_info)] || vendor->size != sizeof(name) ||
	    !k_read(k, k->symbol[S(boot_cpu_data)] + vendor->off, name, sizeof(name)))
		return;
	for (uint64_t off = 0; off < AREA_MOST && k_read(k, area + off, here, sizeof(here));
	     off += 4)
		if (memcmp(name, here, sizeof(name)) == 0 &&
		    is_cpu_info(k, area + off - vendor->off)) {
			deduce_set(d, S(cpu_info), off - vendor->off);
			return;
		}
}
