#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares every row of a database with the truth of its guest, both ways."""

import argparse
import dataclasses
import sqlite3
import sys

sys.dont_write_bytecode = True

import accounts  # noqa: E402
import allowed  # noqa: E402
import blocks  # noqa: E402
import controls  # noqa: E402
import engine  # noqa: E402
import envs  # noqa: E402
import files  # noqa: E402
import findings  # noqa: E402
import firewall  # noqa: E402
import kernel_log  # noqa: E402
import maps  # noqa: E402
import modules  # noqa: E402
import mounts  # noqa: E402
import names  # noqa: E402
import namespaces  # noqa: E402
import net  # noqa: E402
import pagebits  # noqa: E402,F401  (registers its relations)
import pages  # noqa: E402
import processes  # noqa: E402
import relations  # noqa: E402
import report  # noqa: E402
import routes  # noqa: E402
import sockets  # noqa: E402
import system  # noqa: E402
import threads  # noqa: E402
import usage  # noqa: E402
import truth as truth_module  # noqa: E402
from database import Database  # noqa: E402

COMPARISONS = [
    comparison
    for module in (processes, threads, envs, namespaces, files, names, maps, pages, sockets, mounts, modules,
                   net, routes, firewall, system, accounts, blocks, controls, usage, kernel_log, findings)
    for comparison in module.COMPARISONS
]


@dataclasses.dataclass
class Case:
    """What is compared with what."""
    truth: truth_module.Truth
    database: Database


@dataclasses.dataclass
class Outcome:
    results: list
    relations: list
    rules: list

    @property
    def passed(self):
        return all(r.passed for r in self.results) and all(c.passed for c in self.relations)

    @property
    def compared_rows(self):
        return sum(r.truth_rows for r in self.results)


def compare(case, comparisons=None):
    """The Outcome of all tables, or of the comparisons given."""
    rules = allowed.rules(case)
    chosen = COMPARISONS if comparisons is None else comparisons
    results = [engine.compare(comparison, case, rules) for comparison in chosen]
    results += _unknown_tables(case) if comparisons is None else []
    return Outcome(results, list(relations.check_all(case)), rules)


def _unknown_tables(case):
    """A table that nobody compares must not pass in silence."""
    known = {comparison.table for comparison in COMPARISONS}
    return [engine.Result(table, failures=["nothing compares this table"])
            for table in case.database.tables if table not in known]


def compare_paths(database, truth):
    """The Outcome of a database and a truth, each a path."""
    opened = Database(database)
    try:
        return compare(Case(truth_module.load(truth), opened))
    finally:
        opened.close()


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", help="what vmiscan wrote")
    parser.add_argument("truth", help="the guest's truth: a folder, a .tar or a .tar.zst")
    parser.add_argument("-n", "--limit", type=int, default=10, help="differences shown of a table")
    parser.add_argument("--allowed", action="store_true", help="show the allowed differences, too")
    parser.add_argument("--untold", action="store_true", help="say what is not compared, and why")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        outcome = compare_paths(options.database, options.truth)
    except (OSError, sqlite3.Error, ValueError) as error:
        print(f"compare: {options.database}, {options.truth}: {error}", file=sys.stderr)
        return 2
    report.print_report(outcome, options.limit, options.allowed)
    if options.untold:
        report.print_untold(COMPARISONS, outcome.results)
    print("\nPASSED" if outcome.passed else "\nFAILED")
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
