"""The catalogue as gettext has it: its texts to be translated, and a translation that somebody made of them.

messages.pot is made of it: python -m mlc_dagster_tests.reference
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.web.review.catalogue.entry import Entry

DOMAIN = "mlc_review"
TEMPLATE = Path(__file__).with_name("messages.pot")
HEADER = """# What stands in braces stays as it is: {there} is a system, {value} a value of it.
# A headline has 90 signs at most.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"""

Translate = Callable[[str], str]


def translation(language: str, folder: str) -> Translate:
    """`folder`/`language`/LC_MESSAGES/mlc_review.mo; what it lacks stays in English. Raises Misconfigured."""
    if not language:
        return str
    try:
        found = gettext.translation(DOMAIN, folder, [language])
    except (OSError, UnicodeDecodeError) as error:
        place = Path(folder) / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
        cure = "msgfmt makes it of a translated messages.pot; leave review.language out for English."
        raise Misconfigured(f"review.language is {language}, and {place} cannot be read: {error}", cure=cure) from None
    return lambda text: (found.gettext(text) if text else "") or text


def template(tables: Mapping[str, Entry]) -> str:
    """Each text once, with the rules and kinds that say it."""
    said: dict[str, list[str]] = {}
    for name, entry in sorted(tables.items()):
        for part, text in zip(Entry._fields, entry, strict=True):
            said.setdefault(text, []).append(f"{name}.{part}")
    return "\n".join([HEADER, *(_message(text, places) for text, places in said.items())])


def _message(text: str, places: list[str]) -> str:
    return "\n".join([*_references(places), f"msgid {_quoted(text)}", 'msgstr ""', ""])


def _references(places: list[str]) -> Iterator[str]:
    yield from (f"#: {each}" for each in places[:5])
    if len(places) > 5:
        yield f"#. and {len(places) - 5} more"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
