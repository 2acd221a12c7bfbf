// SPDX-License-Identifier: LGPL-2.1-or-later
// What /proc/net/unix and ioctl(SIOCINQ, SIOCOUTQ) say of a unix socket.
#include "src/walk/socket.h"

#include <string.h>

enum {
	FAMILY_SIZE = 2,  // offsetof(struct sockaddr_un, sun_path)
	PATH_BYTES = 108, // UNIX_PATH_MAX, include/uapi/linux/un.h
};

// unix_seq_show(): @ in place of each NUL of an abstract name; the NUL that ends a path is none of
// it.
static struct opt_text path_of(struct walk *w, uint64_t sk)
{
	struct kernel *k = w->k;
	uint64_t addr, len;

	if (!k_get(k, sk, F(unix_sock, addr), &addr))
		return (struct opt_text){0};
	if (!addr)
		return some_bytes("", 0);
	if (!k_get(k, addr, F(unix_address, len), &len) || len < FAMILY_SIZE ||
	    len > FAMILY_SIZE + PATH_BYTES + 1) // a path of full length has its NUL beyond
		return (struct opt_text){0};
	size_t n = (size_t)len - FAMILY_SIZE;
	char *path = arena_alloc(&w->row, n + 1);
	if (n == 0)
		return some_bytes("", 0);
	if (!k_read(k, k_field_va(k, addr, F(unix_address, name)) + FAMILY_SIZE, path, n))
		return (struct opt_text){0};
	n -= path[0] != '\0';
	for (size_t i = 0; i < n; i++)
		if (!path[i])
			path[i] = '@';
	return some_bytes(path, n);
}

static struct opt_text state_of(struct walk *w, uint64_t sk)
{
	switch (k_or0(w->k, sk, F(sock_common, skc_state))) {
	case TCP_LISTEN_STATE:
		return some_text("LISTEN");
	case TCP_ESTABLISHED_STATE:
		return some_text("ESTABLISHED");
	default:
		return some_text("UNCONNECTED");
	}
}

// unix_skb_len(): what is left of a message that was read in part.
static uint64_t unread_of(struct walk *w, uint64_t skb)
{
	struct kernel *k = w->k;
	uint64_t len = k_or0(k, skb, F(sk_buff, len));

	return len - k_or0(k, k_field_va(k, skb, F(sk_buff, cb)), F(unix_skb_parms, consumed));
}

// unix_inq_len(): all of a stream, the first message of a datagram socket.
static struct opt_int unread(struct socket_scan *s, uint64_t sk, bool whole)
{
	struct walk *w = s->w;
	uint64_t skb, sum = 0, queue = k_field_va(w->k, sk, F(sock, sk_receive_queue));
	struct list_iter it; // a queue of sk_buffs is linked as a list_head is: next, prev

	list_begin(&it, w->k, queue, s->skbs);
	while (list_next(&it, &skb)) {
		sum += whole ? unread_of(w, skb) : k_or0(w->k, skb, F(sk_buff, len));
		if (!whole)
			return some_int((int64_t)sum);
		s->skbs--;
	}
	walk_check_end(w, TABLE_sockets, 0, sk, it.end, "the receive queue of a unix socket");
	return it.end == ITER_END ? some_int((int64_t)sum) : (struct opt_int){0};
}

static struct opt_int rx_queue(struct socket_scan *s, uint64_t sk, int64_t type)
{
	if (type == SOCK_STREAM_TYPE && k_has(s->w->k, F(unix_sock, inq_len)))
		return col_int(s->w, sk, F(unix_sock, inq_len));
	return unread(s, sk, type == SOCK_STREAM_TYPE || type == SOCK_SEQPACKET_TYPE);
}

void socket_unix(struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	struct walk *w = s->w;

	row->path = path_of(w, sk);
	row->state = state_of(w, sk);
	if (k_or0(w->k, sk, F(sock_common, skc_state)) == TCP_LISTEN_STATE) {
		row->rx_queue = col_int(w, k_field_va(w->k, sk, F(sock, sk_receive_queue)),
					F(sk_buff_head, qlen));
		row->tx_queue = col_int(w, sk, F(sock, sk_max_ack_backlog));
	} else {
		row->rx_queue = rx_queue(s, sk, row->type.v);
		row->tx_queue = socket_wmem(s, sk);
	}
}
