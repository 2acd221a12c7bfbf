// SPDX-License-Identifier: LGPL-2.1-or-later
// sockets and process_open_sockets: first what the kernel's tables hold, owned or not, then what
// descriptors lead to and no table knows (unbound and closed sockets, vsock, alg, ...).
#include "src/walk/socket.h"

#include "src/walk/files.h"

#include <string.h>
#include <sys/stat.h>

enum {
	SOCKFS_MAGIC = 0x534F434B, // include/uapi/linux/magic.h
	PROTO_TCP = 6,
};

// A unix socket's name in a file system, opened with O_PATH, has the mode of a socket but is none.
static bool is_socket(struct walk *w, uint64_t inode)
{
	struct kernel *k = w->k;
	uint64_t mode, sb = k_or0(k, inode, F(inode, i_sb));

	return k_get(k, inode, F(inode, i_mode), &mode) && S_ISSOCK(mode) &&
	       k_or0(k, sb, F(super_block, s_magic)) == SOCKFS_MAGIC;
}

// The struct sock of a socket's inode; 0 once it is released.
static uint64_t sock_of(struct walk *w, uint64_t inode)
{
	struct kernel *k = w->k;
	uint64_t alloc = k_container(k, inode, F(socket_alloc, vfs_inode));

	return k_or0(k, k_field_va(k, alloc, F(socket_alloc, socket)), F(socket, sk));
}

// osquery has a state for TCP alone, and CLOSED for what the kernel calls CLOSE.
static struct opt_text tcp_state(const struct row_sockets *s)
{
	bool inet = s->family.v == KAF_INET || s->family.v == KAF_INET6;

	if (!inet || s->type.v != SOCK_STREAM_TYPE || s->protocol.v != PROTO_TCP || !s->state.p)
		return (struct opt_text){0};
	return strcmp(s->state.p, "CLOSE") == 0 ? some_text("CLOSED") : s->state;
}

static void emit_open(struct socket_scan *scan, const struct open_file *f, uint64_t sk)
{
	struct row_sockets s = {0};

	if (sk)
		socket_describe(scan, sk, &s);
	struct opt_int inode = col_int(scan->w, f->inode, F(inode, i_ino));
	struct row_process_open_sockets row = {
		.pid = task_pid(f->task),
		.fd = some_int((int64_t)f->fd),
		.socket = inode,
		.family = s.family,
		.protocol = s.protocol,
		.local_address = s.local_address,
		.remote_address = s.remote_address,
		.local_port = s.local_port,
		.remote_port = s.remote_port,
		.path = s.path,
		.state = tcp_state(&s),
		.net_namespace = s.net_namespace,
		.type = s.type,
		.inode = inode,
		.rx_queue = s.rx_queue,
		.tx_queue = s.tx_queue,
		.socket_addr = col_ptr(sk),
		.task_addr = some_addr(f->task->addr),
	};
	WALK_EMIT(scan->w, process_open_sockets, &row);
}

static void visit_file(void *arg, const struct open_file *f)
{
	struct socket_scan *s = arg;
	struct row_sockets row;

	if (!is_socket(s->w, f->inode))
		return;
	uint64_t sk = sock_of(s->w, f->inode);
	(void)netns_add(s->w, &s->devs.nets, k_or0(s->w->k, sk, F(sock_common, skc_net)));
	if (walk_wants(s->w, TABLE_process_open_sockets))
		emit_open(s, f, sk);
	if (!sk || !walk_wants(s->w, TABLE_sockets) || !u64map_add(&s->seen, sk, 0))
		return;
	socket_describe(s, sk, &row);
	WALK_EMIT(s->w, sockets, &row);
}

static void run(struct walk *w)
{
	struct socket_scan s;
	bool tables = walk_wants(w, TABLE_sockets);
	enum table_id table = tables ? TABLE_sockets : TABLE_process_open_sockets;

	socket_scan_init(&s, w);
	netdevs_find(w, table, &s.devs);
	if (tables) {
		socket_scan_tcp(&s);
		socket_scan_inet(&s);
		socket_scan_unix(&s);
		socket_scan_packet(&s);
		socket_scan_netlink(&s);
	}
	files_each(w, table, visit_file, &s);
	socket_scan_fini(&s);
}

const struct extractor walk_sockets = {
	.name = "sockets",
	.tables = {TABLE_sockets, TABLE_process_open_sockets},
	.n_tables = 2,
	.needs = {F(net, dev_base_head), F(net, list), F(net_device, dev_list),
		  F(sock_common, skc_family), F(sock_common, skc_state), F(sock_common, skc_net),
		  F(sock_common, skc_node), F(socket_alloc, vfs_inode), F(socket_alloc, socket),
		  F(socket, sk)},
	.n_needs = 10,
	.run = run,
};
