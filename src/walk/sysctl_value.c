// SPDX-License-Identifier: LGPL-2.1-or-later
// Values of settings, for handlers that print memory as it is: kernel/sysctl.c, and those of
// networks and namespaces that only act when they are written.
#include "src/walk/sysctl.h"

#include "src/base/bytes.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	MAX_ELEMENTS = 256, // of an array
	MAX_STRING = 4096,
	NUMBER_TEXT = 24, // digits, sign and tab of a number
};

enum kind { KIND_INT, KIND_UINT, KIND_ULONG, KIND_U8, KIND_BOOL, KIND_STRING };

static const struct {
	enum symbol handler;
	enum kind kind;
} handlers[] = {
	{S(proc_dointvec), KIND_INT},
	{S(proc_dointvec_minmax), KIND_INT},
	{S(proc_dointvec_minmax_sysadmin), KIND_INT},
	{S(proc_dointvec_minmax_coredump), KIND_INT},
	{S(proc_dointvec_minmax_warn_RT_change), KIND_INT},
	{S(proc_ipc_dointvec), KIND_INT},
	{S(proc_ipc_dointvec_minmax), KIND_INT},
	{S(proc_ipc_dointvec_minmax_orphans), KIND_INT},
	{S(proc_mq_dointvec), KIND_INT},
	{S(proc_mq_dointvec_minmax), KIND_INT},
	{S(devinet_conf_proc), KIND_INT},
	{S(devinet_sysctl_forward), KIND_INT},
	{S(ipv4_doint_and_flush), KIND_INT},
	{S(addrconf_sysctl_forward), KIND_INT},
	{S(addrconf_sysctl_mtu), KIND_INT},
	{S(addrconf_sysctl_disable), KIND_INT},
	{S(addrconf_sysctl_proxy_ndp), KIND_INT},
	{S(addrconf_sysctl_addr_gen_mode), KIND_INT},
	{S(addrconf_sysctl_ignore_routes_with_linkdown), KIND_INT},
	{S(addrconf_sysctl_disable_policy), KIND_INT},
	{S(neigh_proc_dointvec), KIND_INT},
	{S(neigh_proc_dointvec_zero_intmax), KIND_INT},
	{S(proc_douintvec), KIND_UINT},
	{S(proc_douintvec_minmax), KIND_UINT},
	{S(proc_doulongvec_minmax), KIND_ULONG},
	{S(proc_ipc_doulongvec_minmax), KIND_ULONG},
	{S(proc_dou8vec_minmax), KIND_U8},
	{S(proc_dobool), KIND_BOOL},
	{S(proc_dostring), KIND_STRING},
	{S(proc_do_uts_string), KIND_STRING},
	{S(proc_dostring_coredump), KIND_STRING},
};

static bool kind_of(const struct kernel *k, uint64_t handler, enum kind *kind)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handler && k->symbol[handlers[i].handler] == handler) {
			*kind = handlers[i].kind;
			return true;
		}
	return false;
}

static size_t element_size(const struct kernel *k, enum kind kind)
{
	switch (kind) {
	case KIND_INT:
	case KIND_UINT:
		return 4;
	case KIND_ULONG:
		return k->word;
	case KIND_U8:
	case KIND_BOOL:
	case KIND_STRING:
	default:
		return 1;
	}
}

// Elements with tabs in between, as proc_dointvec() prints them.
static struct opt_text numbers(struct walk *w, uint64_t data, size_t n, enum kind kind)
{
	size_t size = element_size(w->k, kind), at = 0;
	char text[MAX_ELEMENTS * NUMBER_TEXT];
	uint8_t raw[MAX_ELEMENTS * 8];

	if (n > MAX_ELEMENTS || !k_read(w->k, data, raw, n * size))
		return (struct opt_text){0};
	for (size_t i = 0; i < n; i++) {
		uint64_t v = le_n(raw + i * size, size);
		int put = kind == KIND_INT
				  ? snprintf(text + at, NUMBER_TEXT, "%" PRId32 "\t", (int32_t)v)
				  : snprintf(text + at, NUMBER_TEXT, "%" PRIu64 "\t", v);
		at += (size_t)put;
	}
	at -= at ? 1 : 0; // the last tab
	return some_bytes(arena_strndup(&w->row, text, at), at);
}

static struct opt_text string(struct walk *w, uint64_t data, uint64_t most)
{
	return some_text(k_string(w->k, &w->row, data, most < MAX_STRING ? most : MAX_STRING));
}

void sysctl_value(struct walk *w, uint64_t table, struct opt_text *value, struct opt_text *type)
{
	static const char *const names[] = {"int", "uint", "ulong", "u8", "bool", "string"};
	uint64_t data = k_or0(w->k, table, F(ctl_table, data));
	uint64_t n = k_or0(w->k, table, F(ctl_table, maxlen));
	enum kind kind;

	if (!kind_of(w->k, k_or0(w->k, table, F(ctl_table, proc_handler)), &kind))
		return;
	*type = some_text(names[kind]);
	if (!data || n == 0 || n > INT32_MAX)
		*value = some_bytes("", 0); // as the handlers have it
	else if (kind == KIND_STRING)
		*value = string(w, data, n);
	else if (kind == KIND_BOOL || kind == KIND_U8)
		*value = numbers(w, data, 1, kind);
	else
		*value = numbers(w, data, n / element_size(w->k, kind), kind);
}
