// SPDX-License-Identifier: LGPL-2.1-or-later
// Heads of lists in the image: the first node points back to its head, and tells by its neighbours
// in the structure what list it is.
#include "src/kernel/deduce.h"

#include <string.h>

enum {
	STATES = 4,	    // of enum module_state
	NAME_LEN = 56,	    // MODULE_NAME_LEN
	PING_BUCKETS = 64,  // PING_HTABLE_SIZE, include/net/ping.h
	UNIX_BUCKETS = 256, // UNIX_HASH_SIZE before 5.19, include/net/af_unix.h
};

// A struct module holds its own address in mkobj.mod.
static bool is_module(struct kernel *k, uint64_t module)
{
	return k_has(k, F(module, mkobj_mod)) && k_or0(k, module, F(module, mkobj_mod)) == module &&
	       k_or0(k, module, F(module, state)) < STATES;
}

static void see_module(struct deduction *d, const struct word *w)
{
	if (is_module(d->k, k_container(d->k, w->value, F(module, list))))
		deduce_set(d, S(modules), w->at);
}

// The types of a module have its name.
static void see_module_types(struct deduction *d, const struct word *w)
{
	uint64_t entry = k_container(d->k, w->value, F(btf_module, list));
	uint64_t module = k_or0(d->k, entry, F(btf_module, module));
	char a[NAME_LEN] = "", b[NAME_LEN] = "";

	if (module && is_module(d->k, module) &&
	    k_bytes(d->k, module, F(module, name), a, sizeof(a) - 1) &&
	    k_bytes(d->k, k_or0(d->k, entry, F(btf_module, btf)), F(btf, name), b, sizeof(b) - 1) &&
	    strcmp(a, b) == 0)
		deduce_set(d, S(btf_modules), w->at);
}

// --- sockets ---

// ping_hashfn(), include/net/ping.h.
static uint64_t ping_bucket(struct kernel *k, uint64_t sk)
{
	uint64_t num = k_or0(k, sk, F(sock_common, skc_num));
	uint64_t net = k_or0(k, sk, F(sock_common, skc_net));

	return (num + k_or0(k, net, F(net, hash_mix))) % PING_BUCKETS;
}

// unix_sockets_unbound(), net/unix/af_unix.c: the second half of the table, by the socket's
// address.
static uint64_t unbound_bucket(uint64_t sk)
{
	uint64_t hash = sk ^ sk >> 16;

	return UNIX_BUCKETS + (hash ^ hash >> 8) % UNIX_BUCKETS;
}

static void see_socket(struct deduction *d, const struct word *w)
{
	struct kernel *k = d->k;
	uint64_t sk = k_container(k, w->value, F(sock_common, skc_node));
	uint64_t proto = k_or0(k, sk, F(sock_common, skc_prot));

	if (!proto)
		return;
	if (proto == d->ping_proto || proto == d->pingv6_proto)
		deduce_set(d, S(ping_table), w->at - ping_bucket(k, sk) * 8);
	if (proto == d->unix_proto && !k_or0(k, sk, F(unix_sock, addr)))
		deduce_set(d, S(unix_socket_table), w->at - unbound_bucket(sk) * 8);
}

void see_list(struct deduction *d, const struct word *w)
{
	uint64_t back, prev;

	// list_head.prev and hlist_node.pprev of the first node: both its second word
	if (deduce_is_image(d, w->value) || !k_u64(d->k, w->value + 8, &back) || back != w->at)
		return;
	see_socket(d, w);
	if (!word_near(w, 8, &prev) || !k_plausible(d->k, prev))
		return;
	see_module(d, w);
	see_module_types(d, w);
}
