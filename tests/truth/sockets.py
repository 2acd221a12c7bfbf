# SPDX-License-Identifier: LGPL-2.1-or-later
"""sockets and process_open_sockets: every line of every /proc/net file, and every descriptor.

/proc/net lists what the kernel can find by a name; sockets without one (a TCP socket that was only
made) are known from their descriptors alone, and those without descriptors from /proc/net alone.
"""

import re
import socket
import struct

from engine import Comparison
from text import database_text, unescape_collector
from truth import tabbed

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 1, 2, 10, 16, 17
STREAM, DGRAM, RAW = 1, 2, 3
TCP = 6

# include/net/tcp_states.h; a request socket prints its own state as SYN_RECV.
STATES = {1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2",
          6: "TIME_WAIT", 7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING"}

# Where osquery spells a state in a way of its own.
OSQUERY_WORDS = {"CLOSE": "CLOSED"}

# File -> (type, protocol); None where a line of the file tells it.
INET_FILES = {
    "tcp": (STREAM, TCP), "tcp6": (STREAM, TCP), "udp": (DGRAM, 17), "udp6": (DGRAM, 17),
    "udplite": (DGRAM, 136), "udplite6": (DGRAM, 136), "raw": (RAW, None), "raw6": (RAW, None),
    "icmp": (DGRAM, 1), "icmp6": (DGRAM, 58),
}
SO_ACCEPTCON = 0x10000


def _inet_end(text):
    """(address, port) of ADDRESS:PORT, the address as words of the CPU."""
    host, port = text.split(b":")
    words = [int(host[i:i + 8], 16) for i in range(0, len(host), 8)]
    family = socket.AF_INET6 if len(words) == 4 else socket.AF_INET
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)), int(port, 16)


def _address(text):
    """The column socket_addr; nothing where the kernel showed a hash of the address instead."""
    is_real = re.fullmatch(rb"ff[0-9a-f]{14}", text)
    return {"socket_addr": f"0x{text.decode()}"} if is_real else {}


def _inet_line(network, file, line):
    fields = line.split()
    kind, protocol = INET_FILES[file]
    local, remote = _inet_end(fields[1]), _inet_end(fields[2])
    tx, rx = (int(n, 16) for n in fields[4].split(b":"))
    state, inode = STATES[int(fields[3], 16)], int(fields[9])
    row = {
        "net_namespace": str(network), "family": AF_INET6 if file.endswith("6") else AF_INET,
        "type": kind, "protocol": local[1] if protocol is None else protocol, "state": state,
        "local_address": local[0], "local_port": local[1], "remote_address": remote[0],
        "remote_port": remote[1], "path": None, "inode": inode, "rx_queue": rx, "tx_queue": tx,
        "uid": int(fields[7]),
    }
    return row | _address(fields[11]) | _half_socket(state, inode, timer=fields[5][:2])


def _half_socket(state, inode, timer):
    """What /proc prints as zeros for smaller structures in the place of a socket.

    TIME_WAIT sockets (some print the state that they stand in for) are told by their timer, 3, and
    requests for a connection by their state."""
    if timer == b"03":
        return {"type": None, "uid": None}
    return {"type": None} if state == "SYN_RECV" and inode == 0 else {}


def _unix_lines(truth, network):
    """Lines of /proc/net/unix; a newline in a path is not escaped there."""
    lines = []
    for line in truth.lines(f"netns/{network}/unix")[1:]:
        if re.match(rb"\S+: [0-9a-f]{8} [0-9a-f]{8} ", line):
            lines.append(line)
        else:
            lines[-1] += b"\n" + line
    return lines


def _unix_state(flags, state):
    if flags & SO_ACCEPTCON:
        return "LISTEN"
    return "ESTABLISHED" if state in (2, 3) else "UNCONNECTED"


def _unix_line(network, line):
    fields = re.match(rb"(\S+): \S+ \S+ (\S+) (\S+) (\S+)\s+(\d+)(?: (.*))?$", line, re.S).groups()
    return {
        "net_namespace": str(network), "family": AF_UNIX, "type": int(fields[2], 16), "protocol": 0,
        "state": _unix_state(int(fields[1], 16), int(fields[3], 16)), "local_address": None,
        "local_port": None, "remote_address": None, "remote_port": None,
        "path": database_text(fields[5] or b""), "inode": int(fields[4]), "interface": None,
        **_address(fields[0]),
    }


def _netlink_line(network, line):
    fields = line.split()
    return {
        "net_namespace": str(network), "family": AF_NETLINK, "protocol": int(fields[1]),
        "state": None, "local_address": None, "local_port": int(fields[2]), "remote_address": None,
        "remote_port": None, "path": None, "rx_queue": int(fields[4]), "tx_queue": int(fields[5]),
        "inode": int(fields[9]), "interface": None, **_address(fields[0]),
    }


def _packet_line(truth, network, line):
    fields = line.split()
    ifindex = int(fields[4])
    name = truth.link_name(network, ifindex) if ifindex else None
    return {
        "net_namespace": str(network), "family": AF_PACKET, "type": int(fields[2]),
        "protocol": int(fields[3], 16), "state": None, "local_address": None, "local_port": None,
        "remote_address": None, "remote_port": None, "path": None, "rx_queue": int(fields[6]),
        "uid": int(fields[7]), "inode": int(fields[8]),
        "interface": None if name is None else database_text(name), **_address(fields[0]),
    }


def listed(truth):
    """A row for each line of the files of /proc/net of each network namespace."""
    for network in truth.networks:
        folder = f"netns/{network}"
        for file in INET_FILES:
            for line in truth.lines(f"{folder}/{file}")[1:]:
                yield _inet_line(network, file, line)
        for line in _unix_lines(truth, network):
            yield _unix_line(network, line)
        for line in truth.lines(f"{folder}/netlink")[1:]:
            yield _netlink_line(network, line)
        for line in truth.lines(f"{folder}/packet")[1:]:
            yield _packet_line(truth, network, line)


