# SPDX-License-Identifier: LGPL-2.1-or-later
"""BTF as Volatility's ISF: another program's reading of the same types, to read back."""
import json
import struct

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF = range(1, 9)
QUALIFIERS = (TYPEDEF, 9, 10, 11, 18)
FLOAT, ENUM64 = 16, 19
# What a kind adds to its 12 bytes: fixed, and each of vlen.
TAILS = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12), ENUM: (0, 8), 13: (0, 8), 14: (4, 0),
         15: (0, 12), 17: (4, 0), ENUM64: (0, 12)}


class Btf:
    def __init__(self, blob):
        _, _, _, head, types_at, types_n, strings_at, strings_n = struct.unpack_from("<HBBIIIII", blob)
        self.strings = blob[head + strings_at:head + strings_at + strings_n]
        self.types = [None]
        at, end = head + types_at, head + types_at + types_n
        while at < end:
            name, info, size = struct.unpack_from("<III", blob, at)
            kind, n = info >> 24 & 0x1f, info & 0xffff
            fixed, each = TAILS.get(kind, (0, 0))
            tail = blob[at + 12:at + 12 + fixed + n * each]
            self.types.append((name, kind, info >> 31, n, size, tail))
            at += 12 + fixed + n * each

    def text(self, at):
        return self.strings[at:self.strings.index(b"\0", at)].decode()

    def name(self, number):
        """Also what has none is referred to by a name, as dwarf2json does it."""
        name = self.types[number][0]
        return self.text(name) if name else f"unnamed_{number:x}"

    def strip(self, number):
        while number and self.types[number][1] in QUALIFIERS:
            number = self.types[number][4]
        return number

    def reference(self, number):
        number = self.strip(number)
        if not number:
            return {"kind": "base", "name": "void"}
        _, kind, _, _, size, tail = self.types[number]
        if kind == PTR:
            return {"kind": "pointer", "subtype": self.reference_to(size)}
        if kind == ARRAY:
            element, _, count = struct.unpack("<III", tail)
            return {"kind": "array", "count": count, "subtype": self.reference(element)}
        word = {INT: "base", FLOAT: "base", STRUCT: "struct", UNION: "union", FWD: "struct", ENUM: "enum",
                ENUM64: "enum"}.get(kind)
        return {"kind": word, "name": self.name(number)} if word else {"kind": "function"}

    def reference_to(self, number):
        """What a pointer leads to, not further than that."""
        number = self.strip(number)
        if number and self.types[number][1] == PTR:
            return {"kind": "base", "name": "void"}
        return self.reference(number)

    def member(self, flag, name, number, where):
        width, bit = (where >> 24, where & 0xffffff) if flag else (0, where)
        kind = self.reference(number)
        if width:
            byte = bit // 8 // 4 * 4
            kind = {"kind": "bitfield", "bit_position": bit - byte * 8, "bit_length": width, "type": kind}
            return {"type": kind, "offset": byte}
        return {"type": kind, "offset": bit // 8} | ({} if name else {"anonymous": True})

    def fields(self, record):
        _, _, flag, n, _, tail = record
        for i in range(n):
            name, number, where = struct.unpack_from("<III", tail, i * 12)
            yield self.text(name) if name else f"unnamed_field_{i}", self.member(flag, name, number, where)

    def constants(self, record):
        _, kind, flag, n, _, tail = record
        for i in range(n):
            if kind == ENUM64:
                name, low, high = struct.unpack_from("<III", tail, i * 12)
                yield self.text(name), low | high << 32
            else:
                name, value = struct.unpack_from("<Ii" if flag else "<II", tail, i * 8)
                yield self.text(name), value

    def isf(self, symbols):
        made = {"metadata": {"format": "6.2.0"}, "base_types": {"void": {"size": 0, "signed": False, "kind": "void"}},
                "user_types": {}, "enums": {}, "symbols": symbols}
        for number, record in enumerate(self.types):
            kind = record and record[1]
            if kind in (INT, FLOAT):
                is_signed = kind == INT and bool(record[5][3] & 1)
                made["base_types"].setdefault(self.name(number), {
                    "size": record[4], "signed": is_signed, "kind": "int" if kind == INT else "float"})
            elif kind in (STRUCT, UNION):
                made["user_types"].setdefault(self.name(number), {
                    "size": record[4], "fields": dict(self.fields(record)),
                    "kind": "struct" if kind == STRUCT else "union"})
            elif kind in (ENUM, ENUM64):
                made["enums"].setdefault(self.name(number), {
                    "size": record[4], "base": "int", "constants": dict(self.constants(record))})
        return json.dumps(made).encode()
