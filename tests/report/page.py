# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of a database, made for a test and taken apart."""
import base64
import hashlib
import html.parser
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../cli"))
from support import VMISCAN, SAMPLE  # noqa: E402,F401 the same program and sample


class Parts(html.parser.HTMLParser):
    """The page's elements in their order, and what is in script and style."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.inside, self.text, self.policy, self.title = [], [], {}, None, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        if tag in ("script", "style", "title"):
            self.inside.append("data" if attrs.get("type") == "application/json" else tag)
            self.text[self.inside[-1]] = ""
        if attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]

    def handle_endtag(self, tag):
        if tag in ("script", "style", "title"):
            self.inside.pop()

    def handle_data(self, data):
        if self.inside:
            self.text[self.inside[-1]] += data

    def handle_comment(self, data):
        self.elements.append(("comment", {"text": data}))


def sha256(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="vmiscan-report-")
        cls.addClassCleanup(cls.holder.cleanup)
        cls.schema = subprocess.run([VMISCAN, "schema"], check=True, capture_output=True, text=True).stdout

    @classmethod
    def path(cls, name):
        return os.path.join(cls.holder.name, name)

    @classmethod
    def made(cls, make, name, **how):
        """A page of what make() puts into a database."""
        db, page = cls.path(name + ".db"), cls.path(name + ".html")
        if os.path.exists(page):
            return page
        make(db, cls.schema, **how)
        subprocess.run([VMISCAN, "report", db, "-o", page], check=True, stdin=subprocess.DEVNULL)
        return page


def read(page):
    with open(page, encoding="utf-8", newline="") as f:
        return f.read()


class Data:
    """The page's data, unpacked as its script does it."""

    def __init__(self, text):
        self.raw = json.loads(text)

    def rows(self, columns):
        out = []
        for i in range(columns["n"]):
            row = {}
            for key, cells in columns.items():
                if key == "n":
                    continue
                value = cells[i] if isinstance(cells, list) else cells
                row[key.lstrip("$")] = self.raw["strings"][value] if key[0] == "$" and value is not None else value
            out.append(row)
        return out

    def table(self, name):
        return self.rows(self.raw["tables"][name])

    def of(self, name, place):
        part = self.raw["of"][name]
        distinct = self.rows(part["rows"])
        return [distinct[i] for i in part["ids"][place]]
