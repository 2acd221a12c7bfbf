#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stops guests at exact instants of the life of a task and compares what vmiscan says with what is true.

Each guest boots once. For every instant a hardware breakpoint stops it in a kernel function, its memory is
saved and analysed, and it goes on to the next. The registers say which task it is about."""

import argparse
import collections
import dataclasses
import json
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True

import boot  # noqa: E402
import instants as plan  # noqa: E402
import judge  # noqa: E402
import report  # noqa: E402
from maker.machine import GuestError  # noqa: E402
from maker.suites import SuiteError  # noqa: E402

ALL_SKIPPED = 77
NEVER_CAME = "never came"
STOP_SECONDS = 240
# After its scenario has ended, what the kernel puts off may still come.
LATE_SECONDS = 5

Capture = collections.namedtuple("Capture", "kernel release scenario instant function verdict")


class Hunt:
    """One scenario on one machine."""

    def __init__(self, machine, options, scenario, instants):
        self.machine, self.options, self.scenario = machine, options, scenario
        self.instants = instants
        self.known = {}
        self.address = None

    def _candidates(self, instant, registers):
        named = {"arg0": registers["rdi"], "arg1": registers["rsi"], "current": self.machine.current(registers)}
        if not instant.who.startswith("="):
            return [named[instant.who]]
        it = self.known.get(instant.who[1:])
        inside = self.machine.types.offset("task_struct", "rcu")
        return [it] if it in named.values() or (it and named["arg0"] == it + inside) else []

    def _fits(self, instant, task):
        machine = self.machine
        if instant.comm and machine.comm(task) != instant.comm:
            return False
        return not instant.flags or machine.member(task, "flags", 4) & instant.flags == instant.flags

    def _task(self, instant):
        """The task that the stopped machine shows, if it is the one that the instant waits for."""
        registers = self.machine.stub.registers()
        return next((task for task in self._candidates(instant, registers) if self._fits(instant, task)), None)

    def _next_stop(self, instant):
        """Goes on until the instant has come; the task, or None if it never does."""
        stub = self.machine.stub
        while True:
            stub.run()
            if not stub.await_stop(STOP_SECONDS, self.machine.heard) and not stub.await_stop(LATE_SECONDS):
                stub.interrupt()
                return None
            task = self._task(instant)
            if task is not None:
                return task
            stub.step_off(stub.registers()["rip"])

    def _catch(self, instant, addresses):
        for address in addresses:
            self.machine.stub.arm(address)
        try:
            return self._next_stop(instant)
        finally:
            for address in addresses:
                self.machine.stub.disarm(address)

    def _capture(self, instant, function):
        machine = self.machine
        task = self._catch(instant, machine.symbols[function])
        if task is None:
            return judge.Verdict(NEVER_CAME, ["the instant did not come"])
        self.known[instant.keep or None] = task
        image = machine.folder / "memory.raw"
        machine.save(image)
        about = self.known[instant.about] if instant.about else task
        verdict = judge.judge(self.options.vmiscan, image, instant, about)
        if self.options.keep and (not verdict.passed or self.options.keep_all):
            name = f"{machine.guest.name}-{self.scenario}-{instant.phase}-{function}.raw"
            shutil.copyfile(image, pathlib.Path(self.options.keep) / name)
        return verdict

    def run(self):
        """Every capture of the scenario."""
        self.machine.order(f"play {self.scenario}")
        for instant in self.instants:
            function = next((name for name in instant.functions if name in self.machine.symbols), None)
            verdict = None
            if function:
                verdict = self._capture(instant, function)
            yield Capture(self.machine.guest.name, self.machine.kernel.release, self.scenario, instant, function, verdict)
        self.machine.stub.run()
        self.machine.answer()
        self.machine.stub.interrupt()


class State:
    """Captures on disk, a line of JSON each; a run that was ended, or in which an instant slipped by, goes on from there."""

    def __init__(self, path):
        self.path = path
        self.captures = []
        if path and path.exists():
            self.captures = [self._read(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]

    @staticmethod
    def _read(line):
        verdict = line["verdict"] and judge.Verdict(**line["verdict"])
        if verdict:
            verdict.labels = [tuple(label) for label in verdict.labels]
        instant = plan.SCENARIOS[line["scenario"]][line.pop("number")]
        return Capture(**line | {"verdict": verdict, "instant": instant})

    def add(self, captures):
        """Keeps those of a scenario, if all of its instants came."""
        self.captures += captures
        if not self.path or any(c.verdict and c.verdict.found == NEVER_CAME for c in captures):
            return
        with open(self.path, "a", encoding="utf-8") as file:
            for capture in captures:
                line = capture._asdict()
                line["number"] = plan.SCENARIOS[capture.scenario].index(line.pop("instant"))
                line["verdict"] = capture.verdict and dataclasses.asdict(capture.verdict)
                file.write(json.dumps(line) + "\n")

    def has(self, kernel, scenario):
        """Whether that was captured before."""
        return any((c.kernel, c.scenario) == (kernel, scenario) for c in self.captures)


def wanted(machine, scenario, options):
    """The instants of a scenario that are asked for and that this kernel has."""
    chosen = [i for i in plan.SCENARIOS[scenario] if not (i.unless and i.unless(machine))]
    if options.quick:
        chosen = [i for i in chosen if i.keep or i.phase in plan.QUICK.get(scenario, ())]
    return chosen


def hunt_guest(guest, options, scratch, state):
    """Captures of one guest, one scenario after another, as far as they are lacking."""
    scenarios = [name for name in options.scenarios or (plan.QUICK if options.quick else plan.SCENARIOS)
                 if not state.has(guest.name, name)]
    if not scenarios:
        return
    with boot.Machine(guest, scratch) as machine:
        machine.learn(plan.symbols())
        machine.attach()
        for scenario in scenarios:
            captures = []
            for capture in Hunt(machine, options, scenario, wanted(machine, scenario, options)).run():
                captures.append(capture)
                print(report.line(capture), flush=True)
            state.add(captures)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vmiscan", required=True, type=lambda p: str(pathlib.Path(p).resolve()))
    parser.add_argument("--guests", nargs="*", default=list(boot.BY_NAME), choices=list(boot.BY_NAME))
    parser.add_argument("--scenarios", nargs="*", choices=list(plan.SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="a few instants, one of each class")
    parser.add_argument("--keep", metavar="FOLDER", help="keep captures that fail there")
    parser.add_argument("--keep-all", action="store_true", help="and those that pass")
    parser.add_argument("--state", metavar="FILE", type=pathlib.Path, help="keep captures there, and go on from them")
    parser.add_argument("--table", metavar="FILE", help="write the result there, as a document")
    return parser.parse_args()


def hunt_all(options, state):
    """Takes the captures of all guests; why some of these could not be used."""
    broken = []
    with tempfile.TemporaryDirectory(prefix="instants-") as scratch:
        for name in options.guests:
            try:
                hunt_guest(boot.BY_NAME[name], options, scratch, state)
            except (GuestError, SuiteError, OSError) as error:
                if not options.quick and any(capture.kernel == name for capture in state.captures):
                    raise
                broken.append(f"{name}: {error}")
    return broken


def order_of_table(capture):
    """By kernel, then by scenario; the instants of one stay as they came."""
    return list(boot.BY_NAME).index(capture.kernel), list(plan.SCENARIOS).index(capture.scenario)


def settle(captures, broken, quick):
    """The exit status. A busy machine may let an instant slip by: the quick test then says so, and
    has not failed."""
    failed = [c for c in captures if c.verdict is not None and not c.verdict.passed]
    late = [c for c in failed if c.verdict.found == NEVER_CAME]
    for reason in broken:
        print(f"SKIP {reason}", flush=True)
    if len(failed) > len(late) or (failed and not quick):
        return 1
    if late:
        print(f"SKIP {len(late)} of {len(captures)} instants did not come", flush=True)
    return ALL_SKIPPED if late or not captures or (broken and quick) else 0


def main():
    options = parse_arguments()
    status = 1
    for _ in range(2 if options.quick else 1):
        state = State(options.state)
        broken = hunt_all(options, state)
        captures = sorted(state.captures, key=order_of_table)
        print(report.summary(captures))
        status = settle(captures, broken, options.quick)
        if status == 0:
            break
    if options.table:
        pathlib.Path(options.table).write_text(report.document(captures), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
