// SPDX-License-Identifier: LGPL-2.1-or-later
// Migration streams of QEMU: `migrate` to a file, the state in a qcow2 snapshot, `virsh save`.
//
// The stream is read once from front to back, up to the end of RAM. A page's bytes stay where they
// are; what is kept is where the last record of each page is. Sections of devices have no length,
// so what follows RAM is looked at with other means (qemu_devices.c).
#include "formats/qemu_stream.h"

#include "src/base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// QEMU migration/qemu-file-types.h and migration/savevm.h
enum record {
	VM_EOF = 0x00,
	VM_SECTION_START = 0x01,
	VM_SECTION_PART = 0x02,
	VM_SECTION_END = 0x03,
	VM_SECTION_FULL = 0x04,
	VM_SUBSECTION = 0x05,
	VM_DESCRIPTION = 0x06,
	VM_CONFIGURATION = 0x07,
	VM_COMMAND = 0x08,
	VM_FOOTER = 0x7e,
};

// include/migration/misc.h, migration/savevm.c: enum qemu_vm_cmd
enum command {
	CMD_RAM_DISCARD = 6,
	CMD_PACKAGED = 7,
	CMD_ENABLE_COLO = 8,
};

enum {
	VERSION = 3,
	RAM_VERSION = 4,
	CAPABILITIES_MAX = 1024,
	PAGE_BITS = PAGE_SHIFT,
	RESYNC_MAX = 256 << 20, // of a section that nobody can size
};

typedef unsigned long long ull;

void qemu_stop(struct qemu_stream *s, const char *fmt, ...)
{
	char words[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	image_damaged(s->img, "the migration stream makes no sense at byte %llu: %s",
		      (ull)window_off(&s->w), words);
	s->stopped = true;
}

void qemu_cut(struct qemu_stream *s, const char *what)
{
	uint64_t at = window_off(&s->w);

	image_damaged(s->img, "the migration stream ends at byte %llu, inside %s",
		      (ull)(at < s->end ? at : s->end), what);
	s->stopped = true;
}

bool qemu_take_name(struct qemu_stream *s, char name[static QEMU_NAME_SIZE])
{
	const uint8_t *p;

	if (!window_take(&s->w, 1, &p))
		return false;
	size_t n = *p;
	if (!window_take(&s->w, n, &p))
		return false;
	memcpy(name, p, n);
	name[n] = '\0';
	return true;
}

// Takes so many bytes, or ends the stream.
static bool take(struct qemu_stream *s, size_t n, const char *what, const uint8_t **p)
{
	if (window_take(&s->w, n, p))
		return true;
	qemu_cut(s, what);
	return false;
}

// --- Configuration ---

static void take_configuration(struct qemu_stream *s)
{
	const uint8_t *p;

	if (!take(s, 4, "its configuration", &p))
		return;
	uint32_t n = be32(p);
	if (n >= QEMU_NAME_SIZE)
		qemu_stop(s, "the machine's name has %u characters", n);
	else if (take(s, n, "its configuration", &p)) {
		memcpy(s->machine, p, n);
		s->machine[n] = '\0';
	}
}

static void take_capabilities(struct qemu_stream *s)
{
	char name[QEMU_NAME_SIZE];
	const uint8_t *p;

	if (!take(s, 4, "its capabilities", &p))
		return;
	uint32_t n = be32(p);
	if (n > CAPABILITIES_MAX)
		qemu_stop(s, "it has %u capabilities", n);
	for (uint32_t i = 0; i < n && !s->stopped; i++) {
		if (!qemu_take_name(s, name))
			qemu_cut(s, "its capabilities");
		s->mapped |= strcmp(name, "mapped-ram") == 0;
		s->ignore_shared |= strcmp(name, "x-ignore-shared") == 0;
	}
}

static struct err *take_page_bits(struct qemu_stream *s)
{
	const uint8_t *p;

	if (!take(s, 4, "its configuration", &p) || be32(p) == PAGE_BITS)
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "a migration stream with pages of 2^%u bytes; only x86-64 guests are read",
		       be32(p));
}

// Of the configuration; those of devices come later.
static struct err *take_subsection(struct qemu_stream *s)
{
	char name[QEMU_NAME_SIZE];
	const uint8_t *p;

	if (!qemu_take_name(s, name)) {
		qemu_cut(s, "its configuration");
		return NULL;
	}
	if (!take(s, 4, "its configuration", &p))
		return NULL;
	if (strcmp(name, "configuration/capabilities") == 0)
		take_capabilities(s);
	else if (strcmp(name, "configuration/target-page-bits") == 0)
		return take_page_bits(s);
	else if (strcmp(name, "configuration/uuid") == 0)
		(void)take(s, 16, "its configuration", &p);
	else
		qemu_stop(s, "its configuration has an unknown part");
	return NULL;
}

// --- Commands ---

// A stream in the stream: the devices' sections, sent before the pages that postcopy still needs.
static void take_package(struct qemu_stream *s, const uint8_t *body, size_t n)
{
	uint32_t size = n == 4 ? be32(body) : 0;

	if (size > s->end - window_off(&s->w)) {
		qemu_cut(s, "its devices");
		return;
	}
	s->dev_off = window_off(&s->w);
	s->dev_end = s->dev_off + size;
	window_skip(&s->w, size);
}

static struct err *take_command(struct qemu_stream *s)
{
	const uint8_t *p;

