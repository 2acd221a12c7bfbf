# SPDX-License-Identifier: LGPL-2.1-or-later
"""Captures as lines, as a table, and as recall and precision of each class."""

import collections

CLASSES = ("live", "fresh", "dying", "as-good-as-dead", "zombie")


def _status(verdict):
    if verdict is None:
        return "-"
    return "ok" if verdict.passed else "FAIL"


def line(capture):
    """One capture for the terminal; what is wrong follows on lines of their own."""
    instant, verdict = capture.instant, capture.verdict
    if verdict is None:
        return f"-    {capture.kernel} {capture.scenario} {instant.phase}: no {' or '.join(instant.functions)} here"
    text = f"{_status(verdict):4} {capture.kernel} {capture.scenario} {instant.phase} {capture.function}: {verdict.found}"
    wrong = verdict.faults + [f"other task {text}" for text in verdict.mislabelled]
    return "\n     ".join([text, *wrong])


def _scores(captures):
    """{class: (right, given, true)} over all threads of all captures."""
    right, given, true = collections.Counter(), collections.Counter(), collections.Counter()
    for capture in captures:
        for said, is_so in capture.verdict.labels if capture.verdict else ():
            given[said] += 1
            true[is_so] += 1
            right[said] += said == is_so
    return {name: (right[name], given[name], true[name]) for name in CLASSES}


def _share(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def summary(captures):
    """Recall and precision of each class, then the count."""
    lines = [f"{name:16} recall {_share(right, true):8} ({right}/{true})  precision {_share(right, given):8} ({right}/{given})"
             for name, (right, given, true) in _scores(captures).items()]
    judged = [c for c in captures if c.verdict]
    passed = sum(c.verdict.passed for c in judged)
    return "\n".join([*lines, f"{passed} of {len(judged)} captures passed"])


def _row(capture):
    instant, verdict = capture.instant, capture.verdict
    expected = f"{instant.life}/{' or '.join(p or '-' for p in instant.phases)}" + ("" if instant.listed else " or absent")
    cells = (capture.kernel, capture.scenario, instant.phase, f"`{capture.function}`" if capture.function else "not there",
             instant.says, expected, verdict.found if verdict else "-", len(verdict.mislabelled) if verdict else "-",
             _status(verdict))
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


INTRODUCTION = """# Tasks at exact instants

Made by `tests/instants/run.py --table docs/INSTANTS.md`; not written by hand.

A guest with two CPUs boots under emulation, with KASLR, and plays small scenarios: processes fork, execute
programs, crash and exit. QEMU's gdb stub stops it where a kernel function is about to run; its memory is saved
there and analysed. The register that holds the function's first argument, or the per-CPU `current`, says which
task the instant is about. For that task, class, phase, evidence, what is missing and the columns that must be
NULL are compared with what the kernel's source says of that instant; every other task must be plainly alive,
unless the scenario put it elsewhere; and no list may look broken. *or absent*: the task is in no list of the
kernel; it is found in a slab, or not at all, and never taken for hidden.

Phases: N0 being copied, N1 it has a pid, N2 listed, N3 in its control group, N4 woken and not run yet, N5 forked
less than a second ago; E1 exec has begun, E2 new memory with a stack only, E3 the stack is in place, E4 the
program is mapped, E5 the new image is whole; D0 doomed, D0c waits for a core dump, D1 exiting with all it had,
D2 memory is gone, D3 files are gone, D4 directories are gone; Z1 zombie that still runs, Z2 zombie at rest,
leader: zombie whose threads live, X1 being reaped, X2 unlinked, X3 about to be freed.

"""


def document(captures):
    """Markdown: every capture, then the classes."""
    head = ("kernel", "scenario", "phase", "stopped at", "the task", "expected", "found", "others wrong", "")
    kernels = ", ".join(f"{name}: {release}" for name, release in sorted({(c.kernel, c.release) for c in captures}))
    lines = [f"Kernels: {kernels}.", "", "| class | recall | precision |", "|---|---|---|"]
    for name, (right, given, true) in _scores(captures).items():
        lines.append(f"| {name} | {_share(right, true)} ({right} of {true}) | {_share(right, given)} ({right} of {given}) |")
    judged = [c for c in captures if c.verdict]
    lines += ["", "Counted over all threads of all captures.", ""]
    lines += [f"{sum(c.verdict.passed for c in judged)} of {len(judged)} captures passed.", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *(_row(c) for c in captures)]
    return INTRODUCTION + "\n".join(lines) + "\n"
