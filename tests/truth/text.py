# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bytes of the guest as the database writes them, and as the collector of the truth wrote them."""

import re

# Well-formed UTF-8 (Unicode 15, table 3-7) without NUL; what else there is gets escaped.
_VALID = re.compile(
    rb"[\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2}")
_HEX_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")
_OCTAL_ESCAPE = re.compile(rb"\\([0-7]{3})")


def database_text(raw):
    """TEXT of the database for bytes of the guest (src/base/text.h, text_for_database)."""
    out, at = [], 0
    while at < len(raw):
        match = _VALID.match(raw, at)
        out.append(match.group().decode() if match else f"\\x{raw[at]:02x}")
        at = match.end() if match else at + 1
    return "".join(out)


def unescape_collector(raw):
    r"""The bytes behind a field that the collector wrote with \xNN for all that is not plain."""
    return _HEX_ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), raw)


def unescape_proc(raw):
    r"""The bytes behind a path that /proc wrote with octal escapes (fs/seq_file.c, mangle_path)."""
    return _OCTAL_ESCAPE.sub(lambda m: bytes([int(m.group(1), 8)]), raw)


def split_deleted(raw):
    """A path of /proc without its ' (deleted)', and whether it had one."""
    mark = b" (deleted)"
    return (raw[:-len(mark)], True) if raw.endswith(mark) else (raw, False)
