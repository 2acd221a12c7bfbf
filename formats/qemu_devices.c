// SPDX-License-Identifier: LGPL-2.1-or-later
// Sections of devices in a migration stream: vCPUs, the CMOS, what the guest was doing.
//
// A section's size is written nowhere. Since 2.2 a description of all of them stands behind the
// stream; with that they are walked one after the other. Without it, or where it does not fit, the
// few that matter are searched for by their headers.
#include "formats/qemu_stream.h"

#include "formats/qemu_cpu.h"
#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <string.h>

enum {
	AREA_MAX = 64 << 20, // thousands of vCPUs
	FULL = 0x04,
	DESCRIPTION = 0x06,
	FOOTER = 0x7e,
	FOOTER_SIZE = 5,
	VCPUS_MAX = 4096,
	MISSED_MAX = 4, // each costs a search through everything
	CMOS_SIZE = 128,
	CMOS_LOW = 0x34,  // le16, in 64 KiB above 16 MiB (QEMU hw/i386/x86.c, pc.c: pc_cmos_init)
	CMOS_HIGH = 0x5b, // le24, in 64 KiB above 4 GiB
	RUNSTATE_SIZE = 100,
};

struct area {
	struct qemu_stream *s;
	uint8_t *at;
	size_t n;
	VEC(struct vcpu) vcpus;
};

// --- What is taken out of a section ---

static void take_vcpu(struct area *a, uint32_t instance, const struct vmdesc_device *d,
		      uint32_t version, size_t at)
{
	struct vcpu v = {.cpu = instance};
	bool ok = d ? qemu_cpu_described(&v, d, a->at + at, a->n - at)
		    : qemu_cpu_fixed(&v, version, a->at + at, a->n - at);

	if (ok && a->vcpus.n < VCPUS_MAX)
		vec_push(&a->vcpus, v);
}

static void take_cmos(struct area *a, size_t at)
{
	const uint8_t *cmos = a->at + at;

	if (a->n - at < CMOS_SIZE)
		return;
	a->s->low_ram = ((uint64_t)le16(cmos + CMOS_LOW) << 16) + (16 << 20);
	a->s->high_ram = le_n(cmos + CMOS_HIGH, 3) << 16;
}

// be32 size, then the name of the state, NUL-terminated (migration/global_state.c).
static void take_runstate(struct area *a, size_t at)
{
	size_t max = sizeof(a->s->runstate) - 1;

	if (a->n - at < 4 + RUNSTATE_SIZE)
		return;
	memcpy(a->s->runstate, a->at + at + 4, max);
	a->s->runstate[max] = '\0';
	for (const char *p = a->s->runstate; *p; p++)
		if ((*p < 'a' || *p > 'z') && *p != '-')
			a->s->runstate[0] = '\0';
}

static void take_section(struct area *a, const char *name, uint32_t instance,
			 const struct vmdesc_device *d, uint32_t version, size_t at)
{
	if (strcmp(name, "cpu") == 0)
		take_vcpu(a, instance, d, version, at);
	else if (strcmp(name, "mc146818rtc") == 0)
		take_cmos(a, at);
	else if (strcmp(name, "globalstate") == 0)
		take_runstate(a, at);
}

// --- Headers: 04, be32 number, u8 length, name, be32 instance, be32 version ---

static size_t header_size(const char *name)
{
	return 1 + 4 + 1 + strlen(name) + 4 + 4;
}

static bool header_at(const struct area *a, size_t at, const char *name, uint32_t instance)
{
	size_t n = strlen(name);
	const uint8_t *p = a->at + at;

	return at <= a->n && a->n - at >= header_size(name) && p[0] == FULL && p[5] == n &&
	       memcmp(p + 6, name, n) == 0 && be32(p + 6 + n) == instance;
}

