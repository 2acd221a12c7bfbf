// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers that are recognised and have no reader: refused by name, never tried as raw memory.
//
// A reader that is added takes its rows out of here.
#include "formats/known.h"

#include "formats/probe.h"

#include <string.h>

struct known {
	uint32_t off;
	uint32_t n;
	const char *magic;
	const char *what;
	const char *todo;
};

#define MAGIC(off, bytes) off, sizeof(bytes) - 1, bytes

#define UNPACK	 "unpack it and give what was in it"
#define DUMP_ELF "dump the guest again in ELF format (dump-guest-memory, virsh dump --memory-only)"
#define XEN	 "give a raw copy of the guest's memory"
#define DISK	 "give a snapshot of the guest's memory"
#define BESIDE	 "give the memory file beside it"

static const struct known table[] = {
	// QEMU and libvirt
	{MAGIC(0, "\x11\x22\x33\x44\0\0\0\1"),
	 "a channel of a multifd migration, captured off its socket",
	 "migrate to a file (mapped-ram), or " DUMP_ELF},
	{MAGIC(0, "DISKDUMP"), "a diskdump", DUMP_ELF},
	{MAGIC(0, "makedumpfile\0\0\0\0"), "a dump that was flattened twice",
	 "unflatten it with makedumpfile -R"},
	// Xen
	{MAGIC(0, "LinuxGuestRecord"), "a domain saved by xm", XEN},
	{MAGIC(0, "\xed\xeb\x0f\xf0"), "a core of Xen 3.0", XEN},
	{MAGIC(0, "\xee\xeb\x0f\xf0"), "a core of Xen 3.0", XEN},
	// Others
	{MAGIC(0, "\x14\x20\x28\x01"), "a Hyper-V saved state (.vmrs)", DISK " in raw format"},
	{MAGIC(0x1000, "\x14\x20\x28\x01"), "a Hyper-V saved state (.vmrs)", DISK " in raw format"},
	{MAGIC(0, "\0\0\x64\x86\x84\x19\x10\x07"), "the state file of a Firecracker snapshot",
	 BESIDE},
	{MAGIC(0, "PAGEDUMP"), "a Windows memory dump", "only Linux guests are read"},
	{MAGIC(0, "PAGEDU64"), "a Windows memory dump", "only Linux guests are read"},
	// Packed
	{MAGIC(0, "\x1f\x8b\x08"), "compressed twice, the second time with gzip", UNPACK},
	{MAGIC(0, "\xfd\x37zXZ\0"), "compressed twice, the second time with xz", UNPACK},
	{MAGIC(4, "1AY&SY"), "compressed twice, the second time with bzip2", UNPACK},
	{MAGIC(0, "\x04\x22\x4d\x18"), "lz4-compressed", UNPACK},
	{MAGIC(0, "\x28\xb5\x2f\xfd"), "compressed twice, the second time with zstd", UNPACK},
	{MAGIC(0, "PK\3\4"), "a zip archive", UNPACK},
	{MAGIC(0, "7z\xbc\xaf\x27\x1c"), "a 7z archive", UNPACK},
	{MAGIC(257, "ustar"), "a tar archive", UNPACK},
	// Mistaken for memory
	{MAGIC(0, "KDMV"), "a VMware disk image", DISK},
	{MAGIC(0, "vhdxfile"), "a Hyper-V disk image", DISK},
	{MAGIC(64, "\x7f\x10\xda\xbe"), "a VirtualBox disk image", DISK},
	{MAGIC(0, "SQLite format 3\0"), "an SQLite database, not a memory image", DISK},
};

static struct err *refuse(const char *what, const char *todo)
{
	return err_new(ERR_UNSUPPORTED, "%s: recognised, not supported by this version; %s", what,
		       todo);
}

static const struct known *find(const struct fmt_probe *p)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (probe_has(p, table[i].off, table[i].magic, table[i].n))
			return &table[i];
	return NULL;
}

struct err *known_refusal(const struct fmt_probe *p)
{
	const struct known *k = find(p);

	return k ? refuse(k->what, k->todo) : NULL;
}

bool known_holds_no_memory(const struct fmt_probe *p)
{
	const struct known *k = find(p);

	return k && (strcmp(k->todo, DISK) == 0 || strcmp(k->todo, BESIDE) == 0);
}