	if (!take(s, 4, "a command", &p))
		return NULL;
	uint16_t command = be16(p), n = be16(p + 2);
	if (!take(s, n, "a command", &p))
		return NULL;
	if (command == CMD_ENABLE_COLO)
		return err_new(ERR_UNSUPPORTED,
			       "a migration stream of COLO (the replication of a running guest): "
			       "recognised, not supported; migrate to a file without it");
	if (command == CMD_RAM_DISCARD)
		qemu_ram_discard(s, p, n);
	else if (command == CMD_PACKAGED)
		take_package(s, p, n);
	return NULL;
}

// --- Sections ---

// The footer of a section that nobody can size: its mark, its number, and something that may
// follow.
static bool at_footer(const uint8_t *p, uint32_t id)
{
	return p[0] == VM_FOOTER && be32(p + 1) == id && p[5] <= VM_COMMAND &&
	       p[5] != VM_SUBSECTION;
}

static bool skip_to_footer(struct qemu_stream *s, uint32_t id)
{
	uint64_t from = window_off(&s->w);

	while (window_need(&s->w, 6) && window_off(&s->w) - from < RESYNC_MAX) {
		const uint8_t *p = window_at(&s->w);
		if (at_footer(p, id))
			return true;
		size_t left = s->w.n - s->w.pos - 5;
		const uint8_t *next = left > 1 ? memchr(p + 1, VM_FOOTER, left - 1) : NULL;
		window_skip(&s->w, next ? (uint64_t)(next - p) : left);
	}
	return false;
}

// What comes before RAM and is none (bitmaps of disks, virtio-mem) has to be skipped; what comes
// after it are the devices.
static void take_foreign(struct qemu_stream *s, uint64_t start, uint32_t id)
{
	if (s->ram_ended && !s->dev_off) {
		s->dev_off = start;
		s->dev_end = s->end;
		s->eof = true; // or so the devices will tell
		return;
	}
	if (!skip_to_footer(s, id))
		qemu_stop(s, "section %u can't be skipped", id);
}

static struct err *take_ram(struct qemu_stream *s, uint32_t id, uint32_t version)
{
	if (version != RAM_VERSION)
		return err_new(ERR_UNSUPPORTED,
			       "a migration stream with RAM in version %u of its layout, not %d",
			       version, RAM_VERSION);
	s->ram_id = id;
	return qemu_ram_section(s);
}

static struct err *take_start(struct qemu_stream *s, uint64_t start, bool whole)
{
	char name[QEMU_NAME_SIZE];
	const uint8_t *p;

	if (!take(s, 4, "a section's header", &p))
		return NULL;
	uint32_t id = be32(p);
	if (!qemu_take_name(s, name)) {
		qemu_cut(s, "a section's header");
		return NULL;
	}
	if (!take(s, 8, "a section's header", &p))
		return NULL;
	if (strcmp(name, "ram") == 0)
		return take_ram(s, id, be32(p + 4));
	// A background snapshot does not end RAM, it goes straight on to the devices.
	s->ram_ended |= whole && s->ram_moving;
	take_foreign(s, start, id);
	return NULL;
}

static struct err *take_part(struct qemu_stream *s, uint64_t start, bool last)
{
	const uint8_t *p;

	if (!take(s, 4, "a section's header", &p))
		return NULL;
	if (!s->ram_seen || be32(p) != s->ram_id) {
		take_foreign(s, start, be32(p));
		return NULL;
	}
	TRY(qemu_ram_section(s));
	s->ram_moving = true;
	s->ram_ended |= last && !s->stopped;
	return NULL;
}

// --- The stream ---

static struct err *take_record(struct qemu_stream *s)
{
	uint64_t start = window_off(&s->w);
	const uint8_t *p;

	if (!take(s, 1, s->ram_ended ? "its devices" : "RAM: not all of it was written", &p))
		return NULL;
	switch (*p) {
	case VM_EOF:
		s->eof = true;
		return NULL;
	case VM_SECTION_START:
	case VM_SECTION_FULL:
		return take_start(s, start, *p == VM_SECTION_FULL);
	case VM_SECTION_PART:
	case VM_SECTION_END:
		return take_part(s, start, *p == VM_SECTION_END);
	case VM_CONFIGURATION:
		take_configuration(s);
		return NULL;
	case VM_SUBSECTION:
		return take_subsection(s);
	case VM_COMMAND:
		return take_command(s);
	case VM_FOOTER:
		s->footers = true;
		(void)take(s, 4, "a section's end", &p);
		return NULL;
	default:
		qemu_stop(s, "there is no record of the type 0x%02x", *p);
		return NULL;
	}
}

static struct err *take_magic(struct qemu_stream *s)
{
	const uint8_t *p;

	if (!window_take(&s->w, 8, &p) || memcmp(p, "QEVM", 4) != 0)
		return err_new(ERR_FORMAT, "not a migration stream of QEMU");
	if (be32(p + 4) != VERSION)
		return err_new(
			ERR_UNSUPPORTED,
			"a migration stream of version %u; QEMU has written version %d since "
			"2009",
			be32(p + 4), VERSION);
	return NULL;
}

struct err *qemu_take_all(struct qemu_stream *s)
{
	TRY(take_magic(s));
	while (!s->eof && !s->stopped)
		TRY(take_record(s));
	return NULL;
}
