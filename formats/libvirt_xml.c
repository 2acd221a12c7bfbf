// SPDX-License-Identifier: LGPL-2.1-or-later
// A few elements out of a domain's XML, as libvirt writes it: no parser of XML is needed for that.
#include "formats/libvirt_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 128 };

// The text between two marks, up to where it has room; false if the first is not before end.
static bool between(const char *from, const char *end, const char *before, char after,
		    char out[static TEXT_SIZE])
{
	const char *p = strstr(from, before);
	size_t n = 0;

	out[0] = '\0';
	if (!p || p >= end)
		return false;
	for (p += strlen(before); *p && *p != after && n + 1 < TEXT_SIZE; p++)
		out[n++] = *p;
	out[n] = '\0';
	return *p == after;
}

static bool number(const char *from, const char *end, const char *before, uint64_t *out)
{
	char text[TEXT_SIZE], *rest;

	if (!between(from, end, before, '\'', text))
		return false;
	*out = strtoull(text, &rest, 0);
	return rest != text && !*rest;
}

// <memory model='dimm'>...<address type='dimm' slot='0' base='0x100000000'/></memory>; the backend
// of the DIMM in slot N is called memdimmN (libvirt src/qemu/qemu_alias.c, qemu_command.c).
static void take_dimms(const char *xml, struct qemu_hints *hints)
{
	static const char element[] = "<memory model='";
	char model[TEXT_SIZE];
	uint64_t slot, base;

	for (const char *p = xml; (p = strstr(p, element)); p++) {
		const char *end = strstr(p, "</memory>");
		const char *address = strstr(p, "<address type='dimm'");
		if (!end || hints->n == QEMU_HINTS_MAX)
			return;
		if (!address || address > end || !between(p, end, element, '\'', model) ||
		    !number(address, end, "slot='", &slot) ||
		    !number(address, end, "base='", &base))
			continue;
		struct qemu_hint *h = &hints->at[hints->n++];
		(void)snprintf(h->block, sizeof(h->block), "mem%s%llu", model,
			       (unsigned long long)slot);
		h->pa = base;
	}
}

void libvirt_xml(const char *xml, struct image *img, struct qemu_hints *hints)
{
	const char *end = xml + strlen(xml);
	char name[TEXT_SIZE], machine[TEXT_SIZE];

	if (between(xml, end, "<name>", '<', name))
		image_fact(img, "Domain", "%s (%s)", name,
			   between(xml, end, "machine='", '\'', machine) ? machine
									 : "no machine type");
	take_dimms(xml, hints);
}
