/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Netlink attributes as text. */
#ifndef ATTRS_H
#define ATTRS_H

#include "netlink.h"
#include "truth.h"

void attr_u32(struct text *out, const char *name, const struct rtattr *a);
void attr_u8(struct text *out, const char *name, const struct rtattr *a);
void attr_string(struct text *out, const char *name, const struct rtattr *a);
void attr_mac(struct text *out, const char *name, const struct rtattr *a);
void attr_host(struct text *out, const char *name, int family, const struct rtattr *a);

#endif
