# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the comparison found, as lines for people and as the tables of docs/FORMATS.md."""
import re

BEGIN, END = "<!-- begin: tests/containers/run.py -->", "<!-- end -->"


def counts(line):
    """Pages and rows in words."""
    pages = line["pages"]
    words = f"{pages.get('pages', 0)} pages"
    if pages.get("absent"):
        words += f" ({pages['absent']} absent)"
    return words + (f", {line['rows']} rows" if line["rows"] is not None else "")


def sentence(line):
    """A line of the output."""
    head = f"{line['guest']} {line['qemu']} {line['file']}: {line['what']}: "
    if line["by"] == "impossible":
        return f"SKIP {head}not possible here: {line['why']}"
    if line["wrong"]:
        return f"FAIL {head}{'; '.join(line['wrong'])[:1500]}"
    if "says" in line:
        return f"ok   {head}{line['says']}"
    asked = "".join(f"; {oracle}: {says}" for oracle, says in line.get("oracles", {}).items())
    return f"ok   {head}{counts(line)} the same{asked}"


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]


def info_words(info):
    """What `info` says, in a cell."""
    words = [info.get("format") or "?"]
    if info.get("compression"):
        words.append(f"in {info['compression']}")
    # Of files, their names alone: the folders are those of one run.
    words += [f"{f['name']} {re.sub(r'/[^ ]*/', '', f['value'])}" for f in info.get("facts", [])]
    if info.get("layout"):
        words.append(f"Layout {info['layout']}")
    cpus = info.get("vcpus", [])
    words.append(f"{len(cpus)} vCPUs, {sum(bool(c.get('cr3')) for c in cpus)} with CR3")
    if info.get("truncated"):
        words.append(f"Damage {info['truncated_reason']}")
    return "; ".join(words)


def _made(line):
    if line["by"] == "impossible":
        return f"not possible here: {line['why']}"
    return line["by"]


def _judged(line):
    if line["by"] == "impossible":
        return ("", "", "")
    pages = line["pages"]
    different = pages.get("different", "?")
    rows = "" if line["rows"] is None else line["rows"]
    return (f"{pages.get('pages', 0) - pages.get('absent', 0)} of {pages.get('pages', 0)}, "
            f"{different} differ", rows, "; ".join(line["wrong"])[:200] or "none")


def _others(line):
    return "; ".join(f"{name}: {says}" for name, says in line.get("oracles", {}).items())


def tables(lines):
    """Markdown: what was opened, and what was refused."""
    opened = [line for line in lines if line["file"] != "refused"]
    refused = {}
    for line in lines:  # each once, though several runs may have tried it
        if line["file"] == "refused" and refused.get(line["what"], line)["by"] in (
                "impossible", line["by"]):
            refused[line["what"]] = line
    head = ("guest", "by", "file", "made", "pages there, and of these", "rows", "differences",
            "`info` says", "other readers")
    rows = [(line["guest"], line["qemu"], line["what"], _made(line), *_judged(line),
             info_words(line["info"]) if "info" in line else "", _others(line))
            for line in opened]
    out = ["### Opened", "", *_table(head, rows), "", "### Refused", ""]
    return out + _table(("file", "made", "vmiscan says"),
                        [(line["what"], _made(line), line.get("says", "")) for line in refused.values()])


def write_docs(path, lines):
    """Puts the tables between the two marks."""
    text = path.read_text()
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    made = [line for line in lines if line["by"] != "impossible" and line["file"] != "refused"]
    wrong = sum(bool(line["wrong"]) for line in made)
    summary = f"{len(made)} files opened, {wrong} of them with differences."
    path.write_text(before + "\n".join([BEGIN, "", summary, "", *tables(lines), "", END]) + after)
