"""What two parts of mlc.yaml say of each other: it is asked of the text, so that other mistakes do not hide it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlc_dagster.core.near_names import nearest
from mlc_dagster.settings.mistakes import Mistake, Place, found


def mistakes(content: Any) -> Iterator[Mistake]:
    """Companies that are named somewhere and do not stand under `companies`."""
    companies = [str(code) for code in _section(content, "companies")]
    for path, code in _named(content):
        if companies and code and code not in companies:
            near = [each for each in companies if each.lstrip("0") == code.lstrip("0")] or nearest(code, companies)
            offer = f"; nearest: {', '.join(near)}" if near else ""
            cure = f"expected one of `companies`: {', '.join(companies)}{offer}"
            yield Mistake(path, f"{found(path, code)}; {cure}")


def _named(content: Any) -> Iterator[tuple[Place, str]]:
    """(path, company code) wherever a setting names one."""
    code = _section(content, "hubspot").get("company_code")
    if isinstance(code, str):
        yield ("hubspot", "company_code"), code.strip()
    places = _section(content, "procurify").get("companies_by_location")
    for place, code in (places if isinstance(places, dict) else {}).items():
        yield ("procurify", "companies_by_location", place), str(code).strip()


def _section(content: Any, name: str) -> dict[Any, Any]:
    section = content.get(name) if isinstance(content, dict) else None
    return section if isinstance(section, dict) else {}
