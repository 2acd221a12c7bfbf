// SPDX-License-Identifier: LGPL-2.1-or-later
// Records of a libxc stream (Xen docs/specs/libxc-migration-stream, versions 2 and 3): u32 type,
// u32 length, body, padding to 8 bytes.
//
// A live save has many passes over memory, and what comes later wins. Only the lists of frames are
// read; the pages themselves are skipped.
#include "formats/xensave.h"

#include "formats/xencpu.h"
#include "src/base/bytes.h"

enum {
	RECORD_END = 0,
	RECORD_PAGE_DATA = 1,
	RECORD_PV_INFO = 2,
	RECORD_PV_VCPU_BASIC = 4,
	RECORD_HVM_CONTEXT = 9,
	HVM_CPU = 2,	     // hvm_save_descriptor.typecode
	HVM_CPU_MOST = 2048, // of its bytes; Xen 4.17 has 1032
	CPUS_MAX = 8192,
};

// Bits 63-60 of an entry: the type of the page. The last three have no contents: broken, to be
// allocated only, and no page of the guest's any more.
static bool has_contents(uint64_t entry)
{
	return entry >> 60 < 0xd;
}

static uint64_t frame_of(uint64_t entry)
{
	return entry & ((UINT64_C(1) << 52) - 1);
}

// Where the contents of the next page of a record are.
struct contents {
	uint64_t at, end; // end: of the record
};

static void take_entry(struct xensave *s, struct contents *c, uint64_t entry)
{
	if (!has_contents(entry)) {
		frames_add(&s->frames, frame_of(entry), FRAMES_GONE);
		return;
	}
	if (c->end - c->at < PAGE_SIZE)
		s->n_odd++;
	else if (c->at > s->img->io->size || s->img->io->size - c->at < PAGE_SIZE)
		s->n_beyond++;
	else
		frames_add(&s->frames, frame_of(entry), c->at);
	if (c->end - c->at >= PAGE_SIZE)
		c->at += PAGE_SIZE;
}

static void take_list(struct xensave *s, struct contents *c, uint64_t n)
{
	const uint8_t *p;

	while (n > 0) {
		size_t part = n < XENSAVE_LIST / 8 ? (size_t)n : XENSAVE_LIST / 8;
		if (!window_take(&s->w, part * 8, &p))
			return; // the file is cut: no contents either
		for (size_t i = 0; i < part; i++)
			take_entry(s, c, le64(p + i * 8));
		n -= part;
	}
}

static void take_pages(struct xensave *s, uint64_t end)
{
	const uint8_t *p;
	uint64_t start = window_off(&s->w);

	if (end - start < 8 || !window_take(&s->w, 8, &p)) {
		s->n_odd++;
		return;
	}
	uint64_t n = le32(p);
	if (n > (end - start - 8) / 8) {
		s->n_odd++;
		return;
	}
	struct contents c = {start + 8 + n * 8, end};
	take_list(s, &c, n);
}

// --- registers ---

static struct vcpu *cpu_numbered(struct xensave *s, uint32_t cpu)
{
	if (cpu >= CPUS_MAX) {
		s->n_odd++;
		return NULL;
	}
	for (size_t i = 0; i < s->vcpus.n; i++)
		if (s->vcpus.at[i].cpu == cpu)
			return &s->vcpus.at[i];
	struct vcpu *v = vec_add(&s->vcpus);
	*v = (struct vcpu){.cpu = cpu};
	return v;
}

static struct err *take_pv_info(struct xensave *s, uint64_t end)
{
	const uint8_t *p;

	if (end == window_off(&s->w) || !window_take(&s->w, 1, &p))
		return NULL;
	if (p[0] != 8)
		return err_new(ERR_UNSUPPORTED, "a saved domain of a 32-bit paravirtual guest; "
						"only x86-64 guests are read");
	return NULL;
}

static void take_pv_cpu(struct xensave *s, uint64_t end)
{
	const uint8_t *p;

	if (end - window_off(&s->w) < 8 + XEN_CONTEXT64) {
		s->n_odd++;
		return;
	}
	if (!window_take(&s->w, 8 + XEN_CONTEXT64, &p))
		return;
	struct vcpu *v = cpu_numbered(s, le32(p));
	if (v)
		xen_take_context(v, p + 8, true);
}

// Descriptors {u16 type, u16 instance, u32 length} with their bytes.
static void take_hvm_context(struct xensave *s, uint64_t end)
{
	const uint8_t *p;

	while (end - window_off(&s->w) >= 8 && window_take(&s->w, 8, &p)) {
		uint16_t type = le16(p), instance = le16(p + 2);
		uint64_t size = le32(p + 4);
		if (size > end - window_off(&s->w)) {
			s->n_odd++;
			return;
		}
		size_t n = size < HVM_CPU_MOST ? (size_t)size : HVM_CPU_MOST;
		uint64_t next = window_off(&s->w) + size;
		struct vcpu *v = NULL;
		if (type == HVM_CPU && window_need(&s->w, n))
			v = cpu_numbered(s, instance);
		if (v)
			xen_take_hvm_cpu(v, window_at(&s->w), n);
		window_skip(&s->w, next - window_off(&s->w));
	}
}

// --- all of them ---

static struct err *take_record(struct xensave *s, uint32_t type, uint64_t end)
{
	if (type == RECORD_PAGE_DATA)
		take_pages(s, end);
	else if (type == RECORD_PV_INFO)
		return take_pv_info(s, end);
	else if (type == RECORD_PV_VCPU_BASIC && s->pv)
		take_pv_cpu(s, end);
	else if (type == RECORD_HVM_CONTEXT && !s->pv)
		take_hvm_context(s, end);
	return NULL;
}

struct err *xensave_records(struct xensave *s)
{
	const uint8_t *p;

	while (!s->ended && window_take(&s->w, 8, &p)) {
		uint32_t type = le32(p);
		uint64_t size = le32(p + 4), start = window_off(&s->w);
		s->ended = type == RECORD_END;
		TRY(take_record(s, type, start + size));
		window_seek(&s->w, start + (size + 7) / 8 * 8);
	}
	return NULL;
}
