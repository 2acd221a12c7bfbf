// SPDX-License-Identifier: LGPL-2.1-or-later
// Sockets: found in the kernel's tables and behind descriptors, described the same way for both.
#ifndef VMI_WALK_SOCKET_H
#define VMI_WALK_SOCKET_H

#include "src/walk/net_devices.h"
#include "src/walk/net_text.h"

// include/net/tcp_states.h
enum {
	TCP_ESTABLISHED_STATE = 1,
	TCP_TIME_WAIT_STATE = 6,
	TCP_CLOSE_STATE = 7,
	TCP_LISTEN_STATE = 10,
	TCP_NEW_SYN_RECV_STATE = 12,
	SOCK_STATE_MAX = 15,
};

// include/linux/net.h
enum { SOCK_STREAM_TYPE = 1, SOCK_DGRAM_TYPE = 2, SOCK_RAW_TYPE = 3, SOCK_SEQPACKET_TYPE = 5 };

// A search for sockets under way.
struct socket_scan {
	struct walk *w;
	struct netdevs devs;
	struct u64map seen; // addresses of sockets that were found
	// What may still come of all of a kind together, lest a hostile image keep us for ever.
	uint64_t budget;  // entries of tables
	uint64_t buckets; // of tables
	uint64_t skbs;	  // messages in queues
};

void socket_scan_init(struct socket_scan *s, struct walk *w);
void socket_scan_fini(struct socket_scan *s);

extern const struct extractor walk_sockets; // sockets, process_open_sockets

// --- describing ---

// Fills the row of a struct sock. Its texts are in the row arena.
void socket_describe(struct socket_scan *s, uint64_t sk, struct row_sockets *row);
// The same for what stands in the place of a struct sock in TCP's table while a connection is
// opened or forgotten: struct request_sock, struct inet_timewait_sock.
void socket_describe_mini(const struct socket_scan *s, uint64_t sk, struct row_sockets *row);

// Parts of socket_describe(), a family each.
void socket_inet(const struct socket_scan *s, uint64_t sk, struct row_sockets *row);
void socket_unix(struct socket_scan *s, uint64_t sk, struct row_sockets *row);

// Addresses of an inet or inet6 socket: what all that starts with a struct sock_common has.
void socket_addresses(const struct socket_scan *s, uint64_t sk, struct row_sockets *row);
struct opt_text socket_state_text(uint64_t state);
// A 16-bit field in network order.
struct opt_int socket_port(const struct socket_scan *s, uint64_t sk, enum field f);
// Bytes charged to the socket: sk_rmem_alloc_get(), sk_wmem_alloc_get().
struct opt_int socket_rmem(const struct socket_scan *s, uint64_t sk);
struct opt_int socket_wmem(const struct socket_scan *s, uint64_t sk);

// --- finding: each looks through the tables of some protocols ---
void socket_scan_tcp(struct socket_scan *s);
void socket_scan_inet(struct socket_scan *s); // UDP, UDP-Lite, raw, ping
void socket_scan_unix(struct socket_scan *s);
void socket_scan_packet(struct socket_scan *s);
void socket_scan_netlink(struct socket_scan *s);

// --- hash tables ---

struct socket_table {
	const char *what;      // for messages: "the table of UDP sockets"
	uint64_t families;     // bit set of those that may be in it
	enum field node;       // of the socket, by which it is chained
	bool minis;	       // request and TIME_WAIT sockets may be in it
	uint64_t buckets, n;   // address and number of buckets
	uint64_t stride, head; // size of a bucket, where in it the first node's address is
	uint64_t strangers, first_stranger; // what was found in it and is no socket
	uint64_t broken, first_broken;	    // chains that end badly
	enum iter_end how_broken;	    // the first of them
};

// Looks through all buckets; emits a row for each socket that was not seen.
void socket_scan_table(struct socket_scan *s, struct socket_table *t);
// One chain, by its first node; false if the search must end.
bool socket_scan_chain(struct socket_scan *s, struct socket_table *t, uint64_t first);
// A socket found in the table.
void socket_found(struct socket_scan *s, struct socket_table *t, uint64_t sk);
// Reports what was wrong with it.
void socket_table_end(const struct socket_scan *s, const struct socket_table *t);

#endif
