# SPDX-License-Identifier: LGPL-2.1-or-later
"""interface_details and interface_addresses: what rtnetlink says in every network namespace."""

import ipaddress
import re

from engine import Comparison
from text import database_text, unescape_collector
from truth import tabbed

# include/uapi/linux/if.h, IF_OPER_*
OPERSTATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}
IFA_F_PERMANENT = 0x80
AF_INET, AF_INET6 = 2, 10

PCI_SLOT = re.compile("[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}[.][0-7]")

COUNTERS = {
    "ipackets": b"rx_packets", "opackets": b"tx_packets", "ibytes": b"rx_bytes",
    "obytes": b"tx_bytes", "ierrors": b"rx_errors", "oerrors": b"tx_errors",
    "idrops": b"rx_dropped", "odrops": b"tx_dropped", "collisions": b"collisions",
}


def _optional(link, name):
    return database_text(unescape_collector(link[name])) if name in link else None


def _hardware_columns(truth, network, name):
    """Driver and PCI address: /sys of the collector shows those of its own network namespace."""
    if network != truth.home_network or f"sys/class/net/{name}/address" not in truth.files:
        return {}
    told = tabbed((truth.raw(f"sys/class/net/{name}/hardware") or b"").rstrip(b"\n"))
    slots = PCI_SLOT.findall(told.get(b"device", b"").decode())
    return {"driver": told[b"driver"].decode() if told else None,
            "pci_slot": slots[-1] if slots else None}


def _detail(truth, network, link):
    name = database_text(unescape_collector(link[b"name"]))
    return {
        "_link": link, "interface": name,
        "mac": link.get(b"mac", b"").decode() or None, "type": int(link[b"type"]),
        "mtu": int(link[b"mtu"]), "metric": 0,
        # SIOCGIFFLAGS has room for 16 of the bits that rtnetlink gives.
        "flags": int(link[b"flags"], 16) & 0xffff, "last_change": -1,
        "net_namespace": str(network), "ifindex": int(link[b"ifindex"]),
        "state": OPERSTATES[int(link[b"operstate"])], "kind": _optional(link, b"kind"),
        **{column: int(link[name]) for column, name in COUNTERS.items()},
        **_hardware_columns(truth, network, name),
    }


def _expected_details(case):
    for network in case.truth.networks:
        for link in case.truth.links(network):
            yield _detail(case.truth, network, link)


def _is_eui64(address, link):
    """Whether an IPv6 address ends in what the kernel makes of the interface's hardware address."""
    mac = bytes.fromhex(link.get(b"mac", b"").decode().replace(":", ""))
    if len(mac) != 6:
        return False
    own = bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return ipaddress.IPv6Address(address[b"address"].decode()).packed[8:] == own


def _origin(address, link):
    """How an address came: a lifetime or the kernel's own hand leave traces, an administrator none."""
    is_v6 = int(address[b"family"]) == AF_INET6
    if is_v6 and SCOPES.get(int(address[b"scope"])) == "link" and _is_eui64(address, link):
        return "auto"
    if int(address.get(b"flags", b"0")) & IFA_F_PERMANENT:
        return "manual"
    return "auto" if is_v6 else "dhcp"


def _mask(address):
    size = 32 if int(address[b"family"]) == AF_INET else 128
    bits = ((1 << int(address[b"prefixlen"])) - 1) << (size - int(address[b"prefixlen"]))
    kind = ipaddress.IPv4Address if size == 32 else ipaddress.IPv6Address
    return str(kind(bits))


def _address(case, network, address):
    own = address.get(b"local", address[b"address"])
    link = next(one for one in case.truth.links(network) if one[b"ifindex"] == address[b"ifindex"])
    is_v4 = int(address[b"family"]) == AF_INET
    return {
        "interface": database_text(unescape_collector(link[b"name"])), "address": own.decode(), "mask": _mask(address),
        "broadcast": address[b"broadcast"].decode() if b"broadcast" in address else None,
        "point_to_point": address[b"address"].decode() if own != address[b"address"] else None,
        "type": _origin(address, link), "net_namespace": str(network),
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
                "pci_slot": "of the initial network namespace alone: /sys shows no other",
                "driver": "of the initial network namespace alone: /sys shows no other",
                "device_addr": "relations: unique, in the kernel half"}),
    Comparison(
        "interface_addresses", ("net_namespace", "interface", "address"), _expected_addresses,
        untold={"device_addr": "relations: a row of interface_details"}),
]
