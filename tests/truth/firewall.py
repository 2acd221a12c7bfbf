# SPDX-License-Identifier: LGPL-2.1-or-later
"""iptables: the table that the kernel hands out in every network namespace, taken apart."""

import ipaddress
import struct

from engine import Comparison
from text import database_text

# include/uapi/linux/netfilter_ipv4/ip_tables.h, ipt_getinfo and ipt_entry; x_tables.h
INFO = struct.Struct("<32sI5I5III")
ENTRY = struct.Struct("<4s4s4s4s16s16s16s16sHBBIHHIQQ")
EXTENSION = struct.Struct("<H29sB")
HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
VERDICTS = {-1: "DROP", -2: "ACCEPT", -4: "QUEUE", -5: "RETURN"}
INVERTED = {"iniface": 1, "outiface": 2, "src_ip": 8, "dst_ip": 16}


def _text(raw):
    return database_text(raw.split(b"\0", 1)[0])


class Rule:
    """An entry, and the chain that it begins, if any: a name, or an offset of a hook."""

    def __init__(self, table, at):
        (*self.ip, _, self.target_at, self.size, _, self.packets, self.bytes) = ENTRY.unpack_from(table, at)
        self.at, self.raw = at, table[at:at + self.size]
        _, name, _ = EXTENSION.unpack_from(self.raw, self.target_at)
        self.extension = _text(name)

    def data(self, at):
        """Name and data of the match or target at an offset."""
        size, name, _ = EXTENSION.unpack_from(self.raw, at)
        return size, _text(name), self.raw[at + EXTENSION.size:at + size]

    @property
    def begins(self):
        """The name of the chain that begins behind this; the table's end has one, too."""
        return _text(self.data(self.target_at)[2][:30]) if self.extension == "ERROR" else None

    def target(self, names):
        """names: {offset: chain}."""
        if self.extension:
            return self.extension
        verdict, = struct.unpack_from("<i", self.data(self.target_at)[2])
        return VERDICTS[verdict] if verdict < 0 else names.get(verdict)

    def matches(self):
        at = ENTRY.size
        while at < self.target_at:
            size, name, data = self.data(at)
            yield name, data
            at += size


def _ports(rule):
    found = {"src_port": None, "dst_port": None}
    for name, data in rule.matches():
        if name in ("tcp", "udp"):
            ports, inverted = struct.unpack_from("<4H", data), data[11 if name == "tcp" else 8]
            for i, column in enumerate(found):
                found[column] = f"{'!' if inverted >> i & 1 else ''}{ports[2 * i]}:{ports[2 * i + 1]}"
    return found


def _ip(rule):
    source, destination, source_mask, destination_mask, *names, protocol, flags, inverted = rule.ip
    row = {"src_ip": source, "src_mask": source_mask, "dst_ip": destination, "dst_mask": destination_mask}
    row = {column: str(ipaddress.IPv4Address(raw)) for column, raw in row.items()}
    row |= {"iniface": _text(names[0]) or "all", "outiface": _text(names[1]) or "all"}
    for column in (c for c, bit in INVERTED.items() if inverted & bit and row[c] != "all"):
        row[column] = "!" + row[column]
    masks = [name.split(b"\0", 1)[0].hex().upper() for name in names[2:]]
    return row | {"iniface_mask": masks[0], "outiface_mask": masks[1], "protocol": protocol,
                  "flags": flags, "invflags": inverted}


RULE_COLUMNS = ("target", "protocol", "src_port", "dst_port", "src_ip", "src_mask", "iniface", "iniface_mask",
                "dst_ip", "dst_mask", "outiface", "outiface_mask", "match", "matches", "flags", "invflags")


def _chains(info, table):
    """(name, is built in, offset, rules) of each; the last rule is the policy."""
    heads = {at: HOOKS[h] for h, at in enumerate(info[2:7]) if info[1] >> h & 1}
    found, at = [], 0
    while at < len(table):
        rule = Rule(table, at)
        if at in heads:
            found.append((heads[at], True, at, []))
        if rule.begins is not None:
            found.append((rule.begins, False, at + rule.size, []))
        else:
            found[-1][3].append(rule)
        at += rule.size
    return [chain for chain in found if chain[3]]


def _rows(network, raw):
    info, table = INFO.unpack_from(raw), raw[INFO.size:]
    chains = _chains(info, table)
    names = {at: name for name, _, at, _ in chains}
    for name, built_in, _, rules in chains:
        common = {"filter_name": _text(info[0]), "chain": name, "net_namespace": str(network),
                  "policy": rules[-1].target(names) if built_in else None}
        for number, rule in enumerate(rules):
            row = common | {"packets": rule.packets, "bytes": rule.bytes}
            if rule is rules[-1]:
                yield row | {"rule": None} | dict.fromkeys(RULE_COLUMNS)
            else:
                matches = ",".join(name for name, _ in rule.matches()) or None
                yield row | _ip(rule) | _ports(rule) | {
                    "rule": number + 1, "target": rule.target(names), "match": "yes", "matches": matches}


def _expected(case):
    truth = case.truth
    loaded = any(line.startswith(b"iptable_filter ") for line in truth.lines("sys/modules"))
    for network in truth.networks:
        raw = truth.raw(f"netns/{network}/iptables.filter")
        if raw:
            yield from _rows(network, raw)
        elif loaded:
            raise ValueError(f"the truth lacks the rules of network namespace {network}")


COMPARISONS = [Comparison("iptables", ("net_namespace", "filter_name", "chain", "rule"), _expected, untold={
    "rule_addr": "relations: in the kernel half", "table_addr": "relations: in the kernel half"},
    may_be_empty=True)]
