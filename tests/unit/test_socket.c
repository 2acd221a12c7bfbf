// SPDX-License-Identifier: LGPL-2.1-or-later
// Sockets of a made-up kernel: their tables, their columns, and what hostile memory makes of them.
#include "src/walk/socket.h"
#include "tests/unit/net_guest.h"

#include <criterion/criterion.h>

#include <string.h>

static struct net_guest t;
static struct socket_scan scan;
static uint64_t net;

enum { SIZE = 0x4000 };

static void make_kernel(void)
{
	net_guest_init(&t);
	net = net_guest_netns(&t, NET_INUM);
	socket_scan_init(&scan, &t.w);
	cr_assert(netns_add(&t.w, &scan.devs.nets, net));
}

static void end_kernel(void)
{
	socket_scan_fini(&scan);
	net_guest_fini(&t);
}

TestSuite(socket, .init = make_kernel, .fini = end_kernel);

static uint64_t new_sock(uint64_t family, uint64_t state)
{
	uint64_t sk = guest_alloc(t.g, SIZE);

	net_set(&t, sk, F(sock_common, skc_family), family);
	net_set(&t, sk, F(sock_common, skc_state), state);
	net_set(&t, sk, F(sock_common, skc_net), net);
	return sk;
}

static struct row_sockets described(uint64_t sk)
{
	struct row_sockets row;

	socket_describe(&scan, sk, &row);
	return row;
}

// --- tables ---

static struct socket_table table(size_t buckets)
{
	return (struct socket_table){
		.what = "the table",
		.families = 1 << KAF_INET,
		.node = F(sock_common, skc_node),
		.buckets = guest_alloc(t.g, buckets * 16),
		.n = buckets,
		.stride = 16,
		.head = 8,
	};
}

static uint64_t node(uint64_t sk)
{
	return net_field(&t, sk, F(sock_common, skc_node));
}

Test(socket, chains_end_in_null_or_a_marker)
{
	struct socket_table tb = table(4);
	uint64_t a = new_sock(KAF_INET, 1), b = new_sock(KAF_INET, 7), c = new_sock(KAF_INET, 10);

	put_u64(t.g, tb.buckets + 8, node(a));
	put_u64(t.g, node(a), node(b));
	put_u64(t.g, node(b), 0x21); // nulls marker
	put_u64(t.g, tb.buckets + 24, 1);
	put_u64(t.g, tb.buckets + 40, node(c));
	socket_scan_table(&scan, &tb);
	cr_assert_eq(t.log.n[TABLE_sockets], 3);
	cr_assert_eq(t.log.n[TABLE_problems], 0);
	socket_scan_table(&scan, &tb); // all were seen
	cr_assert_eq(t.log.n[TABLE_sockets], 3);
}

Test(socket, what_is_no_socket_is_counted)
{
	struct socket_table tb = table(1);
	uint64_t local = new_sock(KAF_UNIX, 1), state = new_sock(KAF_INET, 99);
	uint64_t netless = new_sock(KAF_INET, 1), good = new_sock(KAF_INET, 1);

	net_set(&t, netless, F(sock_common, skc_net), NET_NOWHERE);
	put_u64(t.g, tb.buckets + 8, node(local));
	put_u64(t.g, node(local), node(state));
	put_u64(t.g, node(state), node(netless));
	put_u64(t.g, node(netless), node(good));
	socket_scan_table(&scan, &tb);
	cr_assert_eq(t.log.n[TABLE_sockets], 1);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "warning", "message",
			      "the table: 3 entries are no sockets", NULL),
		  "%s", row_log_problems(&t.log));
}

Test(socket, chains_that_do_not_end)
{
	struct socket_table tb = table(2);
	uint64_t a = new_sock(KAF_INET, 1), b = new_sock(KAF_INET, 1);

	put_u64(t.g, tb.buckets + 8, node(a));
	put_u64(t.g, node(a), node(a));
	put_u64(t.g, tb.buckets + 24, node(b));
	put_u64(t.g, node(b), NET_NOWHERE);
	socket_scan_table(&scan, &tb);
	cr_assert_eq(t.log.n[TABLE_sockets], 2);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "error", "message",
			      "the table: 2 of its chains are cut short, the first: the list runs "
			      "in a circle",
			      NULL),
		  "%s", row_log_problems(&t.log));
	cr_assert(t.w.cover[TABLE_sockets].partial);
}

Test(socket, the_budget_ends_the_search)
{
	struct socket_table tb = table(4);
	uint64_t a = new_sock(KAF_INET, 1), b = new_sock(KAF_INET, 1);

	scan.budget = 2;
	for (size_t i = 0; i < 4; i++)
		put_u64(t.g, tb.buckets + i * 16 + 8, node(a));
	put_u64(t.g, node(a), node(b));
	socket_scan_table(&scan, &tb);
	cr_assert_eq(scan.budget, 0);
	cr_assert_eq(t.log.n[TABLE_problems], 1);
}

