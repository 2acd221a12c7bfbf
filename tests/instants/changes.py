#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two snapshots of one running guest, a web server begun between them: what `vmiscan diff` says of that.

The guest stands still while it is saved, and goes on afterwards. What has appeared must be the server and
who asks it, nothing of what ran before may be gone or another, and a snapshot must not differ from itself."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import boot  # noqa: E402
from maker.machine import GuestError  # noqa: E402
from maker.suites import SuiteError  # noqa: E402
from torn import save_stopped  # noqa: E402

ALL_SKIPPED = 77
LOAD = "web"
SECONDS = 5  # that the load has to begin
TRIALS = 6


class Wrong(Exception):
    """What diff says is not what happened."""


def need(condition, text):
    if not condition:
        raise Wrong(text)


def diff(vmiscan, before, after):
    """The object that diff prints, once with images and once with their databases: both must be the same."""
    found = []
    for a, b in ((before, after), (before.with_suffix(".db"), after.with_suffix(".db"))):
        done = subprocess.run([vmiscan, "diff", str(a), str(b), "--json", "--no-progress"], capture_output=True,
                              text=True, check=False)
        need(done.returncode == 0 and not done.stderr, f"diff {a} {b}: status {done.returncode}: {done.stderr}")
        found.append(json.loads(done.stdout))
    for one in found:
        for side in ("before", "after"):
            del one[side]["file"]
    need(found[0] == found[1], "images and their databases differ otherwise")
    return found[0]


def rows(found, table, change):
    return [c["row"] for c in found["tables"][table]["changes"] if c["change"] == change]


def judge_same(found):
    """Of a snapshot with itself."""
    for name, table in found["tables"].items():
        need(not table["changes"], f"{name}: differs from itself")


def judge(found):
    """Of the snapshot before the server with one after it."""
    need(not found["warnings"], f"warnings: {found['warnings']}")
    need(found["before"]["boot_ns"] == found["after"]["boot_ns"] and found["before"]["unix_ns"] < found["after"]["unix_ns"],
         "the clocks are not those of one boot")
    new = rows(found, "processes", "appeared")
    names = {row["name"] for row in new if not row["is_kthread"]}
    need(f"i-{LOAD}" in names and "httpd" in names, f"appeared are {sorted(names)}")
    # What loaded the modules has ended, but may not be released yet.
    old = {row["name"] for row in rows(found, "processes", "gone")
           if not row["is_kthread"] and row["lifecycle"] == "live"}
    need(not old, f"gone are {sorted(old)}")
    need(all(row["start_ns"] > found["before"]["unix_ns"] for row in new), "what appeared was there before")
    need(any(row["state"] == "LISTEN" and row["local_port"] == 80 for row in rows(found, "sockets", "appeared")),
         "the server does not listen")
    begun = {row["task_addr"] for row in new}
    for table in ("process_open_files", "process_memory_map"):
        need(any(row["task_addr"] in begun for row in rows(found, table, "appeared")), f"{table}: nothing of what appeared")


def compare(options, machine, before, after):
    """One more snapshot, against the first."""
    time.sleep(SECONDS)
    save_stopped(machine, after, 0)
    subprocess.run([options.vmiscan, str(after), "-q", "--force", "-o", str(after.with_suffix(".db"))], check=True)
    if options.keep:
        for image in (before, after):
            shutil.copy(image.with_suffix(".db"), options.keep)
    found = diff(options.vmiscan, before, after)
    print(", ".join(f"{name}: +{t['appeared']} -{t['gone']} ~{t['changed']}" for name, t in found["tables"].items()))
    judge(found)


def run(options, scratch):
    with boot.Machine(boot.BY_NAME[options.guest], scratch, thread="multi") as machine:
        before, after = machine.folder / "before.raw", machine.folder / "after.raw"
        save_stopped(machine, before, 0)
        subprocess.run([options.vmiscan, str(before), "-q", "-o", str(before.with_suffix(".db"))], check=True)
        judge_same(diff(options.vmiscan, before, before))
        machine.order(f"play {LOAD}")
        for trial in range(1, TRIALS + 1):
            try:
                compare(options, machine, before, after)
                break
            except Wrong as wrong:  # a busy machine lets the server begin late
                if trial == TRIALS:
                    raise
                print(f"{wrong}; once more", flush=True)


def run_twice(options, scratch):
    """The moment of the first snapshot is nobody's choice; what is wrong is so at two of them."""
    try:
        run(options, scratch)
    except Wrong as wrong:
        print(f"{wrong}; once more with another guest", flush=True)
        run(options, scratch)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vmiscan", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--guest", default="6.1", choices=list(boot.BY_NAME))
    parser.add_argument("--keep", metavar="FOLDER", help="keep the two databases there")
    return parser.parse_args()


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="changes-") as scratch:
        try:
            run_twice(options, scratch)
        except (GuestError, SuiteError, FileNotFoundError) as error:
            print(f"SKIP {options.guest}: {error}", flush=True)
            return ALL_SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
