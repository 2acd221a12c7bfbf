#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures vmiscan on guests of several sizes, against cat of the image, drgn and crash.

Prints a table; nothing here passes or fails. The image is read once before, so that it lies in the
page cache; every number is the median of the runs. Memory is what the kernel counts in
/proc/PID/status of the running program: its highest resident size (VmHWM) without the pages of
files that it shares with the page cache, and the highest RssAnon that was seen a thousand times a
second."""

import argparse
import functools
import os
import pathlib
import re
import resource
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

TOP = pathlib.Path(__file__).resolve().parents[2]
GUESTS = ("bench-256m", "bench-1g", "bench-5g")
POLL_SECONDS = 0.001
KIB = 1024

PAGE = """# Speed

What `tests/bench/run --page docs/SPEED.md` wrote. The images lie in the page cache; times are medians,
of the clock unless CPU time is said; `cat` reads the same file at the same time. Memory is the highest
resident size without the pages of files that are shared with the page cache.

"""

# The process list of drgn, as its documentation has it.
DRGN_PS = "from drgn.helpers.linux.pid import for_each_task\n" \
          "for t in for_each_task(prog): print(t.pid.value_(), t.comm.string_())\n"


def guests(names):
    """(name, folder) of every guest that could be made."""
    done = subprocess.run([TOP / "samples" / "make-guests", "--jobs", "1", *names],
                          stdout=subprocess.PIPE, text=True, check=False)
    for line in done.stdout.splitlines():
        name, folder, status = line.split("\t")
        if folder == "-":
            print(f"{name}: no such guest here: {status}", file=sys.stderr)
        else:
            yield name, pathlib.Path(folder)


# --- one run ---

def timed(command, **options):
    """Seconds that a command took, from its start to its end."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.perf_counter() - start


def cpu_seconds(command):
    """Seconds of CPU time that a command used: what a busy machine does not change."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median_of(runs, once):
    """Median of a number of measurements, each made by once()."""
    return statistics.median(once() for _ in range(runs))


def status_bytes(pid):
    """{name: bytes} of the sizes in /proc/PID/status; empty once the memory is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return {}
    return {k: int(v) * KIB for k, v in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}


