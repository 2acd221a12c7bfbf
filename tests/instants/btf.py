# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where members of the kernel's structures are, by the BTF that the guest itself gives out.

A reader of its own, apart from the one under test; the layout is that of Documentation/bpf/btf.rst."""

import struct

STRUCT, UNION, FUNC_PROTO, VAR, DATASEC = 4, 5, 13, 14, 15
# Bytes that follow a type's 12: by kind, for each of its vlen entries or once.
PER_ENTRY = {STRUCT: 12, UNION: 12, 6: 8, FUNC_PROTO: 8, DATASEC: 12, 19: 12}
ONCE = {1: 4, 3: 12, VAR: 4, 17: 4}
MODIFIERS = (8, 9, 10, 11, 18)  # typedef, volatile, const, restrict, type tag


class Btf:
    """The types of a kernel."""

    def __init__(self, data):
        magic, _, _, header, type_off, type_len, str_off, str_len = struct.unpack_from("<HBBIIIII", data)
        if magic != 0xEB9F:
            raise ValueError("no BTF")
        self.strings = data[header + str_off : header + str_off + str_len]
        self.types = data[header + type_off : header + type_off + type_len]
        self.at = [None]
        self.structs = {}
        self._index()

    def _index(self):
        offset = 0
        while offset < len(self.types):
            name, info, _ = struct.unpack_from("<III", self.types, offset)
            kind, vlen = info >> 24 & 0x1F, info & 0xFFFF
            if kind == STRUCT:
                self.structs.setdefault(self._name(name), len(self.at))
            self.at.append(offset)
            offset += 12 + ONCE.get(kind, 0) + PER_ENTRY.get(kind, 0) * vlen

    def _name(self, offset):
        return self.strings[offset : self.strings.index(b"\0", offset)].decode()

    def _resolved(self, number):
        while True:
            _, info, below = struct.unpack_from("<III", self.types, self.at[number])
            if info >> 24 & 0x1F not in MODIFIERS:
                return number
            number = below

    def _members(self, number):
        """(name, type, bit offset) of a structure or union."""
        at = self.at[number]
        _, info, _ = struct.unpack_from("<III", self.types, at)
        if info >> 24 & 0x1F not in (STRUCT, UNION):
            return
        for entry in range(info & 0xFFFF):
            name, below, offset = struct.unpack_from("<III", self.types, at + 12 + 12 * entry)
            yield self._name(name), below, offset & 0xFFFFFF if info >> 31 else offset

    def _find(self, number, name):
        for its_name, below, bits in self._members(number):
            if its_name == name:
                return below, bits
            if not its_name:
                found = self._find(self._resolved(below), name)
                if found:
                    return found[0], bits + found[1]
        return None

    def offset(self, name, path):
        """The byte offset of a member, such as ("task_struct", "se.sum_exec_runtime"); None if there is none."""
        number, bits = self.structs.get(name), 0
        for part in path.split("."):
            found = number and self._find(self._resolved(number), part)
            if not found:
                return None
            number, bits = found[0], bits + found[1]
        return bits // 8
