/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Netlink attributes as text. */
#ifndef ATTRS_H
#define ATTRS_H

#include "netlink.h"
#include "truth.h"

void add_u32(struct text *out, const char *name, const struct rtattr *a);
void add_u8(struct text *out, const char *name, const struct rtattr *a);
void add_string(struct text *out, const char *name, const struct rtattr *a);
void add_mac(struct text *out, const char *name, const struct rtattr *a);
void add_host(struct text *out, const char *name, int family, const struct rtattr *a);

#endif
