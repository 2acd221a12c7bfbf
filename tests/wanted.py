#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the list of wanted types against the code.

Converters of DWARF and ISF take over only the types and constants of src/kernel/types.def and
fields.def. A name that code asks for and that is not listed would be found in BTF, and nowhere else.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent

# Calls and macros with a type's name among their texts: which of the texts it is.
CALLS = {"k_sizeof": 0, "module_sizeof": 0, "module_get": 0, "module_va": 0, "module_width": 0,
         "QUEUES": 2, "PERCPU": 1}
CALL = re.compile(r"\b(%s)\(([^()]*)\)" % "|".join(CALLS))
# Structures of drivers.
TYPE = re.compile(r'\.type = "(\w+)"')
# Enumerators are in capitals, with a prefix of their own; but the flags of pages.
CONSTANTS = r'"((?:NR|MM|MOD|DMI|CPUTIME|N|WORKER|PF)_[A-Z0-9_]+|PG_[a-z]+)"'
ROOMS = ("src/kernel", "src/walk", "src/check")


def declared(name, macro):
    text = (TOP / "src" / "kernel" / name).read_text(encoding="utf-8")
    return set(re.findall(rf"^{macro}\((\w+)", text, re.M))


def listed():
    types, constants = declared("types.def", "TYPE"), declared("types.def", "CONSTANT")
    for path in (TOP / "src" / "kernel" / "fields").glob("*.def"):
        types |= declared(f"fields/{path.name}", "FIELD")
    return types, constants


def types_in(text):
    for name, arguments in CALL.findall(text):
        words = re.findall(r'"([^"]*)"', arguments)
        if len(words) > CALLS[name]:
            yield words[CALLS[name]]
    yield from TYPE.findall(text)


def asked():
    """{name: where} of types and of constants."""
    types, constants = {}, {}
    for room in ROOMS:
        for path in sorted((TOP / room).rglob("*.c")):
            text, where = path.read_text(encoding="utf-8"), path.relative_to(TOP)
            types.update(dict.fromkeys(types_in(text), where))
            constants.update(dict.fromkeys(re.findall(CONSTANTS, text), where))
    return types, constants


def main():
    (types, constants), (asked_types, asked_constants) = listed(), asked()
    wrong = [f"{where}: asks for the type {name}: TYPE({name}) is missing in src/kernel/types.def"
             for name, where in asked_types.items() if name not in types]
    wrong += [f"{where}: asks for {name}: CONSTANT({name}) is missing in src/kernel/types.def"
              for name, where in asked_constants.items() if name not in constants]
    if len(asked_types) < 20 or len(asked_constants) < 10:
        wrong.append(f"only {len(asked_types)} types and {len(asked_constants)} constants seen: has the code changed?")
    print("\n".join(wrong) if wrong else
          f"{len(asked_types)} types and {len(asked_constants)} constants are asked for by name, all are listed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
