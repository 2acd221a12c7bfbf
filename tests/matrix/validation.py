# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes docs/VALIDATION.md out of the results of a matrix."""

import collections
import datetime

HEAD = ("kernel", "version", "suite", "arch", "flavour", "machine", "types from", "container", "rows compared",
        "allowed", "differences", "warnings", "ms")
RIGHT = {"rows compared", "allowed", "differences", "warnings", "ms"}

INTRODUCTION = """# Validation

Written by `tests/matrix/run`; do not edit. Each kernel below was booted in QEMU with the workload of
samples/README.md; the guest told its own state (/proc, /sys, netlink), was stopped, and its memory
saved. vmiscan analysed each container by itself, and every row of its database was compared with what
the guest had said, both ways: a row that is missing, a row too many and a value that differs are
differences. tests/truth/allowed.py has the few things that may differ because they move between the
telling and the stop; a row that needed one of them is counted as allowed. Both containers of a guest
must give the same rows.
"""


def _table(head, rows, right):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "|".join("---:" if name in right else "---" for name in head) + "|"
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"


def _rows(judged):
    for case, result in judged:
        for one in result["containers"]:
            yield (result["release"], case.version, case.suite, case.arch, case.flavour, result["config"],
                   case.source, one["container"], one.get("rows", ""), one.get("allowed", ""),
                   len(one["differences"]), len(one.get("warnings", ())), one.get("ms", ""))


def _totals(judged, skipped):
    containers = [one for _, result in judged for one in result["containers"]]
    kernels = {result["release"] for _, result in judged}
    return (f"{len(kernels)} kernels in {len(containers)} images: {sum(c.get('rows', 0) for c in containers)} "
            f"rows compared, {sum(len(c['differences']) for c in containers)} differences, "
            f"{len(skipped)} not compared.")


def _differences(judged):
    lines = [f"- {case.name}, {one['container']}: {said}"
             for case, result in judged for one in result["containers"] for said in one["differences"]]
    return ["\n## Differences\n", *lines] if lines else []


def _warnings(judged):
    """Each message once, with the images that it is of."""
    images = {}
    for case, result in judged:
        for one in result["containers"]:
            for said in dict.fromkeys(one.get("warnings", ())):
                images.setdefault(said, []).append(f"{case.name} {one['container']}")
    lines = [f"- {said} ({len(names)}: {', '.join(names)})" for said, names in images.items()]
    return ["\n## Warnings\n", *lines] if lines else []


def _rules(judged, reasons):
    used = collections.Counter()
    for _, result in judged:
        for one in result["containers"]:
            used.update(one.get("rules", {}))
    yield "\n## Allowed differences\n"
    yield from _table(("rule", "used", "why"), ((name, count, reasons.get(name, "")) for name, count in
                                                used.most_common()), {"used"})


def render(judged, skipped, reasons, program):
    """The page. judged: (case, result) pairs; reasons: {rule: why it may differ}."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    lines = [INTRODUCTION, f"{today}, {program}: {_totals(judged, skipped)}\n"]
    lines += ["ms: wall time of one analysis, the least of three, on two cores.\n",
              "## Kernels\n", *_table(HEAD, _rows(judged), RIGHT)]
    if skipped:
        lines += ["\n## Not compared\n", *_table(("what", "arch", "why"),
                                                 ((s.name, s.arch, s.reason) for s in skipped), ())]
    lines += _differences(judged) + _warnings(judged)
    lines += _rules(judged, reasons)
    return "\n".join(lines) + "\n"