// The header from a place on, or false.
static bool search(const struct area *a, size_t from, const char *name, uint32_t instance,
		   size_t *at)
{
	for (size_t i = from; i < a->n; i++) {
		const uint8_t *hit = memchr(a->at + i, FULL, a->n - i);
		if (!hit)
			return false;
		i = (size_t)(hit - a->at);
		if (header_at(a, i, name, instance)) {
			*at = i;
			return true;
		}
	}
	return false;
}

// --- With a description ---

static bool described_at(const struct area *a, size_t at)
{
	const uint8_t *p = a->at + at;

	if (a->n - at < 5 + 2 || p[0] != DESCRIPTION || p[5] != '{')
		return false;
	size_t n = be32(p + 1);
	return n >= 2 && n <= a->n - at - 5 && p[5 + n - 1] == '}';
}

// The last one counts: what a device's section holds may look like one.
static bool find_description(const struct area *a, size_t *at)
{
	size_t n = a->n;
	const uint8_t *hit;

	while ((hit = memrchr(a->at, DESCRIPTION, n))) {
		n = (size_t)(hit - a->at);
		if (described_at(a, n)) {
			*at = n;
			return true;
		}
	}
	return false;
}

// Whether something that can follow a section stands there.
static bool ends_at(const struct area *a, uint64_t at)
{
	return at < a->n && (a->at[at] == FOOTER || a->at[at] == FULL || a->at[at] == 0);
}

// The device's section, at or behind *at, which goes on behind it; false if it is not there.
static bool walk_device(struct area *a, const struct vmdesc_device *d, size_t *at)
{
	size_t head = *at, n = header_size(d->name);

	if (!header_at(a, head, d->name, d->instance) &&
	    !search(a, head, d->name, d->instance, &head))
		return false;
	size_t payload = head + n;
	take_section(a, d->name, d->instance, d, be32(a->at + payload - 4), payload);
	*at = payload;
	if (d->size <= a->n - payload && ends_at(a, payload + d->size)) {
		*at = payload + (size_t)d->size;
		*at += a->at[*at] == FOOTER && a->n - *at >= FOOTER_SIZE ? FOOTER_SIZE : 0;
	}
	return true;
}

static void walk_described(struct area *a)
{
	struct vmdesc_device d = {.name = ""};
	struct json_in j;
	size_t at, pos = 0, missed = 0;

	if (!find_description(a, &at) || !vmdesc_open(&j, a->at + at + 5, be32(a->at + at + 1)))
		return;
	a->s->described = true;
	a->n = at; // headers are not searched for in it
	while (missed < MISSED_MAX && vmdesc_next(&j, &d))
		missed += !walk_device(a, &d, &pos);
	vec_fini(&d.fields);
}

// --- Without ---

static void search_one(struct area *a, const char *name)
{
	size_t at;

	if (search(a, 0, name, 0, &at))
		take_section(a, name, 0, NULL, 0, at + header_size(name));
}

static void search_all(struct area *a)
{
	size_t head, from = 0, n = header_size("cpu");

	for (uint32_t i = 0; i < VCPUS_MAX && search(a, from, "cpu", i, &head); i++) {
		from = head + n;
		take_section(a, "cpu", i, NULL, be32(a->at + from - 4), from);
	}
	if (!a->s->low_ram)
		search_one(a, "mc146818rtc");
	if (!a->s->runstate[0])
		search_one(a, "globalstate");
}

void qemu_devices(struct qemu_stream *s)
{
	struct area a = {.s = s};
	uint64_t n = s->dev_end - s->dev_off;

	if (!s->dev_off)
		return;
	a.n = n < AREA_MAX ? (size_t)n : AREA_MAX;
	_cleanup_free_ uint8_t *bytes = mem_alloc(a.n);
	a.at = bytes;
	if (io_read(s->img->io, s->dev_off, bytes, a.n, &a.n))
		a.n = 0;
	walk_described(&a);
	if (a.vcpus.n == 0)
		search_all(&a);
	s->img->vcpus = a.vcpus.at;
	s->img->n_vcpus = a.vcpus.n;
}
