# SPDX-License-Identifier: LGPL-2.1-or-later
"""The part of a document that a script writes, between marks; what else is in it stays."""


def marks(script):
    """The lines around the part of that script."""
    return f"<!-- begin: {script} -->", f"<!-- end: {script} -->"


def replace_part(path, script, lines):
    """Puts the lines in the place of the script's part."""
    begin, end = marks(script)
    text = path.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{path}: it must have the lines `{begin}` and `{end}` once")
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    path.write_text(before + "\n".join([begin, "", *lines, "", end]) + after, encoding="utf-8")
