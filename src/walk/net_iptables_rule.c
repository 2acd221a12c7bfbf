// SPDX-License-Identifier: LGPL-2.1-or-later
// iptables: what a rule says, in osquery's words (osquery/tables/networking/linux/iptables.cpp);
// its counters are its own, where osquery shows the chain's.
#include "src/walk/net_iptables.h"

#include "src/walk/net_text.h"

#include <stdio.h>
#include <string.h>

// struct ipt_ip, the first member of ipt_entry: where its members are.
enum {
	IP_SRC = 0,
	IP_DST = 4,
	IP_SRC_MASK = 8,
	IP_DST_MASK = 12,
	IP_IN = 16,
	IP_OUT = 32,
	IP_IN_MASK = 48,
	IP_OUT_MASK = 64,
	IP_PROTO = 80,
	IP_FLAGS = 82,
	IP_INVFLAGS = 83,
	ENTRY_PACKETS = 96,
	ENTRY_BYTES = 104,
	INTERFACE_NAME = 16, // IFNAMSIZ
};

// IPT_INV_*
enum { INV_IN = 1, INV_OUT = 2, INV_SRC = 8, INV_DST = 16 };

static const char *negation(unsigned flags, unsigned flag)
{
	return flags & flag ? "!" : "";
}

// --- ip ---

static struct opt_text address(struct walk *w, const uint8_t *bytes, unsigned flags, unsigned flag)
{
	return row_printf(w, "%s%s", negation(flags, flag), ip_text(w, KAF_INET, bytes).p);
}

static struct opt_text interface(struct walk *w, const uint8_t *name, unsigned flags, unsigned flag)
{
	if (name[0] == '\0')
		return some_text("all");
	return row_printf(w, "%s%.*s", negation(flags, flag), INTERFACE_NAME, (const char *)name);
}

static struct opt_text interface_mask(struct walk *w, const uint8_t *mask)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[2 * INTERFACE_NAME + 1];
	size_t n = 0;

	for (size_t i = 0; i < INTERFACE_NAME && mask[i]; i++) {
		text[n++] = digits[mask[i] >> 4];
		text[n++] = digits[mask[i] & 15];
	}
	text[n] = '\0';
	return row_printf(w, "%s", text);
}

static void describe_ip(struct walk *w, const uint8_t *ip, struct row_iptables *row)
{
	unsigned inv = ip[IP_INVFLAGS];

	row->protocol = some_int(le16(ip + IP_PROTO));
	row->src_ip = address(w, ip + IP_SRC, inv, INV_SRC);
	row->src_mask = ip_text(w, KAF_INET, ip + IP_SRC_MASK);
	row->iniface = interface(w, ip + IP_IN, inv, INV_IN);
	row->iniface_mask = interface_mask(w, ip + IP_IN_MASK);
	row->dst_ip = address(w, ip + IP_DST, inv, INV_DST);
	row->dst_mask = ip_text(w, KAF_INET, ip + IP_DST_MASK);
	row->outiface = interface(w, ip + IP_OUT, inv, INV_OUT);
	row->outiface_mask = interface_mask(w, ip + IP_OUT_MASK);
	row->flags = some_int(ip[IP_FLAGS]);
	row->invflags = some_int(inv);
}

// --- matches ---

static struct opt_text port_range(struct walk *w, const uint8_t *ports, bool others)
{
	return row_printf(w, "%s%u:%u", others ? "!" : "", le16(ports), le16(ports + 2));
}

// struct xt_tcp and struct xt_udp: two ports of the source, two of the destination, and what is
// negated in another place.
static void describe_ports(struct iptables *t, const char *name, uint64_t va, uint16_t size,
			   struct row_iptables *row)
{
	uint8_t ports[12];
	bool tcp = strcmp(name, "tcp") == 0;
	size_t n = tcp ? 12 : 9;

	if ((!tcp && strcmp(name, "udp") != 0) || size < XT_EXTENSION + n ||
	    !k_read(t->x.w->k, va + XT_EXTENSION, ports, n))
		return;
	row->src_port = port_range(t->x.w, ports, ports[n - 1] & 1);
	row->dst_port = port_range(t->x.w, ports + 4, ports[n - 1] & 2);
}

struct match_names {
	char *text;
	size_t n, room;
};

static void add_name(struct match_names *names, const char *name)
{
	int n = snprintf(names->text + names->n, names->room - names->n, "%s%s",
			 names->n ? "," : "", name);

	if (n > 0 && (size_t)n < names->room - names->n)
		names->n += (size_t)n;
}

// False where what follows can't be found.
static bool describe_match(struct iptables *t, uint64_t va, uint32_t room, uint16_t *size,
			   struct match_names *names, struct row_iptables *row)
{
	uint8_t bytes[2];

	if (room < XT_EXTENSION || !k_read(t->x.w->k, va, bytes, sizeof(bytes)))
		return false;
	*size = le16(bytes);
	if (*size < XT_EXTENSION || *size > room)
		return false;
	const char *name = iptables_extension(t, va, XT_ENTRY_MATCH, XT_MATCH_NAME);
	add_name(names, name ? name : "?");
	if (name)
		describe_ports(t, name, va, *size, row);
	return true;
}

