// SPDX-License-Identifier: LGPL-2.1-or-later
// What /proc/net/tcp, udp, raw, icmp and their IPv6 twins print of a socket.
#include "src/walk/socket.h"

// include/uapi/linux/in.h
enum { PROTO_TCP = 6, PROTO_UDP = 17, PROTO_UDPLITE = 136 };

// get_tcp4_sock(); of a listener the backlog, as ss shows it.
static void tcp_queues(struct walk *w, uint64_t sk, uint64_t state, struct row_sockets *row)
{
	struct kernel *k = w->k;
	uint64_t end, start;

	if (state == TCP_LISTEN_STATE) {
		row->rx_queue = col_int(w, sk, F(sock, sk_ack_backlog));
		row->tx_queue = col_int(w, sk, F(sock, sk_max_ack_backlog));
		return;
	}
	if (k_get(k, sk, F(tcp_sock, rcv_nxt), &end) &&
	    k_get(k, sk, F(tcp_sock, copied_seq), &start)) {
		int32_t unread = (int32_t)((uint32_t)end - (uint32_t)start);
		row->rx_queue = some_int(unread > 0 ? unread : 0);
	}
	if (k_get(k, sk, F(tcp_sock, write_seq), &end) &&
	    k_get(k, sk, F(tcp_sock, snd_una), &start))
		row->tx_queue = some_int((uint32_t)end - (uint32_t)start);
}

// udp_rqueue_get(): memory already read but not yet given back is not part of the queue.
static void udp_queues(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	struct opt_int deficit = col_int(s->w, sk, F(udp_sock, forward_deficit));

	row->rx_queue = socket_rmem(s, sk);
	row->tx_queue = socket_wmem(s, sk);
	row->rx_queue.set = row->rx_queue.set && deficit.set;
	row->rx_queue.v -= deficit.v;
}

static bool is_tcp(const struct row_sockets *row)
{
	return row->type.v == SOCK_STREAM_TYPE && row->protocol.v == PROTO_TCP;
}

static bool is_udp(const struct row_sockets *row)
{
	return row->type.v == SOCK_DGRAM_TYPE &&
	       (row->protocol.v == PROTO_UDP || row->protocol.v == PROTO_UDPLITE);
}

void socket_inet(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	struct walk *w = s->w;
	uint64_t state = k_or0(w->k, sk, F(sock_common, skc_state));

	socket_addresses(s, sk, row);
	row->local_port = socket_port(s, sk, F(inet_sock, inet_sport));
	row->state = socket_state_text(state);
	if (is_tcp(row)) {
		tcp_queues(w, sk, state, row);
	} else if (is_udp(row)) {
		udp_queues(s, sk, row);
	} else if (row->type.v == SOCK_RAW_TYPE || row->type.v == SOCK_DGRAM_TYPE) {
		row->rx_queue = socket_rmem(s, sk);
		row->tx_queue = socket_wmem(s, sk);
	}
	if (row->type.v == SOCK_RAW_TYPE) { // raw_sock_seq_show(): inet_num, which is the protocol
		row->local_port = col_int(w, sk, F(sock_common, skc_num));
		row->remote_port = some_int(0);
	}
}