Test(socket, tables_that_can_not_be)
{
	struct socket_table tb = table(1);
	const struct socket_table bad[] = {
		{.buckets = 0, .n = 1, .stride = 8},
		{.buckets = tb.buckets, .n = 0, .stride = 8},
		{.buckets = tb.buckets, .n = 1ULL << 32, .stride = 8},
		{.buckets = tb.buckets, .n = 3, .stride = 8},
		{.buckets = tb.buckets, .n = 1, .stride = 0},
		{.buckets = tb.buckets, .n = 1, .stride = 8, .head = 8},
		{.buckets = tb.buckets, .n = 1, .stride = 1ULL << 32},
		{.buckets = NET_NOWHERE, .n = 4, .stride = 8},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct socket_table b = bad[i];
		b.what = "the table";
		b.node = F(sock_common, skc_node);
		socket_scan_table(&scan, &b);
		cr_assert_eq(t.log.n[TABLE_problems], i + 1, "%zu", i);
	}
	cr_assert_eq(t.log.n[TABLE_sockets], 0);
}

Test(socket, small_sockets_only_where_they_can_be)
{
	struct socket_table tb = table(1);
	uint64_t tw = new_sock(KAF_INET, 6), request = new_sock(KAF_INET, 12);

	tb.minis = true;
	net_set(&t, tw, F(inet_timewait_sock, tw_substate), 5);
	net_set_bytes(&t, tw, F(inet_timewait_sock, tw_sport), "\x1b\x59", 2);
	net_set_bytes(&t, tw, F(sock_common, skc_dport), "\x00\x50", 2);
	net_set(&t, request, F(sock_common, skc_num), 7001);
	put_u64(t.g, tb.buckets + 8, node(tw));
	put_u64(t.g, node(tw), node(request));
	socket_scan_table(&scan, &tb);
	cr_assert(net_has_row(&t, TABLE_sockets, "state", "FIN_WAIT2", "local_port", "7001",
			      "remote_port", "80", "type", NULL, "uid", NULL, "inode", "0",
			      "protocol", "6", NULL),
		  "%s", row_log_problems(&t.log));
	cr_assert(net_has_row(&t, TABLE_sockets, "state", "SYN_RECV", "local_port", "7001", "type",
			      NULL, NULL));
}

// --- inet ---

static uint64_t new_tcp(uint64_t state)
{
	uint64_t sk = new_sock(KAF_INET, state);

	net_set(&t, sk, F(sock, sk_type), SOCK_STREAM_TYPE);
	net_set(&t, sk, F(sock, sk_protocol), 6);
	return sk;
}

Test(socket, tcp_connection)
{
	uint64_t sk = new_tcp(1), alloc = guest_alloc(t.g, 4096);

	net_set_bytes(&t, sk, F(sock_common, skc_rcv_saddr), "\x7f\0\0\x01", 4);
	net_set_bytes(&t, sk, F(sock_common, skc_daddr), "\x0a\x4d\0\x02", 4);
	net_set_bytes(&t, sk, F(inet_sock, inet_sport), "\x80\x01", 2);
	net_set_bytes(&t, sk, F(sock_common, skc_dport), "\x00\x50", 2);
	net_set(&t, sk, F(tcp_sock, rcv_nxt), 5);
	net_set(&t, sk, F(tcp_sock, copied_seq), 0xfffffffb); // sequence numbers wrap
	net_set(&t, sk, F(tcp_sock, write_seq), 2);
	net_set(&t, sk, F(tcp_sock, snd_una), 0xffffffff);
	net_set(&t, sk, F(sock, sk_uid), 1000);
	net_set(&t, sk, F(sock, sk_socket), net_field(&t, alloc, F(socket_alloc, socket)));
	net_set(&t, net_field(&t, alloc, F(socket_alloc, vfs_inode)), F(inode, i_ino), 4711);
	struct row_sockets r = described(sk);
	cr_assert_str_eq(r.local_address.p, "127.0.0.1");
	cr_assert_str_eq(r.remote_address.p, "10.77.0.2");
	cr_assert_eq(r.local_port.v, 32769);
	cr_assert_eq(r.remote_port.v, 80);
	cr_assert_str_eq(r.state.p, "ESTABLISHED");
	cr_assert_eq(r.rx_queue.v, 10);
	cr_assert_eq(r.tx_queue.v, 3);
	cr_assert_eq(r.uid.v, 1000);
	cr_assert_eq(r.inode.v, 4711);
	cr_assert_str_eq(r.net_namespace.p, "4026531840");
	cr_assert_null(r.path.p);
}

