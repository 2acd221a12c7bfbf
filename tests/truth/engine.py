# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the rows that the truth demands with the rows of the database, both ways."""

import collections
import dataclasses
import itertools
import re

MISSING, INVENTED, WRONG = "missing", "invented", "wrong value"


class OneOf:
    """A value that the truth leaves open among some."""

    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return other in self.values

    def __repr__(self):
        return " or ".join(map(repr, self.values))


class Bits:
    """An address-like text of which the truth knows some bits."""

    def __init__(self, value, mask):
        self.value, self.mask = value & mask, mask

    def __eq__(self, other):
        return bool(re.fullmatch("0x[0-9a-f]+", str(other))) and int(other, 16) & self.mask == self.value

    def __repr__(self):
        return f"{self.value:#x} in the bits {self.mask:#x}"


@dataclasses.dataclass
class Difference:
    """One thing that is not as the truth has it. truth and found are values, or None for a row."""
    table: str
    kind: str
    key: tuple
    expected: dict
    row: dict
    column: str = None
    rule: object = None

    @property
    def truth(self):
        return self.expected.get(self.column)

    @property
    def found(self):
        return self.row.get(self.column)

    def text(self):
        key = ", ".join(map(repr, self.key))
        if self.kind == WRONG:
            return f"{self.table}({key}).{self.column}: truth {self.truth!r}, database {self.found!r}"
        shown = self.expected if self.kind == MISSING else self.row
        values = ", ".join(f"{k}={v!r}" for k, v in shown.items() if not k.startswith("_"))
        return f"{self.table}({key}) {self.kind}: {values}"


@dataclasses.dataclass
class Comparison:
    """How one table is compared.

    key: columns that name a row. expected(case): rows as {column: value}; a column that is absent
    from a row is not known to the truth, names with _ in front are context for the rules.
    actual(case): the database's rows, if they are not simply those of the table.
    untold: {column: why the truth cannot tell it}; any other column must be compared.
    may_be_empty: whether the truth may have no row, or a function of the case that says so."""
    table: str
    key: tuple
    expected: object
    actual: object = None
    untold: dict = dataclasses.field(default_factory=dict)
    may_be_empty: object = False

    def found(self, case):
        return self.actual(case) if self.actual else case.database.rows(self.table)


@dataclasses.dataclass
class Result:
    """What came of one table."""
    table: str
    truth_rows: int = 0
    database_rows: int = 0
    equal: int = 0
    allowed: int = 0
    differences: list = dataclasses.field(default_factory=list)
    compared: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failures: list = dataclasses.field(default_factory=list)

    def bad(self, kind=None):
        return [d for d in self.differences if not d.rule and kind in (None, d.kind)]

    def bad_rows(self, kind):
        return len({(d.key, id(d.row), id(d.expected)) for d in self.bad(kind)})

    @property
    def passed(self):
        return not self.failures and not self.bad()


def _pair_cost(expected, row):
    return sum(1 for column, value in expected.items()
               if not column.startswith("_") and not value == row.get(column))


def _pair(expected, rows):
    """Pairs rows of one key, the most alike first; what is over has no partner."""
    expected, rows = list(expected), list(rows)
    if len(expected) > 1 or len(rows) > 1:
        costs = sorted((_pair_cost(e, r), i, j)
                       for (i, e), (j, r) in itertools.product(enumerate(expected), enumerate(rows)))
    else:
        costs = [(0, 0, 0)] if expected and rows else []
    left, right, pairs = set(range(len(expected))), set(range(len(rows))), []
    for _, i, j in costs:
        if i in left and j in right:
            pairs.append((expected[i], rows[j]))
            left.discard(i)
            right.discard(j)
    return pairs, [expected[i] for i in sorted(left)], [rows[j] for j in sorted(right)]


def _group(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row.get(column) for column in key), []).append(row)
    return groups


def _wrong_values(comparison, key, expected, row, compared):
    for column, value in expected.items():
        if column.startswith("_"):
            continue
        compared[column] += 1
        # The truth's value comes first: its class may know what it accepts.
        if not value == row.get(column):
            yield Difference(comparison.table, WRONG, key, expected, row, column)


def _settle(result, differences, rules):
    """Counts the row that the differences belong to, after asking the rules about each."""
    for difference in differences:
        difference.rule = next((r for r in rules if r.allows(difference)), None)
    result.differences += differences
    if not differences:
        result.equal += 1
    elif all(d.rule for d in differences):
        result.allowed += 1


def compare(comparison, case, rules):
    """The Result of one table. rules: what has allows(difference)."""
    try:
        expected, rows = list(comparison.expected(case)), comparison.found(case)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # A value of the database that cannot even be read is the table's fault, not ours.
        return Result(comparison.table, failures=[f"cannot be compared: {error!r}"])
    result = Result(comparison.table, len(expected), len(rows))
    wanted, found = _group(expected, comparison.key), _group(rows, comparison.key)
    for key in list(wanted) + [k for k in found if k not in wanted]:
        pairs, missing, invented = _pair(wanted.get(key, ()), found.get(key, ()))
        for one, row in pairs:
            _settle(result, list(_wrong_values(comparison, key, one, row, result.compared)), rules)
        for one in missing:
            _settle(result, [Difference(comparison.table, MISSING, key, one, {})], rules)
        for row in invented:
            _settle(result, [Difference(comparison.table, INVENTED, key, {}, row)], rules)
    result.failures += _unsound(comparison, case, result)
    return result


def _unsound(comparison, case, result):
    """Ways in which a comparison would pass without having compared."""
    if comparison.table not in case.database.tables:
        return ["the database has no such table"]
    wrong = []
    may_be_empty = comparison.may_be_empty
    if result.truth_rows == 0 and not (may_be_empty(case) if callable(may_be_empty) else may_be_empty):
        wrong.append("the truth has no row: nothing was compared")
    seen = set(result.compared) | set(comparison.untold)
    forgotten = [c for c in case.database.columns(comparison.table) if c not in seen]
    if forgotten and result.equal + result.allowed + len(result.bad()) > 0:
        wrong.append("never compared: " + ", ".join(forgotten))
    return wrong
