#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many snapshots a second `vmiscan batch` analyses, by the number of processes, and merges.

    samples/make-kernels 6.12-micro && samples/make-guests bench-64m
    tests/bench/run batch --image .../bench-64m-*/memory.raw --vmlinux .../built/6.12-*/vmlinux

The snapshots are links to a few sparse copies of one guest's memory, which stay in the page cache:
what is measured is the analysis and the writing of databases, not the reading of a disk. Figures of a
machine that does something else besides are none; its load is printed with them.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = """# Many images

What `tests/bench/run batch --page docs/BATCH.md` wrote. The snapshots are links to copies of one guest's
memory, which stay in the page cache: what is measured is the analysis and the writing of databases, not
the reading of a disk. Seconds are those of a machine with the load that is given; the time of CPUs says
what an image costs.

Images of one kernel share what a file says of it: `--vmlinux` (or a file that `--symbols` finds) is
converted for the first of them and comes from the cache for all others. What an image itself says of its
kernel is read from each image: an image that lies about its build would otherwise speak for the others,
a database would depend on what was analysed before it, and where there are kallsyms and BTF, they are read
faster than a profile from the cache (docs/SPEED.md has both). The kernel of these snapshots has no kallsyms, so its symbols are deduced from each unless a file
gives them; the rows with a file show what that saves.

"""
INFO_RUNS = 20
SAMPLE = TOP / "samples" / "debian12-6.1.vmem.zst"


def unpack(image, target):
    """The image as it is, or without its compression."""
    if image.suffix == ".zst":
        subprocess.run(["zstd", "-dcq", "--sparse", str(image), "-o", str(target)], check=True)
    else:
        shutil.copyfile(image, target)
    subprocess.run(["fallocate", "--dig-holes", str(target)], check=False, stderr=subprocess.DEVNULL)


def make_snapshots(image, folder, count, copies):
    """`count` names of `copies` files."""
    originals = []
    for n in range(copies):
        originals.append(folder / f"copy-{n}")
        if n == 0:
            unpack(image, originals[0])
        else:
            subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(originals[0]),
                            str(originals[n])], check=True)
    snapshots = folder / "snapshots"
    snapshots.mkdir()
    for n in range(count):
        os.link(originals[n % copies], snapshots / f"{n:05}.vmem")
    return snapshots, originals[0].stat().st_size


def run_batch(vmiscan, snapshots, folder, jobs, more=()):
    """Seconds of one run, its folder and seconds of CPU."""
    out = folder / f"out-{jobs}"
    shutil.rmtree(out, ignore_errors=True)
    begun, used = time.monotonic(), cpu_seconds()
    done = subprocess.run([vmiscan, "batch", snapshots, "-o", out, "-j", str(jobs), *more], check=True,
                          stdout=subprocess.PIPE, text=True)
    seconds, used = time.monotonic() - begun, cpu_seconds() - used
    total = json.loads(done.stdout.splitlines()[-1])["total"]
    if total["analysed"] != total["images"]:
        sys.exit(f"only {total['analysed']} of {total['images']} images were analysed")
    return seconds, out, used


def cpu_seconds():
    """Of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(vmiscan, snapshots, folder, jobs, runs):
    """The best of some runs, for what else a machine does only takes time."""
    return min((run_batch(vmiscan, snapshots, folder, jobs) for _ in range(runs)), key=lambda r: r[0])


def sharing(vmiscan, options, snapshots, folder):
    """What the images of a batch share: symbols and types of a file, converted for the first, kept for all."""
    if not options.vmlinux:
        return
    jobs = max(options.jobs)
    subprocess.run([vmiscan, "info", "--vmlinux", options.vmlinux, next(snapshots.iterdir())], check=True,
                   stdout=subprocess.DEVNULL)
    for name, more in (("by itself", ()), ("with a file from the cache", ("--vmlinux", options.vmlinux))):
        used = cpu_seconds()
        for snapshot in sorted(snapshots.iterdir())[:INFO_RUNS]:
            subprocess.run([vmiscan, "info", *more, snapshot], check=True, stdout=subprocess.DEVNULL)
        used = (cpu_seconds() - used) / min(options.count, INFO_RUNS)
        yield f"| info: to open an image and find its kernel, {name} | | | | {1000 * used:.0f} ms an image |"
    (folder / "shared").mkdir()
    seconds, out, used = run_batch(vmiscan, snapshots, folder / "shared", jobs, ("--vmlinux", options.vmlinux))
    yield (f"| batch -j{jobs} --vmlinux, from the cache | {seconds:.2f} | {options.count / seconds:.1f} images | | "
           f"{1000 * used / options.count:.0f} ms an image |")
    shutil.rmtree(out)


def rows(vmiscan, options, folder):
    snapshots, size = make_snapshots(options.image, folder, options.count, options.copies)
    yield f"{options.count} snapshots of {size >> 20} MiB ({options.copies} files), " \
          f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    yield ""
    yield "| what | seconds | a second | of N times one process | CPU time |"
    yield "|---|---|---|---|---|"
    one = out = None
    quiet = os.getloadavg()[0] < 0.5
    for jobs in options.jobs:
        seconds, out, used = measure(vmiscan, snapshots, folder, jobs, options.runs)
        one = one or seconds * jobs
        yield (f"| batch -j{jobs} | {seconds:.2f} | {options.count / seconds:.1f} images | "
               f"{f'{100 * one / seconds / jobs:.0f} %' if quiet else 'busy machine'} | {1000 * used / options.count:.0f} ms an image |")
    yield from sharing(vmiscan, options, snapshots, folder)
    begun = time.monotonic()
    subprocess.run([vmiscan, "batch", snapshots, "-o", out], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - begun
    yield f"| batch, all done before | {seconds:.2f} | {options.count / seconds:.1f} images | | |"
    databases = sorted(out.iterdir())
    begun = time.monotonic()
    done = subprocess.run([vmiscan, "merge", "--json", "-o", folder / "all.db", *databases], check=True,
                          stdout=subprocess.PIPE, text=True)
    seconds = time.monotonic() - begun
    merged = json.loads(done.stdout)
    yield f"| merge, {merged['rows']} rows | {seconds:.2f} | {merged['rows'] / seconds:.0f} rows | | |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vmiscan", default=os.environ.get("VMISCAN", "vmiscan"))
    parser.add_argument("--image", type=pathlib.Path, default=SAMPLE, help="a guest's memory")
    parser.add_argument("--count", type=int, default=1000, help="snapshots")
    parser.add_argument("--copies", type=int, default=1, help="files that they are links to")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--vmlinux", help="the kernel's file: measures what sharing it saves, too")
    parser.add_argument("--page", type=pathlib.Path, help="a file to write the figures to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vmiscan-bench-") as folder:
        lines = []
        for line in rows(os.path.abspath(options.vmiscan), options, pathlib.Path(folder)):
            print(line, flush=True)
            lines.append(line)
    if options.page:
        options.page.write_text(PAGE + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
