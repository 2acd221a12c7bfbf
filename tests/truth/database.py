# SPDX-License-Identifier: LGPL-2.1-or-later
"""A database of vmiscan, read-only."""

import functools
import pathlib
import re
import sqlite3

# What coverage says where a kernel's symbols, which alone lead to something, leave it out.
UNLISTED = re.compile(r"no table of symbols lists \w+(, and nothing leads to it|: settings of namespaces only)"
                      r"|neither symbols nor types tell where \w+ is")


class Database:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._sql = sqlite3.connect(f"file:{self.path.resolve()}?mode=ro", uri=True)
        self._sql.row_factory = sqlite3.Row
        # What is no UTF-8 is a finding of the relations, not the end of the comparison.
        self._sql.text_factory = lambda raw: raw.decode("utf-8", errors="surrogateescape")

    def close(self):
        self._sql.close()

    def query(self, sql, *values):
        return [dict(row) for row in self._sql.execute(sql, values)]

    @functools.cached_property
    def tables(self):
        return [row["name"] for row in self.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid")]

    def columns(self, table):
        return [row["name"] for row in self.query("SELECT name FROM pragma_table_info(?)", table)]

    @functools.lru_cache(maxsize=None)
    def rows(self, table):
        """All rows of a table in their order; none if there is no such table."""
        if table not in self.tables:
            return []
        rows = self.query(f'SELECT * FROM "{table}" ORDER BY rowid')
        # a number that a fork has, of which nothing else is found (phase N1), is nobody's either
        return [row for row in rows if row.get("task_addr") not in self._outside
                and (table != "inconsistencies" or row["task_addr"] or row["phase"] != "N1")]

    @functools.cached_property
    def _outside(self):
        """Tasks that no list of the kernel has, and so no /proc: forks in flight and the dead in slabs."""
        return {row["task_addr"] for row in self.query("SELECT * FROM threads")
                if row.get("found_by", "tasks") != "tasks" and row["phase"] in ("N0", "N1", "X2", "X3")}

    def count(self, table):
        """How many rows a table has, of whatever."""
        return self.query(f'SELECT count(*) AS n FROM "{table}"')[0]["n"]

    def one(self, table):
        """The row of a table of one row; empty if it has none."""
        rows = self.rows(table)
        return rows[0] if rows else {}

    def is_unlisted(self, table):
        """Whether it says that no symbol led to a table, or to all of it."""
        found = self.query("SELECT reason FROM coverage WHERE table_name = ? AND status <> 'complete'", table)
        return any(UNLISTED.fullmatch(row["reason"] or "") for row in found)

    @functools.cached_property
    def processes(self):
        return {row["pid"]: row for row in self.rows("processes")}
