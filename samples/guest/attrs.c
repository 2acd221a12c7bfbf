/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Netlink attributes as name=value fields of a line; an absent attribute adds nothing. */
#define _GNU_SOURCE
#include "attrs.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

void attr_u32(struct text *out, const char *name, const struct rtattr *a)
{
	uint32_t value;

	if (a == NULL)
		return;
	memcpy(&value, RTA_DATA(a), sizeof(value));
	text_format(out, "\t%s=%u", name, value);
}

void attr_u8(struct text *out, const char *name, const struct rtattr *a)
{
	if (a != NULL)
		text_format(out, "\t%s=%u", name, *(const uint8_t *)RTA_DATA(a));
}

void attr_string(struct text *out, const char *name, const struct rtattr *a)
{
	if (a == NULL)
		return;
	text_format(out, "\t%s=", name);
	text_escape(out, RTA_DATA(a), strnlen(RTA_DATA(a), RTA_PAYLOAD(a)));
}

void attr_mac(struct text *out, const char *name, const struct rtattr *a)
{
	const uint8_t *bytes;

	if (a == NULL)
		return;
	bytes = RTA_DATA(a);
	text_format(out, "\t%s=", name);
	for (size_t i = 0; i < RTA_PAYLOAD(a); i++)
		text_format(out, "%s%02x", i == 0 ? "" : ":", bytes[i]);
}

void attr_host(struct text *out, const char *name, int family, const struct rtattr *a)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a != NULL && inet_ntop(family, RTA_DATA(a), host, sizeof(host)) != NULL)
		text_format(out, "\t%s=%s", name, host);
}
