# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a hunt has done so far: counts of each target, kept in a file beside its corpus."""
import json
import re

COUNTS = ("executions", "cpu", "edges", "peak_mb", "slowest", "findings")


def stat(log, name):
    m = re.search(rf"stat::{name}:\s+(\d+)", log)
    return int(m[1]) if m else None


def last(log, pattern, default=0):
    found = re.findall(pattern, log, re.M)
    return int(found[-1]) if found else default


class Entry:
    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "counts.json"
        known = json.loads(self.path.read_text()) if self.path.exists() else {}
        for name in COUNTS:
            setattr(self, name, known.get(name, 0))

    def add(self, log, cpu):
        """A turn's log by libFuzzer. One that ended in a finding has no statistics."""
        self.executions += stat(log, "number_of_executed_units") or last(log, r"^#(\d+)\s")
        self.cpu += cpu
        self.edges = max(self.edges, last(log, r"cov: (\d+)"))
        self.peak_mb = max(self.peak_mb, stat(log, "peak_rss_mb") or last(log, r"rss: (\d+)Mb"))
        self.slowest = max(self.slowest, stat(log, "slowest_unit_time_sec") or 0)

    def judge(self, confirm, log):
        """Findings are those that are found again; the others are told apart by their names."""
        files = [f for f in (self.folder / "findings").iterdir() if f.suffix not in (".no", ".log")]
        known = sum(f.with_name(f.name + ".log").exists() for f in files)
        for f in files:
            if f.with_name(f.name + ".log").exists():
                continue
            if f.name.startswith("slow-unit") or not confirm(f):
                f.rename(f.with_name(f.name + ".no"))
                continue
            f.with_name(f.name + ".log").write_bytes(log.read_bytes()[-20000:])
            known += 1
        self.findings = known

    def save(self):
        self.path.write_text(json.dumps({name: getattr(self, name) for name in COUNTS}))


def line(target, e):
    return (f"{target:10} {e.executions / 1e6:7.2f} M executions, {e.cpu:6.0f} CPU s, "
        f"{e.edges} edges, {e.peak_mb} MiB, {e.findings} findings")


def table(entries):
    """Markdown."""
    rows = ["| target | executions | CPU s | executions a CPU s | edges | peak RSS, MiB | "
        "slowest input | findings |", "|---|---|---|---|---|---|---|---|"]
    for target, e in entries.items():
        slowest = f"{e.slowest} s" if e.slowest else "< 1 s"
        rows.append(f"| {target} | {e.executions / 1e6:.2f} M | {e.cpu:.0f} | "
                f"{e.executions / max(e.cpu, 1):.0f} | {e.edges} | {e.peak_mb} | "
                f"{slowest} | {e.findings} |")
    return "\n".join(rows) + "\n"