Test(socket, tcp_queue_that_would_be_negative)
{
	uint64_t sk = new_tcp(1);

	net_set(&t, sk, F(tcp_sock, rcv_nxt), 5);
	net_set(&t, sk, F(tcp_sock, copied_seq), 6);
	cr_assert_eq(described(sk).rx_queue.v, 0);
	cr_assert_eq(described(sk).inode.v, 0); // nobody has it open
}

Test(socket, tcp_listener)
{
	uint64_t sk = new_tcp(10);

	net_set(&t, sk, F(sock, sk_ack_backlog), 1);
	net_set(&t, sk, F(sock, sk_max_ack_backlog), 128);
	struct row_sockets r = described(sk);
	cr_assert_str_eq(r.state.p, "LISTEN");
	cr_assert_eq(r.rx_queue.v, 1);
	cr_assert_eq(r.tx_queue.v, 128);
}

Test(socket, mapped_and_native_ipv6)
{
	uint64_t sk = new_tcp(1);

	net_set(&t, sk, F(sock_common, skc_family), KAF_INET6);
	net_set_bytes(&t, sk, F(sock_common, skc_v6_rcv_saddr),
		      "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01", 16);
	struct row_sockets r = described(sk);
	cr_assert_str_eq(r.local_address.p, "::ffff:127.0.0.1");
	cr_assert_str_eq(r.remote_address.p, "::");
}

Test(socket, udp_queue_without_what_was_read)
{
	uint64_t sk = new_tcp(7);

	net_set(&t, sk, F(sock, sk_type), SOCK_DGRAM_TYPE);
	net_set(&t, sk, F(sock, sk_protocol), 17);
	net_set(&t, sk, F(sock, sk_rmem_alloc), 2304);
	net_set(&t, sk, F(sock, sk_wmem_alloc), 1);
	net_set(&t, sk, F(udp_sock, forward_deficit), 768);
	struct row_sockets r = described(sk);
	cr_assert_str_eq(r.state.p, "CLOSE");
	cr_assert_eq(r.rx_queue.v, 1536);
	cr_assert_eq(r.tx_queue.v, 0);
}

Test(socket, raw_has_its_protocol_for_a_port)
{
	uint64_t sk = new_tcp(7);

	net_set(&t, sk, F(sock, sk_type), SOCK_RAW_TYPE);
	net_set(&t, sk, F(sock, sk_protocol), 89);
	net_set(&t, sk, F(sock_common, skc_num), 89);
	net_set_bytes(&t, sk, F(sock_common, skc_dport), "\x12\x34", 2);
	struct row_sockets r = described(sk);
	cr_assert_eq(r.local_port.v, 89);
	cr_assert_eq(r.remote_port.v, 0);
}

// --- unix ---

static uint64_t new_unix(uint64_t type, uint64_t state)
{
	uint64_t sk = new_sock(KAF_UNIX, state);

	net_set(&t, sk, F(sock, sk_type), type);
	net_ring(&t, net_field(&t, sk, F(sock, sk_receive_queue)));
	net_set(&t, sk, F(sock, sk_wmem_alloc), 1);
	return sk;
}

static void name(uint64_t sk, uint64_t len, const char *path, size_t n)
{
	uint64_t addr = guest_alloc(t.g, 4096);

	net_set(&t, sk, F(unix_sock, addr), addr);
	net_set(&t, addr, F(unix_address, len), len);
	guest_put(t.g, net_field(&t, addr, F(unix_address, name)) + 2, path, n);
}

static void path_is(uint64_t sk, const char *want)
{
	struct opt_text path = described(sk).path;

	cr_assert_not_null(path.p);
	cr_assert_eq(path.n, strlen(want), "%.*s", (int)path.n, path.p);
	cr_assert_arr_eq(path.p, want, path.n);
}

Test(socket, names_of_unix_sockets)
{
	uint64_t sk = new_unix(SOCK_STREAM_TYPE, 7);

	path_is(sk, "");
	name(sk, 2 + 11, "/tmp/socket", 12);
	path_is(sk, "/tmp/socke"); // the length counts the NUL
	name(sk, 2 + 12, "/tmp/socket", 12);
	path_is(sk, "/tmp/socket");
	name(sk, 2 + 6, "\0a\0b\0c", 6);
	path_is(sk, "@a@b@c");
	name(sk, 2 + 1, "\0", 1);
	path_is(sk, "@");
	name(sk, 2, "", 1);
	path_is(sk, "");
}

Test(socket, names_that_are_too_long_or_not_there)
{
	uint64_t sk = new_unix(SOCK_STREAM_TYPE, 7);

	name(sk, 2 + 110, "/", 1);
	cr_assert_null(described(sk).path.p);
	name(sk, 1, "/", 1);
	cr_assert_null(described(sk).path.p);
	name(sk, UINT64_MAX, "/", 1);
	cr_assert_null(described(sk).path.p);
	net_set(&t, sk, F(unix_sock, addr), NET_NOWHERE);
	cr_assert_null(described(sk).path.p);
}

