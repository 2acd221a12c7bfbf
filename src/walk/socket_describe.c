// SPDX-License-Identifier: LGPL-2.1-or-later
// Describes a socket as the files of /proc/net do.
#include "src/walk/socket.h"

#include "src/base/bytes.h"

struct opt_text socket_state_text(uint64_t state)
{
	static const char *const names[] = {
		NULL,	     "ESTABLISHED", "SYN_SENT", "SYN_RECV",   "FIN_WAIT1",
		"FIN_WAIT2", "TIME_WAIT",   "CLOSE",	"CLOSE_WAIT", "LAST_ACK",
		"LISTEN",    "CLOSING",	    "SYN_RECV", // TCP_NEW_SYN_RECV, printed as SYN_RECV
	};

	return some_text(state < sizeof(names) / sizeof(names[0]) ? names[state] : NULL);
}

struct opt_int socket_port(const struct socket_scan *s, uint64_t sk, enum field f)
{
	uint8_t b[2];

	if (k_bytes(s->w->k, sk, f, b, sizeof(b)) != sizeof(b))
		return (struct opt_int){0};
	return some_int(b[0] << 8 | b[1]);
}

struct opt_int socket_rmem(const struct socket_scan *s, uint64_t sk)
{
	return col_int(s->w, sk, F(sock, sk_rmem_alloc));
}

// It starts at 1 (SK_WMEM_ALLOC_BIAS) so that the socket lives until all of it is sent.
struct opt_int socket_wmem(const struct socket_scan *s, uint64_t sk)
{
	struct opt_int n = col_int(s->w, sk, F(sock, sk_wmem_alloc));

	n.v -= n.set;
	return n;
}

void socket_addresses(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	bool v6 = row->family.v == KAF_INET6;

	row->local_address =
		ip_col(s->w, (uint64_t)row->family.v, sk,
		       v6 ? F(sock_common, skc_v6_rcv_saddr) : F(sock_common, skc_rcv_saddr));
	row->remote_address = ip_col(s->w, (uint64_t)row->family.v, sk,
				     v6 ? F(sock_common, skc_v6_daddr) : F(sock_common, skc_daddr));
	row->remote_port = socket_port(s, sk, F(sock_common, skc_dport));
}

static struct opt_text interface_name(const struct socket_scan *s, uint64_t sk, enum field f,
				      enum field base)
{
	struct kernel *k = s->w->k;
	uint64_t index, net = k_or0(k, sk, base);

	if (!k_get(k, sk, f, &index) || index == 0)
		return (struct opt_text){0};
	const struct netdev *dev = netdevs_by_index(&s->devs, net, (int64_t)index);
	return some_text(dev ? dev->name : NULL);
}

// What every socket has, the small ones included.
static void common_columns(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	struct walk *w = s->w;

	*row = (struct row_sockets){
		.family = col_int(w, sk, F(sock_common, skc_family)),
		.net_namespace =
			netns_text(w, &s->devs.nets, k_or0(w->k, sk, F(sock_common, skc_net))),
		.interface = interface_name(s, sk, F(sock_common, skc_bound_dev_if),
					    F(sock_common, skc_net)),
		.socket_addr = some_addr(sk),
	};
}

// sock_i_ino()
static struct opt_int inode_of(struct walk *w, uint64_t sk)
{
	uint64_t socket;
	struct kernel *k = w->k;

	if (!k_get(k, sk, F(sock, sk_socket), &socket))
		return (struct opt_int){0};
	if (!socket)
		return some_int(0);
	return col_int(w,
		       k_field_va(k, k_container(k, socket, F(socket_alloc, socket)),
				  F(socket_alloc, vfs_inode)),
		       F(inode, i_ino));
}

// --- TIME_WAIT and request sockets ---

// A request belongs to its listener's owner: get_openreq4() of net/ipv4/tcp_ipv4.c.
static void request_columns(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	uint64_t listener = k_or0(s->w->k, sk, F(sock_common, skc_listener));

	row->state = socket_state_text(TCP_NEW_SYN_RECV_STATE);
	row->local_port = col_int(s->w, sk, F(sock_common, skc_num));
	if (k_plausible(s->w->k, listener))
		row->uid = col_int(s->w, listener, F(sock, sk_uid));
}

// FIN_WAIT2 is kept in such a small socket as well. The uid is gone; /proc/net/tcp prints 0.
static void timewait_columns(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	row->state = socket_state_text(k_or0(s->w->k, sk, F(inet_timewait_sock, tw_substate)));
	row->local_port = socket_port(s, sk, F(inet_timewait_sock, tw_sport));
}

void socket_describe_mini(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	common_columns(s, sk, row);
	socket_addresses(s, sk, row);
	row->protocol = some_int(6);
	row->inode = some_int(0);
	row->rx_queue = some_int(0);
	row->tx_queue = some_int(0);
	if (k_or0(s->w->k, sk, F(sock_common, skc_state)) == TCP_TIME_WAIT_STATE)
		timewait_columns(s, sk, row);
	else
		request_columns(s, sk, row);
}

// --- families without addresses ---

static void netlink_columns(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	row->local_port = col_int(s->w, sk, F(netlink_sock, portid));
	row->rx_queue = socket_rmem(s, sk);
	row->tx_queue = socket_wmem(s, sk);
}

static void packet_columns(const struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	row->protocol = socket_port(s, sk, F(packet_sock, num));
	row->interface = interface_name(s, sk, F(packet_sock, ifindex), F(sock_common, skc_net));
	row->rx_queue = socket_rmem(s, sk);
	row->tx_queue = socket_wmem(s, sk);
}

void socket_describe(struct socket_scan *s, uint64_t sk, struct row_sockets *row)
{
	struct walk *w = s->w;

	common_columns(s, sk, row);
	row->type = col_int(w, sk, F(sock, sk_type));
	row->protocol = col_int(w, sk, F(sock, sk_protocol));
	row->uid = col_int(w, sk, F(sock, sk_uid));
	row->inode = inode_of(w, sk);
	switch (row->family.v) {
	case KAF_INET:
	case KAF_INET6:
		socket_inet(s, sk, row);
		break;
	case KAF_UNIX:
		socket_unix(s, sk, row);
		break;
	case KAF_NETLINK:
		netlink_columns(s, sk, row);
		break;
	case KAF_PACKET:
		packet_columns(s, sk, row);
		break;
	default:
		break;
	}
}
