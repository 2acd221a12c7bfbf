# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which kernels Debian's suites offer today, and which of them the matrix takes."""

import dataclasses
import re

from maker.locks import locked
from maker.suites import Suite, SuiteError

# From the oldest to the newest; buster is where 4.19 was.
SUITES = ("buster", "bullseye", "bookworm", "bookworm-backports", "trixie", "trixie-backports", "forky",
          "sid", "experimental")
FLAVOURS = ("amd64", "cloud-amd64", "rt-amd64")


@dataclasses.dataclass(frozen=True)
class Offer:
    """A kernel's package in a suite."""

    suite: str
    release: str
    version: str

    @property
    def flavour(self):
        """The last part of the release, with what goes before the architecture."""
        return re.search(r"-((?:cloud-|rt-)?(?:686(?:-pae)?|[a-z]\w*))$", self.release).group(1)

    @property
    def series(self):
        """(6, 12) of 6.12.43-1."""
        return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", self.version).groups())

    def order(self):
        """Ascends with the version, as far as the versions of one suite and series need it."""
        # A tilde sorts before everything, even the end: 7.3~rc7 before 7.3.
        return tuple(-1 if part == "~" else int(part) for part in re.findall(r"\d+|~", self.version))


def ask(cache, suites=SUITES, refresh=False):
    """All offers, and {suite: why it can't be asked}."""
    offers, failed = [], {}
    for name in suites:
        try:
            with locked(cache / "locks" / f"suite-{name}"):
                releases = Suite(cache, name).releases(refresh)
            offers += [Offer(name, release, version) for release, version in releases.items()]
        except SuiteError as error:
            failed[name] = str(error)
    return offers, failed


def _lines(offers, flavours):
    """The offers of each suite, series and flavour, from the oldest to the newest."""
    groups = {}
    for offer in offers:
        if offer.flavour in flavours:
            groups.setdefault((offer.series, SUITES.index(offer.suite), offer.flavour), []).append(offer)
    return [sorted(groups[key], key=Offer.order) for key in sorted(groups)]


def choose(offers, flavours=FLAVOURS, points="ends"):
    """Which offers to take, each as a list: those behind the first stand in for what the mirror has lost.

    "newest" is one of each suite, series and flavour; "ends" is also the oldest of the first flavour, the
    generic one; "all" is all."""
    for line in _lines(offers, flavours):
        if points == "all":
            yield from ([offer] for offer in line)
            continue
        yield line[::-1]
        if points == "ends" and len(line) > 1 and line[0].flavour == flavours[0]:
            yield line