static void queue(uint64_t sk, uint64_t len, uint64_t consumed)
{
	uint64_t skb = guest_alloc(t.g, 4096);

	net_set(&t, skb, F(sk_buff, len), len);
	net_set(&t, net_field(&t, skb, F(sk_buff, cb)), F(unix_skb_parms, consumed), consumed);
	net_ring_add(&t, net_field(&t, sk, F(sock, sk_receive_queue)), skb);
}

Test(socket, unread_bytes_of_unix_sockets)
{
	uint64_t sk = new_unix(SOCK_SEQPACKET_TYPE, 1);

	cr_assert_eq(described(sk).rx_queue.v, 0);
	queue(sk, 100, 40);
	queue(sk, 7, 0);
	cr_assert_eq(described(sk).rx_queue.v, 67);
	net_set(&t, sk, F(sock, sk_type), SOCK_DGRAM_TYPE); // of those the next message counts
	cr_assert_eq(described(sk).rx_queue.v, 100);
	net_set(&t, sk, F(sock, sk_type), SOCK_STREAM_TYPE);
	net_set(&t, sk, F(unix_sock, inq_len), 5); // since 6.17 the kernel keeps the sum
	cr_assert_eq(described(sk).rx_queue.v, 5);
	guest_unplace(t.g, F(unix_sock, inq_len));
	cr_assert_eq(described(sk).rx_queue.v, 67);
}

Test(socket, states_of_unix_sockets)
{
	uint64_t sk = new_unix(SOCK_STREAM_TYPE, 10);

	net_set(&t, net_field(&t, sk, F(sock, sk_receive_queue)), F(sk_buff_head, qlen), 0);
	net_set(&t, sk, F(sock, sk_max_ack_backlog), 5);
	cr_assert_str_eq(described(sk).state.p, "LISTEN");
	cr_assert_eq(described(sk).tx_queue.v, 5);
	net_set(&t, sk, F(sock_common, skc_state), 1);
	cr_assert_str_eq(described(sk).state.p, "ESTABLISHED");
	net_set(&t, sk, F(sock_common, skc_state), 7);
	cr_assert_str_eq(described(sk).state.p, "UNCONNECTED");
}

Test(socket, a_queue_that_runs_in_a_circle_is_unknown)
{
	uint64_t sk = new_unix(SOCK_SEQPACKET_TYPE, 1);

	queue(sk, 1, 0);
	uint64_t head = net_field(&t, sk, F(sock, sk_receive_queue)), skb;
	cr_assert(k_u64(&t.g->k, head, &skb));
	put_u64(t.g, skb, skb);
	cr_assert_not(described(sk).rx_queue.set);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "error", NULL));
}

// --- others ---

Test(socket, packet_and_netlink)
{
	uint64_t packet = new_unix(SOCK_RAW_TYPE, 7), netlink = new_sock(KAF_NETLINK, 7);

	net_set(&t, packet, F(sock_common, skc_family), KAF_PACKET);
	net_set_bytes(&t, packet, F(packet_sock, num), "\x88\xcc", 2);
	net_set(&t, packet, F(packet_sock, ifindex), UINT64_MAX); // its device is gone
	struct row_sockets r = described(packet);
	cr_assert_eq(r.protocol.v, 0x88cc);
	cr_assert_null(r.interface.p);
	cr_assert_null(r.state.p);
	cr_assert_not(r.local_port.set);
	net_set(&t, netlink, F(netlink_sock, portid), 158);
	net_set(&t, netlink, F(sock, sk_wmem_alloc), 1);
	net_set(&t, netlink, F(sock, sk_protocol), 15);
	r = described(netlink);
	cr_assert_eq(r.local_port.v, 158);
	cr_assert_eq(r.protocol.v, 15);
	cr_assert_eq(r.tx_queue.v, 0);
	cr_assert_null(r.local_address.p);
}

Test(socket, an_unknown_family_has_no_queues)
{
	uint64_t sk = new_sock(40, 7);

	net_set(&t, sk, F(sock, sk_type), SOCK_STREAM_TYPE);
	struct row_sockets r = described(sk);
	cr_assert_eq(r.family.v, 40);
	cr_assert_not(r.rx_queue.set);
	cr_assert_null(r.state.p);
	cr_assert_null(r.local_address.p);
}

Test(socket, a_socket_that_is_not_in_memory_is_all_null)
{
	struct row_sockets r = described(NET_NOWHERE);

	cr_assert_not(r.family.set);
	cr_assert_not(r.inode.set);
	cr_assert_null(r.net_namespace.p);
	cr_assert_eq(r.socket_addr.v, NET_NOWHERE);
}
