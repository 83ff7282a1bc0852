"""What stands in the sandbox when it starts, and the settings and secrets that fit it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.sandbox.profiles import Choice
from mlc_dagster.sandbox.registry import choices_of, parts
from mlc_dagster.sandbox.seed.books import COMPANIES
from mlc_dagster.sandbox.seed.partners import DAYS as DAYS
from mlc_dagster.sandbox.seed.partners import Season


def demo_settings(
    url: str, today: date | None = None, days: int = DAYS, profiles: Sequence[str] = ()
) -> dict[str, Any]:
    """The content of mlc.yaml for a sandbox at `url` with the demo seed of those days; its scalars are text.

    `profiles`: those that it serves, with what mlc.yaml says of such tenants. Raises Misconfigured for an unknown one.
    """
    choices = choices_of(profiles)
    first = (today or datetime.now(UTC).date()) - timedelta(days=days - 1)
    sections = {name: _merged(part.settings(url), choices[name].settings) for name, part in parts().items()}
    return {"partitions_start": first.isoformat(), "companies": _companies(choices.values()), **sections}


ALIKE = ("actions",)
"""What mlc.yaml says of an entity set whatever the tenant's names: where it has other ones, the rest is not of it."""


def _merged(usual: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What is chosen counts; of the tenant's entity sets what it does not say of one stays, as far as it is of it."""
    merged = copy.deepcopy({**usual, **chosen})
    for name, said in copy.deepcopy(dict(usual.get("entity_sets", {}))).items():
        kept = {part: value for part, value in said.items() if part in ALIKE or "catalogue" not in chosen}
        if kept:
            sets = merged.setdefault("entity_sets", {})
            sets[name] = {**kept, **sets.get(name, {})}
    return merged


def _companies(choices: Iterable[Choice]) -> dict[str, Any]:
    said = {name: value for choice in choices for name, value in choice.company.items()}
    return {
        code: {
            "currency": company["currency"],
            "decimals": str(company["decimals"]),
            **said,
            **{name: dict(part.companies[code]) for name, part in parts().items() if code in part.companies},
        }
        for code, company in COMPANIES.items()
    }


def demo_secrets() -> dict[str, str]:
    """Name -> value of all that the sandbox asks for: known to everybody."""
    return {name: value for part in parts().values() for name, value in part.secrets.items()}


def sow(seed: str, today: date, systems: Mapping[str, Any], days: int = DAYS) -> dict[str, list[str]]:
    """Fill all systems; flaw -> the keys of the records that have it. Raises ValueError for a seed that there is not.

    The same for every `today`, but for the dates: the `days` up to and including it.
    """
    if seed == "empty":
        return {}
    if seed != "demo":
        raise ValueError(f'seed is "empty" or "demo"; found {seed!r}')
    season = Season(today, Random(20261121), days=days)
    for name, part in parts().items():  # the ERP first
        part.sow(systems[name], season, systems[ERP])
    return season.flaws
