#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures what containers cost before a kernel is looked for, on files that it writes itself.

First, the one pass over a plain migration stream of QEMU, against cat of the same file: both as
whole processes that take turns, from the page cache; the ratio is the median of those of each turn.
CPU time is what a busy machine changes least; "without starts" is of it, less what the same two
take for a stream of one MiB: starting a process with our libraries is no reading. Then containers that need no pass: what of the file
is read to open it. Files given as arguments are measured as streams.

bench_open has to be built: cmake --build BUILD --target bench_open"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import containers  # noqa: E402
import streams  # noqa: E402

GIB, MIB = 1 << 30, 1 << 20
# Name, memory, share of it in stretches that are not zeros.
STREAMS = (("plain, every page noise", 1 * GIB, 1.0),
           ("plain, one stretch in ten noise", 16 * GIB, 0.1),
           ("plain, zeros only", 64 * GIB, 0.0))
NO_PASS = 4 * GIB


def run(command):
    """(seconds by the clock, seconds of CPU, what it printed)."""
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE
                               if command[0] != "cat" else subprocess.DEVNULL)
    text = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    clock = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command}: exit status {process.returncode}")
    return clock, usage.ru_utime + usage.ru_stime, text.decode()


def take_turns(options, path):
    """What run() says of cat and of the opening, by turns."""
    run(["cat", path])
    return [(run(["cat", path]), run([options.bench_open, path])) for _ in range(options.runs)]


def starts(options, folder):
    """Seconds of CPU for cat and for the opening, of a stream with next to nothing in it."""
    path = folder / "least"
    streams.plain_stream(path, MIB, 0.0)
    turns = take_turns(options, path)
    path.unlink()
    return [statistics.median(t[i][1] for t in turns) for i in (0, 1)]


def against_cat(options, path, start):
    """{column: text} of a stream."""
    turns = take_turns(options, path)
    clock, cpu = ([t[0][i] / t[1][i] for t in turns] for i in (0, 1))
    reading = [(t[0][1] - start[0]) / (t[1][1] - start[1]) for t in turns]
    _, read, reads, _ = turns[0][1][2].split()
    size = path.stat().st_size
    return {
        "file": f"{size / MIB:.0f} MiB",
        "cat": f"{statistics.median(t[0][0] for t in turns) * 1000:.0f} ms",
        "open": f"{statistics.median(t[1][0] for t in turns) * 1000:.0f} ms",
        "speed / cat's": f"{statistics.median(clock):.2f}",
        "by CPU time": f"{statistics.median(cpu):.2f}",
        "least, most": f"{min(cpu):.2f}, {max(cpu):.2f}",
        "without starts": f"{statistics.median(reading):.2f}",
        "read": f"{int(read) / size:.3f} of it in {reads}",
    }


def opening(options, path):
    """{column: text} of a container that needs no pass."""
    turns = [run([options.bench_open, path]) for _ in range(options.runs)]
    _, read, reads, runs = turns[0][2].split()
    size = path.stat().st_size
    return {
        "file": f"{size / MIB:.0f} MiB",
        "open": f"{statistics.median(t[0] for t in turns) * 1000:.1f} ms",
        "read": f"{int(read) / 1024:.0f} KiB",
        "reads": reads,
        "of the file": f"{int(read) / size:.4%}",
        "runs": runs,
    }


def table(rows):
    """Markdown of (name, {column: text})."""
    columns = list(rows[0][1])
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += ["| " + " | ".join([name, *(row[c] for c in columns)]) + " |" for name, row in rows]
    return "\n".join(lines)


def measure_streams(options, folder):
    start = starts(options, folder)
    if options.files:
        return [(f.name, against_cat(options, f, start)) for f in options.files]
    rows = []
    for name, size, share in STREAMS:
        path = folder / "stream"
        streams.plain_stream(path, int(size * options.scale) // MIB * MIB, share)
        rows.append((name, against_cat(options, path, start)))
        path.unlink()
    return rows


def measure_containers(options, folder):
    rows = []
    for name, ending, write in containers.ALL:
        path = folder / f"image.{ending}"
        write(path, int(NO_PASS * options.scale) // MIB * MIB)
        rows.append((name, opening(options, path)))
        path.unlink()
    return rows


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="streams to measure instead")
    parser.add_argument("--bench-open", default=os.environ.get("BENCH_OPEN", "bench_open"))
    parser.add_argument("--runs", type=int, default=15, help="turns of which the median is taken")
    parser.add_argument("--scale", type=float, default=1, help="of the size of written files")
    return parser.parse_args()


def main():
    options = parse()
    with tempfile.TemporaryDirectory(prefix="vmiscan-bench-") as folder:
        print(table(measure_streams(options, pathlib.Path(folder))), flush=True)
        if not options.files:
            print("\n" + table(measure_containers(options, pathlib.Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
