// SPDX-License-Identifier: LGPL-2.1-or-later
// Notes by hand, for a key into the cache.
#include "src/symfiles/identity.h"

#include "formats/elf.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <stdio.h>
#include <string.h>

enum { SECTIONS = 256, NOTES_MOST = 64 << 10, ID_MOST = 64, HEAD = 16 };

char *identity_of_note(const uint8_t *bytes, size_t n)
{
	static const uint8_t head[] = {3, 0, 0, 0, 'G', 'N', 'U', 0}; // NT_GNU_BUILD_ID

	if (n < HEAD || le32(bytes) != 4 || memcmp(bytes + 8, head, sizeof(head)) != 0)
		return NULL;
	size_t size = le32(bytes + 4);
	if (size == 0 || size > ID_MOST || size > n - HEAD)
		return NULL;
	char *hex = mem_zalloc(2 * size + 1, 1);
	for (size_t i = 0; i < size; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[HEAD + i]);
	return hex;
}

static char *in_section(struct io *io, const Elf64_Shdr *s)
{
	size_t n = s->sh_size < NOTES_MOST ? (size_t)s->sh_size : NOTES_MOST, got;
	uint8_t *bytes = mem_alloc(n);
	char *id = NULL;

	if (!io_read(io, s->sh_offset, bytes, n, &got))
		for (size_t at = 0; !id && at + HEAD <= got; at += 4)
			id = identity_of_note(bytes + at, got - at);
	mem_free(bytes);
	return id;
}

char *identity_build_id(struct io *io)
{
	Elf64_Shdr *sections = mem_zalloc(SECTIONS, sizeof(*sections));
	struct elf_file f;
	size_t n = 0;
	char *id = NULL;

	if (!elf_open(io, &f) && !elf_shdrs(&f, 0, sections, SECTIONS, &n))
		for (size_t i = 0; i < n && !id; i++)
			if (sections[i].sh_type == SHT_NOTE)
				id = in_section(io, &sections[i]);
	mem_free(sections);
	return id;
}
