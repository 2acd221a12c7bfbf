# SPDX-License-Identifier: LGPL-2.1-or-later
"""arp_cache and routes: what rtnetlink says in every network namespace."""

from engine import Comparison
from text import database_text
from truth import tabbed

# include/uapi/linux/rtnetlink.h, RTN_*; osquery names four of them.
KINDS = ("unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable",
         "prohibit", "throw", "nat", "xresolve")
TYPES = {1: "gateway", 2: "local", 3: "broadcast", 4: "anycast"}
ANY = {2: "0.0.0.0", 10: "::"}
# include/uapi/linux/neighbour.h, NUD_*
STATES = {0: "none", 1: "incomplete", 2: "reachable", 4: "stale", 8: "delay", 16: "probe", 32: "failed",
          64: "noarp", 128: "permanent"}
NUD_PERMANENT = 0x80


def _interface(truth, network, ifindex):
    name = truth.link_name(network, int(ifindex)) if ifindex is not None else None
    return database_text(name) if name is not None else None


def _text(line, name):
    return line[name].decode() if name in line else None


def _number(line, name):
    return int(line[name]) if name in line else None


def _neighbours(case):
    for network in case.truth.networks:
        for line in map(tabbed, case.truth.lines(f"netns/{network}/neighbours")):
            state = int(line[b"state"], 16)
            yield {
                "address": line[b"address"].decode(), "mac": _text(line, b"mac") or None,
                "interface": _interface(case.truth, network, line[b"ifindex"]),
                "permanent": "1" if state & NUD_PERMANENT else "0", "state": STATES[state],
                "family": int(line[b"family"]), "net_namespace": str(network),
            }


def _hops(line):
    """(ifindex, gateway) of each next hop."""
    if b"multipath" in line:
        for hop in line[b"multipath"].split(b","):
            ifindex, gateway = hop.split(b" ")
            yield ifindex, None if gateway == b"-" else gateway.decode()
    else:
        yield line.get(b"ifindex"), _text(line, b"gateway")


def _route(truth, network, line, ifindex, gateway):
    kind, family = int(line[b"type"]), int(line[b"family"])
    return {
        "destination": _text(line, b"destination") or ANY[family], "netmask": int(line[b"prefixlen"]),
        "gateway": gateway, "source": _text(line, b"source"), "flags": int(line[b"flags"], 16),
        "interface": _interface(truth, network, ifindex), "mtu": _number(line, b"mtu"),
        "metric": _number(line, b"metric") or 0, "type": TYPES.get(kind, "other"),
        "hopcount": _number(line, b"hoplimit"), "kind": KINDS[kind], "family": family,
        "table_id": int(line[b"table"]), "protocol": int(line[b"protocol"]), "net_namespace": str(network),
    }


def _routes(case):
    for network in case.truth.networks:
        for line in map(tabbed, case.truth.lines(f"netns/{network}/routes")):
            for ifindex, gateway in _hops(line):
                yield _route(case.truth, network, line, ifindex, gateway)


COMPARISONS = [
    Comparison("arp_cache", ("net_namespace", "interface", "address"), _neighbours, untold={
        "device_addr": "relations: a row of interface_details",
        "neighbour_addr": "relations: in the kernel half"}),
    Comparison("routes", ("net_namespace", "table_id", "destination", "netmask", "interface", "kind"),
               _routes, untold={
                   "device_addr": "relations: a row of interface_details",
                   "route_addr": "relations: in the kernel half"}),
]
