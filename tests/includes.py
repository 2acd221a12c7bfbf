#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks what a compiler does not: who may include whom, and who may touch what.

The table in CONTRIBUTING.md ("The rooms") is the one statement of the layers; this reads it and
holds every #include line against it, so that the table cannot grow stale.
"""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
CODE = ("src", "formats", "symbols", "schema")
SPDX = "SPDX-License-Identifier: LGPL-2.1-or-later"

# A header of a library -> the rooms that may know of it.
LIBRARIES = {
    "sqlite3.h": {"src/db"},
    "histedit.h": {"src/cli"},
    "zstd.h": {"formats", "src/symfiles"},
    "lz4.h": {"src/symfiles"},
    "libelf.h": {"formats", "src/symfiles"},
    "gelf.h": {"formats", "src/symfiles"},
    "libdwarf/libdwarf.h": {"symbols"},
    "libdwarf/dwarf.h": {"symbols"},
    "seccomp.h": {"src/sandbox"},
    "zlib.h": {"formats"},
    "lzo/lzo1x.h": {"formats"},
    "snappy-c.h": {"formats"},
    "lzma.h": {"formats"},
    "bzlib.h": {"formats"},
}

# A function -> where it may be called, as prefixes of file names, and why it is kept out elsewhere.
CONFINED = {
    ("malloc", "calloc", "realloc", "free", "strdup", "strndup", "asprintf", "vasprintf",
     "reallocarray"):
        (("src/base/mem.c",), "memory is counted and never NULL: src/base/mem.h"),
    ("open", "openat", "creat", "fopen", "mmap", "opendir"):
        (("formats/", "src/phys/", "src/db/", "src/symfiles/", "src/sandbox/"),
         "evidence is opened by formats and src/phys alone, output by src/db, symbols by "
         "src/symfiles"),
    ("setjmp", "longjmp"):
        (("src/base/mem.c", "src/extension/guard.c"),
         "the one way out of a host's process without memory: src/base/mem.h"),
    ("strcpy", "strcat", "strncpy", "strncat", "stpcpy", "sprintf", "vsprintf", "gets", "strtok",
     "atoi", "atol", "atoll", "atof", "gmtime", "localtime", "ctime", "asctime", "alloca",
     "mktemp", "tmpnam", "tempnam", "system", "popen"):
        ((), "has no bound, no answer for failure, or a buffer that everybody shares"),
}

CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(n for names in CONFINED for n in names))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Comments, string and character literals; a // inside a string must not start a comment.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def room_of(path):
    """The room that a file lies in: src/NAME, or the folder at the top."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "src" else parts[0]


def read_rooms(text):
    """{room: rooms it may include}, from the table of CONTRIBUTING.md."""
    rows = re.findall(r"^\| `([\w/]+)` \|[^|]*\| ([^|]*) \|$", text, re.M)
    full = {folder.rstrip("/").split("/")[-1]: folder.rstrip("/") for folder, _ in rows}
    rooms = {}
    for folder, words in rows:
        allowed = {folder.rstrip("/")}
        for word in re.findall(r"\w+", words):
            if word == "all":
                allowed |= set(full.values())
            elif word in full:
                allowed |= rooms.get(full[word], set()) if "as " + word in words else set()
                allowed.add(full[word])
        rooms[folder.rstrip("/")] = allowed
    return rooms


def code_only(text):
    """The text without comments and literals, line numbers kept."""
    return NOT_CODE.sub(lambda m: "\n" * m.group().count("\n"), text)


def check_include(room, kind, header, rooms):
    """What is wrong with one #include, or None."""
    if kind == "<":
        owners = LIBRARIES.get(header, {room})
        return None if room in owners else f"<{header}> is for {', '.join(sorted(owners))} only"
    if "/" not in header:
        return f'"{header}": includes are written from the top of the tree'
    if not (TOP / header).is_file():
        return f'"{header}" does not exist'
    if room_of(header) not in rooms[room]:
        return f'"{header}": {room} may not include {room_of(header)}'
    return None


def check_includes(path, text, rooms):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        wrong = match and check_include(room_of(path), *match.groups(), rooms)
        if wrong:
            yield f"{path}:{number}: {wrong}"


def check_calls(path, text):
    """Calls of functions that are confined to other files."""
    for number, line in enumerate(code_only(text).splitlines(), 1):
        for name in CALL.findall(line):
            places, why = next(v for names, v in CONFINED.items() if name in names)
            if not path.startswith(places or ("\0",)):
                yield f"{path}:{number}: {name}() {why}"


def check_head(path, text):
    """SPDX first, then what the file is."""
    lines = text.splitlines()[:3] + [""] * 3
    if lines[0].startswith("#!"):
        lines.pop(0)
    if SPDX not in lines[0]:
        yield f"{path}:1: the first line is not its SPDX line"
    elif path.endswith((".c", ".h", ".def")) and not re.match(r"(//|/\*) \S+ \S+", lines[1]):
        yield f"{path}:2: the second line does not say what the file is"


def files(folders, suffixes):
    for folder in folders:
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in suffixes or path.name == "CMakeLists.txt":
                yield path.relative_to(TOP).as_posix(), path.read_text(encoding="utf-8")


def check_all():
    rooms = read_rooms((TOP / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    for path, text in files(CODE, {".c", ".h", ".def"}):
        if room_of(path) not in rooms:
            yield f"{path}:1: CONTRIBUTING.md knows no room {room_of(path)}"
            continue
        yield from check_includes(path, text, rooms)
        yield from check_calls(path, text)
        yield from check_head(path, text)
    for path, text in files(("tests", "samples"), {".c", ".h", ".py", ".sh"}):
        yield from check_head(path, text)


def main():
    wrong = list(check_all())
    print("\n".join(wrong) if wrong else "includes, calls and file heads: all as CONTRIBUTING.md has it")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