def memory_of(command):
    """(VmHWM without file pages, highest RssAnon seen) of one run, in bytes."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    high, anonymous = 0, 0
    while process.poll() is None:
        sizes = status_bytes(process.pid)
        if "VmHWM" in sizes:
            # Both only grow here: the program maps no file that it gives back before its end.
            high = sizes["VmHWM"] - sizes["RssFile"] - sizes["RssShmem"]
            anonymous = max(anonymous, sizes["RssAnon"])
        time.sleep(POLL_SECONDS)
    return max(high, anonymous), anonymous


def phases(vmiscan, image, database):
    """Milliseconds to open the image and to find kernel, types and symbols, as -v says them."""
    done = subprocess.run([vmiscan, image, "-o", database, "--force", "-v", "--no-progress"],
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=True)
    return [float(re.search(pattern, done.stderr).group(1))
            for pattern in (r"opened in ([\d.]+) ms", r"found in ([\d.]+) ms")]


# --- a file of symbols ---

def read_symbols(options, image, cache):
    """Milliseconds that the files of symbols took, and the most memory that a process of the run had."""
    command = [options.vmiscan, "info", "-v", "--vmlinux", options.vmlinux, image]
    process = subprocess.Popen(command, env=os.environ | {"XDG_CACHE_HOME": str(cache)}, text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{options.vmlinux} with {image}: {said.strip()}")
    return float(re.search(r"files of symbols, read in ([\d.]+) ms", said).group(1)), usage.ru_maxrss * KIB


def symbol_file(options, image, scratch):
    """The lines of a vmlinux with debug information: its first use, and from the cache."""
    if options.vmlinux is None:
        return []
    cache = scratch / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    first, memory = read_symbols(options, image, cache)
    again = statistics.median(read_symbols(options, image, cache)[0] for _ in range(options.runs))
    return [(f"vmlinux of {mebibytes(os.path.getsize(options.vmlinux))}, first use", f"{first:.0f} ms"),
            ("... memory of its process", mebibytes(memory)), ("... from the cache", f"{again:.0f} ms")]


# --- other tools ---

def other_tool(name, command, runs, **options):
    """Median seconds of another tool, or why there are none."""
    if shutil.which(name) is None:
        return "not installed"
    try:
        once = functools.partial(timed, command, stderr=subprocess.DEVNULL, timeout=600, **options)
        return seconds(median_of(runs, once))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"failed: {type(error).__name__}"


def vmcoreinfo(folder):
    """The guest's VMCOREINFO, of which QEMU's dump lacks a copy: where /sys/kernel/vmcoreinfo said."""
    address, size = (folder / "truth/sys/sys.kernel.vmcoreinfo").read_text(encoding="ascii").split()
    with open(folder / "memory.raw", "rb") as image:
        image.seek(int(address, 16))
        note = image.read(int(size, 16))
    name_size, length, _ = struct.unpack_from("<III", note)
    start = 12 + (name_size + 3 & ~3)
    return note[start:start + length]


def others(folder, vmlinux, runs, scratch):
    """(drgn, crash): the process list alone, from the ELF dump of the same guest."""
    if vmlinux is None:
        missing = "no debug info"
        return [missing if shutil.which(tool) else "not installed" for tool in ("drgn", "crash")]
    elf, script, info = folder / "memory.elf", scratch / "ps.py", scratch / "vmcoreinfo"
    script.write_text(DRGN_PS, encoding="ascii")
    info.write_bytes(vmcoreinfo(folder))
    drgn = ["drgn", "-q", "-c", elf, "--vmcoreinfo", info, "-s", vmlinux, script]
    return (other_tool("drgn", drgn, runs),
            other_tool("crash", ["crash", "-s", vmlinux, elf], runs, input=b"ps\nquit\n"))


# --- the table ---

def seconds(value):
    return f"{value * 1000:.0f} ms"


def mebibytes(value):
    return f"{value / (1 << 20):.1f} MiB"


def describe(database):
    """(tasks, rows of all tables, pages touched) of a database."""
    sql = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    tasks = sql.execute("SELECT count(*) FROM threads").fetchone()[0]
    rows = sql.execute("SELECT sum(rows) FROM coverage").fetchone()[0]
    pages = sql.execute("SELECT pages_touched FROM run").fetchone()[0]
    sql.close()
    return tasks, rows, pages


def measure(options, name, image, scratch):
    """The lines of one image: (what, value)."""
    database = scratch / "bench.db"
    everything = [options.vmiscan, image, "-o", database, "--force", "-q", "--no-progress"]
    timed(["cat", image])
    cat = median_of(options.runs, lambda: timed(["cat", image]))
    whole = median_of(options.runs, lambda: timed(everything))
    found = [phases(options.vmiscan, image, database) for _ in range(options.runs)]
    high, anonymous = memory_of(everything)
    tasks, rows, pages = describe(database)
    return whole, [
        ("image", f"{name} {image.name}, {mebibytes(image.stat().st_size)}"),
        ("tasks, rows", f"{tasks}, {rows}"),
        ("cat IMAGE >/dev/null", seconds(cat)),
        ("vmiscan, everything", seconds(whole)),
        ("... times cat", f"{whole / cat:.2f}"),
        ("... CPU time", seconds(median_of(options.runs, lambda: cpu_seconds(everything)))),
        ("... opening the image", f"{statistics.median(f[0] for f in found):.1f} ms"),
        ("... kernel, types, symbols", f"{statistics.median(f[1] for f in found):.1f} ms"),
        ("vmiscan info", seconds(median_of(options.runs, lambda: timed([options.vmiscan, "info", image])))),
        ("memory, VmHWM - file pages", mebibytes(high)),
        ("memory, RssAnon seen", mebibytes(anonymous)),
        ("pages of the image touched", str(pages)),
        ("database", mebibytes(database.stat().st_size)),
    ]


def columns(results):
    """The lines of several images side by side."""
    titles = [title for title, _ in results[0]]
    rows = [[title] + [dict(result)[title] for result in results] for title in titles]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("guests", nargs="*", metavar="GUEST", default=GUESTS, help="guests of make-guests")
    parser.add_argument("--vmiscan", default=os.environ.get("VMISCAN", "vmiscan"), help="the program to measure")
    parser.add_argument("--runs", type=int, default=10, help="runs of which the median is taken")
    parser.add_argument("--image", default="memory.raw", help="which file of the guest is measured")
    parser.add_argument("--vmlinux", help="vmlinux with debug info of the guests' kernel, also for drgn and crash")
    parser.add_argument("--page", type=pathlib.Path, help="a file to write the table to")
    return parser.parse_args()


def main():
    options = parse_arguments()
    results, times = [], []
    with tempfile.TemporaryDirectory(prefix="vmiscan-bench-") as scratch:
        for name, folder in guests(options.guests or GUESTS):
            whole, lines = measure(options, name, folder / options.image, pathlib.Path(scratch))
            lines += symbol_file(options, folder / options.image, pathlib.Path(scratch))
            drgn, crash = others(folder, options.vmlinux, min(options.runs, 3), pathlib.Path(scratch))
            results.append(lines + [("drgn, process list", drgn), ("crash, process list", crash)])
            times.append(whole)
    if not results:
        print("no guest to measure", file=sys.stderr)
        return 1
    table = columns(results)
    if len(times) > 1:
        table += f"\n\nlargest image / smallest image: {times[-1] / times[0]:.2f} times"
    print(table)
    if options.page:
        options.page.write_text(f"{PAGE}```\n{table}\n```\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
