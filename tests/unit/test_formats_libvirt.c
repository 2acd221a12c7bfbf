// SPDX-License-Identifier: LGPL-2.1-or-later
// Domains saved by libvirt: the header around QEMU's stream.
#include "tests/unit/qemu_build.h"

#include <criterion/criterion.h>

#include <string.h>
#include <zstd.h>

enum { PAGES = 16, MIB = 1 << 20 };

static const char xml[] =
	"<domain type='kvm'>\n"
	"  <name>guest</name>\n"
	"  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>\n"
	"  <devices>\n"
	"    <memory model='dimm'><target><size unit='KiB'>131072</size><node>0</node></target>\n"
	"      <address type='dimm' slot='1' base='0x180000000'/></memory>\n"
	"  </devices>\n"
	"</domain>\n";

// The header and the XML; fields in this order of bytes.
static void header(struct blob *b, const char *magic, bool big, uint32_t version, uint32_t format)
{
	const uint32_t fields[] = {version, sizeof(xml) + 1000, 1, format, 0};
	uint8_t bytes[19 * 4] = {0};

	for (size_t i = 0; i < 5; i++)
		for (size_t k = 0; k < 4; k++)
			bytes[4 * i + k] = (uint8_t)(fields[i] >> 8 * (big ? 3 - k : k));
	blob_append(b, magic, 16);
	blob_append(b, bytes, sizeof(bytes));
	blob_append(b, xml, sizeof(xml));
	blob_put(b, b->n + 999, "", 1);
}

static const char *fact(const struct image *img, const char *name)
{
	for (const struct image_fact *f = img->facts; f; f = f->next)
		if (strcmp(f->name, name) == 0)
			return f->value;
	return "";
}

static struct image *opened(struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "libvirt");
	return img;
}

static void is_plain(struct image *img)
{
	uint8_t page[4096], want[4096];

	for (uint64_t i = 0; i < PAGES; i++) {
		noise_fill(i * 4096, want, sizeof(want));
		cr_assert(physmem_read(img->mem, i * 4096, page, sizeof(page)));
		cr_assert_arr_eq(page, want, sizeof(page));
	}
	cr_assert_eq(img->n_vcpus, 1);
}

static void opens(bool big)
{
	struct blob b = {0};

	header(&b, "LibvirtQemudSave", big, 2, 0);
	q_plain(&b, "pc.ram", PAGES);
	struct image *img = opened(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_str_eq(fact(img, "Domain"), "guest (pc-q35-7.2)");
	cr_assert_not_null(strstr(fact(img, "Saved"), "was running"));
	is_plain(img);
	image_close(img);
	blob_fini(&b);
}

Test(libvirt, a_raw_save)
{
	opens(false);
}

Test(libvirt, of_a_big_endian_host)
{
	opens(true);
}

Test(libvirt, an_unfinished_save)
{
	struct blob b = {0};

	header(&b, "LibvirtQemudPart", false, 2, 0);
	q_plain(&b, "pc.ram", PAGES);
	struct image *img = opened(&b);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "did not finish"));
	is_plain(img);
	image_close(img);
	blob_fini(&b);
}

Test(libvirt, a_compressed_save)
{
	struct blob b = {0}, s = {0};
	static uint8_t packed[2 * PAGES * 4096];

	header(&b, "LibvirtQemudSave", false, 2, 5);
	q_plain(&s, "pc.ram", PAGES);
	size_t n = ZSTD_compress(packed, sizeof(packed), s.at, s.n, 1);
	cr_assert_not(ZSTD_isError(n));
	blob_append(&b, packed, n);
	struct image *img = opened(&b);
	cr_assert_str_eq(img->compression, "zstd");
	is_plain(img);
	image_close(img);
	blob_fini(&s);
	blob_fini(&b);
}

// lzop, of one block that did not get smaller.
Test(libvirt, a_save_by_lzop)
{
	static const uint8_t head[] = {0x89, 'L',  'Z',	 'O',  0, 13, 10, 26, 10, 0x10, 0x40,
				       0x20, 0xa0, 0x09, 0x40, 1, 5,  0,  0,  0,  0};
	struct blob b = {0}, s = {0};

	header(&b, "LibvirtQemudSave", false, 2, 4);
	q_plain(&s, "pc.ram", PAGES);
	blob_append(&b, head, sizeof(head));
	blob_put(&b, b.n + 12 + 1 + 4 - 1, "", 1); // times, no name, check sum
	q_be(&b, s.n, 4);
	q_be(&b, s.n, 4);
	blob_append(&b, s.at, s.n);
	q_be(&b, 0, 4);
	struct image *img = opened(&b);
	cr_assert_str_eq(img->compression, "lzop");
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	is_plain(img);
	image_close(img);
	blob_fini(&s);
	blob_fini(&b);
}

