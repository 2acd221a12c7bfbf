# SPDX-License-Identifier: LGPL-2.1-or-later
"""interface_details and interface_addresses: what rtnetlink says in every network namespace."""

import ipaddress

from engine import Comparison, OneOf
from text import database_text, unescape_collector
from truth import tabbed

# include/uapi/linux/if.h, IF_OPER_*
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}
IFA_F_PERMANENT = 0x80
AF_INET, AF_INET6 = 2, 10

COUNTERS = {
    "ipackets": b"rx_packets", "opackets": b"tx_packets", "ibytes": b"rx_bytes",
    "obytes": b"tx_bytes", "ierrors": b"rx_errors", "oerrors": b"tx_errors",
    "idrops": b"rx_dropped", "odrops": b"tx_dropped", "collisions": b"collisions",
}


def _optional(link, name):
    return database_text(unescape_collector(link[name])) if name in link else None


def _hardware_columns(link):
    """Known where the collector followed /sys/class/net/NAME/device."""
    row = {}
    if b"driver" in link:
        row["driver"] = link[b"driver"].decode() or None
    if b"bus" in link:
        row["pci_slot"] = link[b"bus"].decode() or None
    return row


def _detail(network, link):
    return {
        "_link": link, "interface": database_text(unescape_collector(link[b"name"])),
        "mac": link.get(b"mac", b"").decode() or None, "type": int(link[b"type"]),
        "mtu": int(link[b"mtu"]), "metric": 0,
        # SIOCGIFFLAGS has room for 16 of the bits that rtnetlink gives.
        "flags": int(link[b"flags"], 16) & 0xffff, "last_change": -1,
        "net_namespace": str(network), "ifindex": int(link[b"ifindex"]),
        "state": OPERSTATES[int(link[b"operstate"])], "kind": _optional(link, b"kind"),
        **{column: int(link[name]) for column, name in COUNTERS.items()},
        **_hardware_columns(link),
    }


def _expected_details(case):
    for network in case.truth.networks:
        for link in case.truth.links(network):
            yield _detail(network, link)


def _origin(address):
    """How an address came: a lifetime or the kernel's own hand leave traces, an administrator none."""
    if int(address[b"family"]) == AF_INET6 and address[b"address"].startswith(b"fe80:"):
        return OneOf("auto", "manual")
    if int(address.get(b"flags", b"0")) & IFA_F_PERMANENT:
        return "manual"
    return "dhcp" if int(address[b"family"]) == AF_INET else "auto"


def _mask(address):
    size = 32 if int(address[b"family"]) == AF_INET else 128
    bits = ((1 << int(address[b"prefixlen"])) - 1) << (size - int(address[b"prefixlen"]))
    kind = ipaddress.IPv4Address if size == 32 else ipaddress.IPv6Address
    return str(kind(bits))


def _address(case, network, address):
    own = address.get(b"local", address[b"address"])
    name = case.truth.link_name(network, int(address[b"ifindex"]))
    is_v4 = int(address[b"family"]) == AF_INET
    return {
        "interface": database_text(name), "address": own.decode(), "mask": _mask(address),
        "broadcast": address[b"broadcast"].decode() if b"broadcast" in address else None,
        "point_to_point": address[b"address"].decode() if own != address[b"address"] else None,
        "type": _origin(address), "net_namespace": str(network),
        "prefix_length": int(address[b"prefixlen"]),
        "scope": SCOPES.get(int(address[b"scope"]), address[b"scope"].decode()),
        "label": _optional(address, b"label") if is_v4 else None,
    }


def _expected_addresses(case):
    for network in case.truth.networks:
        for line in case.truth.lines(f"netns/{network}/addrs"):
            yield _address(case, network, tabbed(line))


COMPARISONS = [
    Comparison(
        "interface_details", ("net_namespace", "ifindex"), _expected_details,
        untold={"stats_source": "relations: there exactly where counters are",
                "link_speed": "/sys gives what the driver answers, not what it keeps",
                "pci_slot": "compared where the collector followed the device's link",
                "driver": "compared where the collector followed the device's link",
                "device_addr": "relations: unique, in the kernel half"}),
    Comparison(
        "interface_addresses", ("net_namespace", "interface", "address"), _expected_addresses,
        untold={"device_addr": "relations: a row of interface_details"}),
]
