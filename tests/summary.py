#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The last line of a test run: how many tests passed, failed and were skipped, and why skipped."""
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """passed, failed or skipped; CTest writes a failure element, or a status of notrun."""
    if case.find("failure") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def reason(case):
    """What a skipped test said of it: the line that begins with SKIP."""
    output = case.findtext("system-out") or ""
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("SKIP")]
    return "; ".join(lines) or "no reason given"


def main(paths):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            result = outcome(case)
            counts[result] += 1
            if result == "skipped":
                print(f"skipped: {case.get('name')}: {reason(case)}")
            if result == "failed":
                print(f"failed: {case.get('name')}")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
