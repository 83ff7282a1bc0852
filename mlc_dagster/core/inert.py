r"""Text of others as it may be shown: no character of it acts on a terminal, a log or a page. The data stays as it is.

What acts, or is not seen, stands as an escape: `\x1b`, `\u202e`. Letters of every script stay as they are.
"""

from __future__ import annotations

import re

_ACTS = (
    "\x00-\x1f\x7f-\x9f"  # controls: escape sequences, line ends, C1
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065\u3164\ufeff\uffa0"  # nobody sees them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"  # they turn what stands beside them around
    "\u2028\u2029\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff"  # line ends again, halves of characters, tags
)
_ANY = re.compile(f"[{_ACTS}]")
_BUT_LINES = re.compile(f"(?![\n\t])[{_ACTS}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def inert(text: str) -> str:
    """A value, in one line."""
    return _ANY.sub(_escape, text)


def inert_lines(text: str) -> str:
    """What has lines of our own; whoever puts a value into it makes that inert first."""
    return _BUT_LINES.sub(_escape, text)


def inert_json(text: str) -> str:
    """JSON that says the same, by its own escapes."""
    return _BUT_LINES.sub(_json_escape, text)


def acts(text: str) -> bool:
    """Whether anything in it would not be shown as it is."""
    return _ANY.search(text) is not None


def inert_markdown(text: str) -> str:
    """A value in Markdown: no link, image, table, markup or HTML is made of it."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~&:@])", r"\\\1", inert(text))


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    number = ord(sign)
    if sign in _SHORT:
        return _SHORT[sign]
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
