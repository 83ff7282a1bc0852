"""Profiles: the kinds of tenants and accounts that a system may turn out to be, and how one is chosen by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered


@dataclass(frozen=True)
class Profile:
    """One kind of tenant: what is different from the usual one, and what mlc.yaml says of it."""

    stands_for: str  # one sentence: who has such a tenant
    traits: Mapping[str, Any] = field(default_factory=dict)  # a field of the system's traits: its value
    settings: Mapping[str, Any] = field(default_factory=dict)  # over the section that the sandbox gives for mlc.yaml
    company: Mapping[str, Any] = field(default_factory=dict)  # what mlc.yaml says of each company beside


@dataclass(frozen=True)
class Choice:
    """What was chosen of one system: its traits, and what mlc.yaml says then, of it and of each company."""

    traits: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    company: Mapping[str, Any] = field(default_factory=dict)


Usual = Mapping[str, tuple[Any, Mapping[str, Profile]]]
"""System -> its usual traits (a frozen dataclass; None: it has none to choose) and its profiles."""


def chosen(names: Iterable[str], usual: Usual) -> dict[str, Choice]:
    """System -> choice. A name is `ifs.pages`, or a single trait: `ifs.count=false`, which counts over a profile's.

    Raises Misconfigured for a name that there is not, and for two profiles that change the same trait.
    """
    changed: dict[str, dict[str, str]] = {}  # system -> trait -> the profile that changed it
    choices = {system: Choice(traits) for system, (traits, _) in usual.items()}
    ordered = sorted(names, key=lambda name: "=" in name)
    for name in ordered:
        system, _, rest = name.strip().partition(".")
        traits, profiles = usual.get(system, (None, {}))
        if "=" in rest:
            profile = Profile("", _trait(name, rest, traits))
        elif rest in profiles:
            profile = profiles[rest]
            _refuse_two(name, changed.setdefault(system, {}), profile)
        else:
            raise _no_profile(name, usual)
        choices[system] = _with(choices[system], profile)
    return choices


def listed(usual: Usual) -> str:
    """One line for each profile, for a person: `ifs.pages   a tenant that ...`."""
    found = [(f"{system}.{name}", each.stands_for) for system, name, each in _every(usual)]
    width = max((len(name) for name, _ in found), default=0)
    return "\n".join(f"{name:<{width}}  {stands_for}" for name, stands_for in found)


def _every(usual: Usual) -> Iterable[tuple[str, str, Profile]]:
    for system, (_, profiles) in usual.items():
        yield from ((system, name, profile) for name, profile in profiles.items())


def _with(choice: Choice, profile: Profile) -> Choice:
    traits = replace(choice.traits, **profile.traits) if profile.traits else choice.traits
    return Choice(traits, {**choice.settings, **profile.settings}, {**choice.company, **profile.company})


def _refuse_two(name: str, changed: dict[str, str], profile: Profile) -> None:
    for trait in (*profile.traits, *profile.settings):
        if (other := changed.setdefault(trait, name)) != name:
            raise Misconfigured(f"the profiles {other} and {name} both say what {trait} is", cure="Give one of them.")


def _no_profile(name: str, usual: Usual) -> Misconfigured:
    known = [f"{system}.{each}" for system, each, _ in _every(usual)]
    words = f"the sandbox has no profile {name}{offered(name, known)}"
    return Misconfigured(words, cure=f"There is: {', '.join(known)}; or a single trait, such as ifs.count=false")


def _trait(name: str, text: str, traits: Any) -> dict[str, Any]:
    """One trait by its name. Raises Misconfigured where the system has none of it, or the value is of no such kind."""
    trait, _, value = text.partition("=")
    usual = {each.name: getattr(traits, each.name) for each in fields(traits)} if traits is not None else {}
    simple = [each for each, found in usual.items() if isinstance(found, str | bool | int | float)]
    if trait not in simple:
        cure = f"There is: {', '.join(simple) or 'none'}"
        raise Misconfigured(f"found --profile {name}, and no such trait{offered(trait, simple)}", cure=cure)
    return {trait: _value(name, value, usual[trait])}


def _value(name: str, text: str, usual: Any) -> Any:
    if isinstance(usual, str) or (isinstance(usual, bool) and text not in ("true", "false")):
        return text
    if isinstance(usual, bool):
        return text == "true"
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise Misconfigured(f"found --profile {name}; expected a number such as {usual}") from None