def _asked_end(text):
    """(address, port) of what getsockname or getpeername gave for an inet socket."""
    match = re.fullmatch(rb"\[?([0-9a-fA-F.:]+)(?:%\d+\])?:(\d+)", text)
    return match.group(1).decode(), int(match.group(2))


def _asked_inet(info, row):
    none = "::" if row["family"] == AF_INET6 else "0.0.0.0"
    row["local_address"], row["local_port"] = _asked_end(info[b"local"])
    row["remote_address"], row["remote_port"] = _asked_end(info.get(b"peer", none.encode() + b":0"))
    if row["type"] == RAW:
        row["local_port"] = row["protocol"]
    row["state"] = "CLOSE" if b"peer" not in info else "ESTABLISHED"


def unix_path(info):
    """The column path of what getsockname gave for a unix socket."""
    name = unescape_collector(info.get(b"local", b""))
    if name.startswith(b"\0"):
        # As /proc/net/unix prints it: an @ for each NUL.
        return database_text(name.replace(b"\0", b"@"))
    return database_text(name.removesuffix(b"\0"))


def asked(truth, inode, info):
    """A row from what the collector asked of a descriptor's duplicate."""
    family, network = int(info[b"domain"]), info.get(b"netns", b"").decode()
    row = {
        "inode": inode, "net_namespace": network, "family": family, "type": int(info[b"type"]),
        "protocol": int(info.get(b"protocol", 0)), "state": None, "local_address": None,
        "local_port": None, "remote_address": None, "remote_port": None,
        "path": unix_path(info) if family == AF_UNIX else None, "interface": None,
    }
    if family in (AF_INET, AF_INET6):
        _asked_inet(info, row)
    if family == AF_NETLINK:
        row["local_port"] = int(info[b"local"].split(b":")[0])
    if family == AF_UNIX and info.get(b"accepts") == b"0":
        row["rx_queue"] = int(info.get(b"inq", 0))
    bound = int(info.get(b"bound_if", 0))
    if bound:
        row["interface"] = database_text(truth.link_name(network, bound))
    return row


def _merge(line, told):
    """A line of /proc/net with what only the descriptor tells."""
    row = {k: v for k, v in told.items() if k in ("type", "interface")} | line
    if line["family"] != AF_PACKET:
        row["interface"] = told["interface"]
    if "rx_queue" in told:
        row["rx_queue"] = told["rx_queue"]
    return row


def all_sockets(truth):
    """(sockets known by inode, sockets without one)."""
    by_inode, nameless = {}, []
    for row in listed(truth):
        if row["inode"]:
            by_inode[row["inode"]] = row
        else:
            nameless.append(row)
    for process in truth.processes.values():
        for info in process.sockets.values():
            if b"domain" in info:
                told = asked(truth, int(info[b"inode"]), info)
                line = by_inode.get(told["inode"])
                by_inode[told["inode"]] = _merge(line, told) if line else told
    _add_unix_queues(truth, by_inode)
    return by_inode, nameless


def _add_unix_queues(truth, by_inode):
    """Queues of unix sockets are only in sock_diag; /proc/net/unix has none."""
    for network in truth.networks:
        for line in truth.lines(f"netns/{network}/unix_diag"):
            told = tabbed(line)
            row = by_inode.get(int(told[b"inode"]))
            if row:
                row |= {"rx_queue": int(told[b"rqueue"]), "tx_queue": int(told[b"wqueue"])}


def identity(row):
    """What names a socket in its namespace: its inode, else its ends."""
    if row["inode"]:
        return str(row["inode"])
    return " ".join(str(row.get(c)) for c in (
        "protocol", "local_address", "local_port", "remote_address", "remote_port", "path"))


def _with_identity(rows):
    return [row | {"identity": identity(row)} for row in rows]


def _expected_sockets(case):
    by_inode, nameless = all_sockets(case.truth)
    return _with_identity(list(by_inode.values()) + nameless)


OPEN_COLUMNS = ("family", "protocol", "local_address", "remote_address", "local_port", "remote_port",
                "path", "net_namespace", "type", "inode", "rx_queue", "tx_queue", "socket_addr")


def _open_row(process, descriptor, known):
    row = {c: known[c] for c in OPEN_COLUMNS if c in known}
    is_tcp = known["family"] in (AF_INET, AF_INET6) and known["protocol"] == TCP
    return row | {
        "_process": process, "_socket": known, "pid": process.pid, "fd": descriptor.fd,
        "socket": known["inode"],
        "state": OSQUERY_WORDS.get(known["state"], known["state"]) if is_tcp else None,
    }


def _expected_open(case):
    by_inode, _ = all_sockets(case.truth)
    for process in case.truth.processes.values():
        for descriptor in process.descriptors:
            if descriptor.link.startswith(b"socket:["):
                known = by_inode.get(descriptor.inode)
                yield _open_row(process, descriptor, known) if known else {
                    "_process": process, "pid": process.pid, "fd": descriptor.fd,
                    "socket": descriptor.inode}


COMPARISONS = [
    Comparison(
        "process_open_sockets", ("pid", "fd"), _expected_open,
        untold={"socket_addr": "relations: a row of sockets; compared where /proc showed it",
                "task_addr": "relations: the process's"}),
    Comparison(
        "sockets", ("net_namespace", "family", "identity"), _expected_sockets,
        lambda case: _with_identity(case.database.rows("sockets")),
        untold={"socket_addr": "relations: unique; compared where /proc showed it"}),
]
