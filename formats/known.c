// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers that are recognised and have no reader: refused by name, never tried as raw memory.
//
// A reader that is added takes its rows out of here.
#include "formats/known.h"

#include "formats/probe.h"

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
#define USE_VMEM "give the .vmem file beside it"
#define USE_RAW	 "acquire the memory again in raw or padded format"
#define XEN	 "give a raw copy of the guest's memory"
#define DISK	 "give a snapshot of the guest's memory"

static const struct known table[] = {
	// QEMU and libvirt
	{MAGIC(0, "QEVM"), "a QEMU migration stream or saved VM state", DUMP_ELF},
	{MAGIC(0, "LibvirtQemudSave"), "a domain saved by libvirt (virsh save)",
	 "restore it, then " DUMP_ELF},
	{MAGIC(0, "LibvirtQemudPart"), "an unfinished save of a domain by libvirt", DUMP_ELF},
	{MAGIC(0, "QFI\xfb"), "a qcow2 disk image, perhaps with VM state in it",
	 "load the snapshot (loadvm), then " DUMP_ELF},
	{MAGIC(0, "KDUMP   "), "a kdump-compressed dump", DUMP_ELF},
	{MAGIC(0, "DISKDUMP"), "a diskdump", DUMP_ELF},
	{MAGIC(0, "makedumpfile\0\0\0\0"), "a flattened dump (makedumpfile, QEMU's kdump formats)",
	 DUMP_ELF},
	// VMware: suspended states and snapshots of all generations, little-endian
	{MAGIC(0, "\xd0\xbe\xd2\xbe"), "a VMware state file (.vmss, .vmsn)", USE_VMEM},
	{MAGIC(0, "\xd0\xbe\xd0\xbe"), "a VMware state file (.vmss, .vmsn)", USE_VMEM},
	{MAGIC(0, "\xd1\xba\xd1\xba"), "a VMware state file (.vmss, .vmsn)", USE_VMEM},
	{MAGIC(0, "\xd2\xba\xd2\xba"), "a VMware state file (.vmss, .vmsn)", USE_VMEM},
	{MAGIC(0, "\xd2\xbe\xd2\xbe"), "a VMware state file (.vmss, .vmsn)", USE_VMEM},
	{MAGIC(0, "\xd3\xbe\xd3\xbe"), "a VMware state file (.vmss, .vmsn)", USE_VMEM},
	// Acquired inside the guest
	{MAGIC(0, "EMiL"), "a LiME dump (or AVML, uncompressed)", USE_RAW},
	{MAGIC(0, "AVML"), "an AVML dump, compressed", USE_RAW},
	// Xen
	{MAGIC(0, "Xen saved domain"), "a domain saved by xl", XEN},
	{MAGIC(0, "LibxlFmt"), "a saved domain of libxl", XEN},
	{MAGIC(0, "\xff\xff\xff\xff\xff\xff\xff\xffXENF"), "a saved domain of libxc", XEN},
	{MAGIC(0, "LinuxGuestRecord"), "a domain saved by xm", XEN},
	{MAGIC(0, "\xed\xeb\x0f\xf0"), "a core of Xen 3.0", XEN},
	{MAGIC(0, "\xee\xeb\x0f\xf0"), "a core of Xen 3.0", XEN},
	// Others
	{MAGIC(0, "\x14\x20\x28\x01"), "a Hyper-V saved state (.vmrs)", DISK " in raw format"},
	{MAGIC(0x1000, "\x14\x20\x28\x01"), "a Hyper-V saved state (.vmrs)", DISK " in raw format"},
	{MAGIC(0, "\0\0\x64\x86\x84\x19\x10\x07"), "the state file of a Firecracker snapshot",
	 "give the memory file beside it"},
	{MAGIC(0, "PAGEDUMP"), "a Windows memory dump", "only Linux guests are read"},
	{MAGIC(0, "PAGEDU64"), "a Windows memory dump", "only Linux guests are read"},
	// Packed
	{MAGIC(0, "\x1f\x8b\x08"), "gzip-compressed", UNPACK},
	{MAGIC(0, "\xfd\x37zXZ\0"), "xz-compressed", UNPACK},
	{MAGIC(4, "1AY&SY"), "bzip2-compressed", UNPACK},
	{MAGIC(0, "\x89LZO\0"), "lzop-compressed", UNPACK},
	{MAGIC(0, "\x04\x22\x4d\x18"), "lz4-compressed", UNPACK},
	{MAGIC(0, "\x28\xb5\x2f\xfd"), "zstd-compressed twice", UNPACK},
	{MAGIC(0, "PK\3\4"), "a zip archive", UNPACK},
	{MAGIC(0, "7z\xbc\xaf\x27\x1c"), "a 7z archive", UNPACK},
	{MAGIC(257, "ustar"), "a tar archive", UNPACK},
	// Mistaken for memory
	{MAGIC(0, "KDMV"), "a VMware disk image", DISK},
	{MAGIC(0, "vhdxfile"), "a Hyper-V disk image", DISK},
	{MAGIC(64, "\x7f\x10\xda\xbe"), "a VirtualBox disk image", DISK},
	{MAGIC(0, "SQLite format 3\0"), "an SQLite database, not a memory image", DISK},
};

// LiME with compress=1: one zlib stream over the whole dump, window 2^11, no dictionary. Only four
// values of the second byte pass the header's check sum, and no block has type 3 (RFC 1950, 1951).
static bool is_lime_zlib(const struct fmt_probe *p)
{
	const uint8_t *h = p->head;

	return p->head_size > 2 && h[0] == 0x38 && (h[0] * 256 + h[1]) % 31 == 0 &&
	       (h[1] & 0x20) == 0 && (h[2] & 6) != 6;
}

static struct err *refuse(const char *what, const char *todo)
{
	return err_new(ERR_UNSUPPORTED, "%s: recognised, not supported by this version; %s", what,
		       todo);
}

struct err *known_refusal(const struct fmt_probe *p)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (probe_has(p, table[i].off, table[i].magic, table[i].n))
			return refuse(table[i].what, table[i].todo);
	if (is_lime_zlib(p))
		return refuse("zlib-compressed (LiME with compress=1)",
			      UNPACK ", or say --format raw if it is raw memory all the same");
	return NULL;
}
