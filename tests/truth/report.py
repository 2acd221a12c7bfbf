# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints what a comparison found."""

from engine import INVENTED, MISSING, WRONG

HEAD = ("table", "rows in truth", "rows in database", "equal", "allowed", "missing", "invented",
        "wrong value")


def _line(result):
    return (result.table, result.truth_rows, result.database_rows, result.equal, result.allowed,
            *(result.bad_rows(kind) for kind in (MISSING, INVENTED, WRONG)))


def table(rows, head):
    """Columns as wide as they need to be, the first one to the left."""
    lines = [tuple(map(str, row)) for row in [head, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines)


def _differences(result, limit):
    bad = result.bad()
    yield from (d.text() for d in bad[:limit])
    if len(bad) > limit:
        yield f"... and {len(bad) - limit} more in {result.table}"


def print_report(outcome, limit, show_allowed=False):
    """Tables, relations, differences, then how often each rule was used."""
    print(table(map(_line, outcome.results), HEAD))
    print()
    for result in outcome.results:
        for failure in result.failures:
            print(f"FAIL {result.table}: {failure}")
        for line in _differences(result, limit):
            print(f"FAIL {line}")
        if show_allowed:
            for difference in (d for d in result.differences if d.rule):
                print(f"allowed by {difference.rule.name}: {difference.text()}")
    for check in outcome.relations:
        print(f"{'ok  ' if check.passed else 'FAIL'} {check.sentence} ({check.looked_at} looked at)")
        for failure in check.failures[:limit]:
            print(f"     {failure}")
    print_rules(outcome.rules)


def print_rules(rules):
    print("\nAllowed differences, and how often each was used:")
    for rule in rules:
        print(f"{rule.used or 'unused':>7}  {rule.name}: {rule.reason}")


def print_untold(comparisons, results):
    """Columns that the truth cannot tell, or not in every row."""
    compared = {result.table: result.compared for result in results}
    print("\nColumns that are not compared row by row, and why:")
    for comparison in comparisons:
        for column, why in sorted(comparison.untold.items()):
            if column not in compared[comparison.table]:
                print(f"  {comparison.table}.{column}: {why}")
    print("\nColumns that the truth tells in some rows only:")
    for result in results:
        most = max(result.compared.values(), default=0)
        for column, count in sorted(result.compared.items()):
            if count < most:
                print(f"  {result.table}.{column}: {count} of {most}")