static void describe_matches(struct iptables *t, const struct ipt_rule *r, struct row_iptables *row)
{
	size_t most = (r->target - IPT_ENTRY) / XT_EXTENSION;
	struct match_names names = {.room = most * (XT_EXTENSION_NAME + 1) + 1};
	uint16_t size = 0;

	names.text = arena_alloc(&t->x.w->row, names.room);
	for (uint32_t at = IPT_ENTRY; at < r->target && iptables_spend(t, 1); at += size)
		if (!describe_match(t, r->va + at, r->target - at, &size, &names, row)) {
			walk_problem(t->x.w, ERROR, TABLE_iptables, 0, r->va,
				     "a match of a rule lies outside of it");
			break;
		}
	if (names.n)
		row->matches = some_bytes(names.text, names.n);
}

// --- the target ---

// NF_* of include/uapi/linux/netfilter.h, which a verdict is the negative of, less 1.
static const char *const verdicts[] = {"DROP", "ACCEPT", "STOLEN", "QUEUE", "RETURN"};
enum { N_VERDICTS = sizeof(verdicts) / sizeof(verdicts[0]) };

static const char *jump(struct iptables *t, const struct ipt_rule *r, uint32_t to)
{
	const uint64_t *chain = u64map_get(&t->by_start, to);

	if (to == r->at + r->next)
		return NULL; // on to the next rule
	if (!chain)
		walk_problem(t->x.w, ERROR, TABLE_iptables, 0, r->va,
			     "a rule whose target is no chain");
	return chain ? t->chains.at[*chain].name : NULL;
}

static const char *target_name(struct iptables *t, const struct ipt_rule *r)
{
	uint64_t va = r->va + r->target;
	const char *name = iptables_extension(t, va, XT_ENTRY_TARGET, XT_TARGET_NAME);
	uint32_t verdict;

	if (!name || *name) // an extension
		return name;
	if (r->target + XT_EXTENSION + 4 > r->next ||
	    !k_u32(t->x.w->k, va + XT_EXTENSION, &verdict))
		return NULL;
	if (verdict <= INT32_MAX)
		return jump(t, r, verdict);
	return ~verdict < N_VERDICTS ? verdicts[~verdict] : NULL;
}

// --- rows ---

// xt_get_per_cpu_counter(): with more than one possible CPU there is a per-CPU pointer in place of
// the packets.
static bool read_counters(struct kernel *k, const uint8_t *entry, int64_t *packets, int64_t *bytes)
{
	uint64_t first = le64(entry + ENTRY_PACKETS);

	*packets = (int64_t)first;
	*bytes = (int64_t)le64(entry + ENTRY_BYTES);
	if (k->n_cpus <= 1)
		return k->n_cpus == 1;
	return k_percpu_sum(k, first, 0, 8, packets) && k_percpu_sum(k, first, 8, 8, bytes);
}

// Of the end of a chain, the counters; of a rule, what it applies to, too.
static void emit(struct iptables *t, const struct ipt_rule *r, bool is_rule,
		 struct row_iptables row)
{
	struct walk *w = t->x.w;
	uint8_t entry[IPT_ENTRY];
	int64_t packets, bytes;

	// of thousands of CPUs each has a counter to be read
	if (!iptables_spend(t, 1 + w->k->n_cpus / 16) || !k_read(w->k, r->va, entry, sizeof(entry)))
		return;
	row.rule_addr = some_addr(r->va);
	if (read_counters(w->k, entry, &packets, &bytes)) {
		row.packets = some_int(packets);
		row.bytes = some_int(bytes);
	}
	if (is_rule) {
		row.target = some_text(target_name(t, r));
		row.match = some_text("yes");
		describe_ip(w, entry, &row);
		describe_matches(t, r, &row);
	}
	row.net_namespace = netns_text(w, &t->nets, t->net->addr);
	WALK_EMIT(w, iptables, &row);
}

// The last rule of a chain that belongs to a hook is its policy.
static const char *policy(struct iptables *t, const struct ipt_chain *c,
			  const struct ipt_rule *last)
{
	if (c->hook < 0)
		return NULL;
	if (last->at != t->underflow[c->hook])
		walk_problem(t->x.w, ERROR, TABLE_iptables, 0, last->va,
			     "the policy of a chain is not its end");
	return target_name(t, last);
}

static void emit_chain(struct iptables *t, const struct ipt_chain *c, size_t end)
{
	const struct ipt_rule *rules = t->rules.at + c->first;
	size_t n = end - c->first - 1; // without its end
	struct row_iptables row = {
		.filter_name = some_text(t->filter_name),
		.chain = some_text(c->name),
		.policy = some_text(policy(t, c, &rules[n])),
		.table_addr = some_addr(t->table),
	};

	for (size_t i = 0; i < n && t->budget; i++) {
		row.rule = some_int((int64_t)i + 1);
		emit(t, &rules[i], true, row);
	}
	row.rule = (struct opt_int){0};
	emit(t, &rules[n], false, row);
}

void iptables_emit(struct iptables *t)
{
	for (size_t i = 0; i < t->chains.n; i++) {
		const struct ipt_chain *c = &t->chains.at[i];
		size_t end = i + 1 < t->chains.n ? c[1].first : t->rules.n;
		if (end > c->first) // the end of the table has no rules
			emit_chain(t, c, end);
	}
}
