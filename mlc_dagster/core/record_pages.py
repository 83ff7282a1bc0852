"""Where people see a record in its own system: an address with places in braces, as mlc.yaml gives it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from mlc_dagster.core.outcomes import Saved
from mlc_dagster.core.vocabulary import EntitySet, key_parts

PLACE = re.compile(r"\{([^{}]*)\}")
OF_A_TARGET = ("id", "number", "key")
"""What an address of a target may name: its own id, the number that people know, and the key of our record."""


def places(page: str) -> list[str]:
    """The names in braces: "https://acme.ifs.cloud/...{order_no}" has order_no."""
    return PLACE.findall(page)


def listed(page: str) -> str:
    """The address before its first place: where all of them are, or the way there."""
    return page.partition("{")[0]


def filled(page: str, values: Mapping[str, str]) -> str:
    """No character of a value acts in the address."""
    return PLACE.sub(lambda found: quote(values.get(found[1], ""), safe=""), page)


def page_of_source(entity: EntitySet, key: str) -> str:
    """Of a record by its key; empty where no address is given. Its places: the fields of the key, and `key`."""
    if not entity.page:
        return ""
    parts = dict(zip(entity.keys, key_parts(key, len(entity.keys)), strict=False))
    return filled(entity.page, {"key": key, **parts})


def with_page(page: str, saved: Saved) -> Saved:
    """What the target did not tell itself."""
    if saved.link or not page:
        return saved
    values = {"id": saved.remote_id, "number": saved.detail, "key": saved.draft.key}
    return replace(saved, link=filled(page, values))