// mapped-ram, with offsets that count from the start of libvirt's file.
Test(libvirt, a_sparse_save)
{
	struct blob b = {0};
	uint8_t page[4096], want[4096];

	header(&b, "LibvirtQemudSave", false, 2, 6);
	blob_put(&b, 4095, "", 1);
	q_head(&b, "pc-q35-10.0");
	q_capability(&b, "mapped-ram");
	q_start(&b, 1, Q_RAM, "ram", 0, 4);
	q_be(&b, 4096 | Q_MEM_SIZE, 8);
	q_name(&b, "pc.ram");
	q_be(&b, 4096, 8);
	q_be(&b, 1, 4);
	q_be(&b, 4096, 8);
	q_be(&b, 0x3000, 8);
	q_be(&b, MIB, 8);
	noise_fill(7, want, sizeof(want));
	blob_put(&b, MIB, want, sizeof(want));
	blob_put(&b, 0x3000, "\1", 1);
	q_be(&b, Q_EOS, 8);
	q_footer(&b, Q_RAM);
	q_ram_end(&b);
	q_end(&b, true);
	struct image *img = opened(&b);
	cr_assert(physmem_read(img->mem, 0, page, sizeof(page)));
	cr_assert_arr_eq(page, want, sizeof(page));
	image_close(img);
	blob_fini(&b);
}

Test(libvirt, the_xml_has_the_addresses_of_dimms)
{
	const struct q_block blocks[] = {{"memdimm1", 128 * MIB}, {"pc.ram", 64 * MIB}};
	struct blob b = {0};
	uint8_t byte;

	header(&b, "LibvirtQemudSave", false, 2, 0);
	q_head(&b, "pc-q35-7.2");
	q_ram(&b, blocks, 2);
	q_section(&b, 2, Q_RAM);
	q_page(&b, 0, "memdimm1", 5);
	q_page(&b, 0, "pc.ram", 6);
	q_be(&b, Q_EOS, 8);
	q_footer(&b, Q_RAM);
	q_ram_end(&b);
	q_devices(&b, 64 * MIB, 0);
	q_end(&b, true);
	struct image *img = opened(&b);
	cr_assert_str_eq(fact(img, "DIMM"), "memdimm1, at 0x180000000");
	cr_assert(physmem_read(img->mem, 0x180000000, &byte, 1));
	cr_assert_eq(byte, noise_at(5));
	image_close(img);
	blob_fini(&b);
}

static void refused(struct blob *b, size_t n, const char *words)
{
	struct image *img;
	struct err *e = open_bytes(b->at, n, &img);

	cr_assert_not_null(e, "opened, though: %s", words);
	cr_assert_not_null(strstr(e->msg, words), "no \"%s\" in: %s", words, e->msg);
}

Test(libvirt, what_is_refused)
{
	struct blob b = {0};

	header(&b, "LibvirtQemudSave", false, 9, 0);
	refused(&b, b.n, "version 9");
	blob_fini(&b);
	header(&b, "LibvirtQemudSave", false, 2, 4);
	blob_append(&b, "not packed at all", 17);
	refused(&b, b.n, "lzop, and in it is nothing");
	refused(&b, 91, "cut inside the header");
	refused(&b, 92, "cut inside its XML");
	refused(&b, 100, "cut inside its XML");
	blob_fini(&b);
	header(&b, "LibvirtQemudSave", false, 2, 77);
	refused(&b, b.n, "unknown format (77)");
	blob_fini(&b);
}

Test(libvirt, cuts)
{
	struct blob b = {0};
	struct image *img;

	header(&b, "LibvirtQemudSave", false, 2, 0);
	q_plain(&b, "pc.ram", 1);
	for (size_t n = 1; n < b.n; n++)
		if (!open_bytes(b.at, n, &img))
			image_close(img);
	blob_fini(&b);
}
