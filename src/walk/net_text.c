// SPDX-License-Identifier: LGPL-2.1-or-later
// Formats addresses.
#include "src/walk/net_text.h"

#include <arpa/inet.h>
#include <string.h>

static size_t address_size(uint64_t family)
{
	return family == KAF_INET6 ? 16 : 4;
}

struct opt_text ip_text(struct walk *w, uint64_t family, const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(family == KAF_INET6 ? AF_INET6 : AF_INET, bytes, text, sizeof(text)))
		return (struct opt_text){0};
	return row_printf(w, "%s", text);
}

struct opt_text ip_col(struct walk *w, uint64_t family, uint64_t base, enum field f)
{
	uint8_t bytes[16];
	size_t n = address_size(family);

	if (k_bytes(w->k, base, f, bytes, n) != n)
		return (struct opt_text){0};
	return ip_text(w, family, bytes);
}

struct opt_text ip_mask(struct walk *w, uint64_t family, uint64_t prefix_length)
{
	uint8_t bytes[16] = {0};

	if (prefix_length > address_size(family) * 8)
		return (struct opt_text){0};
	for (size_t i = 0; i < prefix_length; i++)
		bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return ip_text(w, family, bytes);
}

struct opt_text mac_text(struct walk *w, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(&w->row, n * 3 + 1);

	for (size_t i = 0; i < n; i++) {
		text[i * 3] = digits[bytes[i] >> 4];
		text[i * 3 + 1] = digits[bytes[i] & 15];
		text[i * 3 + 2] = ':';
	}
	return some_bytes(text, n ? n * 3 - 1 : 0);
}
