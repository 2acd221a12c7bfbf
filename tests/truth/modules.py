# SPDX-License-Identifier: LGPL-2.1-or-later
"""kernel_modules: every line of /proc/modules, in its order."""

from engine import Comparison


def _row(truth, place, line):
    name, size, references, users, status, address, *taints = line.decode().split()
    used_by = [u for u in users.split(",") if u not in ("", "-", "[permanent]")]
    return {
        "place": place, "name": name, "size": int(size), "used_by": ",".join(used_by) or "-",
        "status": status, "address": f"0x{int(address, 16):016x}",
        "refcount": int(references) if references != "-" else None,
        "version": truth.line(f"modules/{name}/version"),
        "srcversion": truth.line(f"modules/{name}/srcversion"),
        "taints": taints[0].strip("()") if taints else "",
    }


def _expected(case):
    for place, line in enumerate(case.truth.lines("sys/modules")):
        yield _row(case.truth, place, line)


COMPARISONS = [Comparison(
    "kernel_modules", ("name",), _expected,
    lambda case: [row | {"place": n} for n, row in enumerate(case.database.rows("kernel_modules"))],
    may_be_empty=lambda case: not case.truth.has_modules,
    untold={"arguments": "/sys has the values of parameters, not the text given at loading",
            "module_addr": "relations: unique, in the kernel half"})]
