# SPDX-License-Identifier: LGPL-2.1-or-later
"""Independent readers of the same files: they must see the bytes that vmiscan is judged by.

crash wants a vmlinux with debug information; its own version is trixie's, since that of Debian 12 does
not know the kernels of today. Each function gives what is wrong, or None, or raises Unable.
"""
import filecmp
import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path

from maker.make import cache_root
from maker.suites import SuiteError
from unpacked import unpacked

HERE = Path(__file__).resolve().parent
SYSTEM_PYTHON = "/usr/bin/python3"
MIB = 1 << 20
DIFFER = "bytes differ"


class Unable(Exception):
    """The oracle is not here, or does not read this format."""


def libkdumpfile(image, memory, ranges, _release):
    """All pages, one by one."""
    text = ",".join(f"{start:x}-{end:x}" for start, end in ranges)
    done = subprocess.run([SYSTEM_PYTHON, HERE / "kdump_pages.py", memory, text, image],
                          capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise Unable((done.stderr.strip().splitlines() or ["no output"])[-1])
    count = json.loads(done.stdout)
    if count["different"]:
        return DIFFER
    return f"{count['absent']} pages absent" if count["absent"] else None


def vmlinux(release):
    """With debug information, where make-guests or the user has put it."""
    for folder in (cache_root() / "debug" / "usr/lib/debug/boot", Path("/usr/lib/debug/boot")):
        if (folder / f"vmlinux-{release}").exists():
            return folder / f"vmlinux-{release}"
    raise Unable(f"no vmlinux-{release} with debug information (linux-image-{release}-dbg)")


@lru_cache
def crash_command():
    """crash of trixie with its own libraries."""
    try:
        return unpacked("trixie", "crash").command("crash")
    except SuiteError as error:
        raise Unable(str(error)) from error


def crash(image, memory, ranges, release):
    """All memory from 1 MiB to the end of the first part, as crash saves it."""
    end = max(b for a, b in ranges if a <= MIB)
    saved = Path(str(memory) + ".crash")
    saved.unlink(missing_ok=True)
    words = [*crash_command(), "-s", str(vmlinux(release)), str(image)]
    said = subprocess.run(words, input=f"rd -p -r {saved} {MIB:#x} {end - MIB:#x}\nquit\n",
                          capture_output=True, text=True, timeout=600, check=False,
                          env={**os.environ, "HOME": "/nonexistent"})
    if not saved.exists():
        lines = (said.stdout + said.stderr).strip().splitlines() or ["no output"]
        raise Unable(lines[-1])
    want = saved.with_suffix(".want")
    try:
        with open(memory, "rb") as source, open(want, "wb") as target:
            source.seek(MIB)
            target.write(source.read(end - MIB))
        return None if filecmp.cmp(saved, want, shallow=False) else DIFFER
    finally:
        saved.unlink()
        want.unlink(missing_ok=True)


ORACLES = {"libkdumpfile": libkdumpfile, "crash": crash}
# What each of them claims to read.
READ = {"libkdumpfile": ("elf", "vmcore.elf", "kdump.zlib", "kdump.lzo", "kdump.zero",
                         "kdump.elf", "kdump-raw-zlib", "memory.elf"),
        "crash": ("elf", "vmcore.elf", "kdump.zlib", "kdump.lzo", "kdump-zlib", "kdump.flat",
                  "a.vmem", "memory.elf")}


def ask(name, image, memory, ranges, release):
    """{oracle: words}, of those that should read the file."""
    out = {}
    for oracle, function in ORACLES.items():
        if name in READ[oracle]:
            try:
                out[oracle] = function(image, memory, ranges, release) or "the same"
            except (Unable, subprocess.SubprocessError) as reason:
                out[oracle] = f"can't: {reason}"
    return out
