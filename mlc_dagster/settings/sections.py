"""What systems add to mlc.yaml: a section for each connection, what they say of a company, whose webhooks there are.

The section `hubspot:` is the connection `hubspot`; `hubspot_us: {system: hubspot, ...}` is another one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import Field, create_model

from mlc_dagster.core.near_names import nearest, offered
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.settings.mistakes import Mistake, Place, found, shown_name
from mlc_dagster.settings.model import CompanySettings, Settings, SiteSettings
from mlc_dagster.settings.section import OUR_NAME, Section, SystemConnection
from mlc_dagster.settings.web import WebhookSource, WebSettings

Model = TypeVar("Model", bound=Section)


@dataclass(frozen=True)
class SystemSection:
    """What one system adds."""

    title: str  # "HubSpot"
    section: type[SystemConnection]
    company: type[Section] | None = None  # what it calls a company
    webhooks: type[WebhookSource] | None = None  # how it proves itself; None: it sends none
    site: type[Section] | None = None  # what it calls a site of a company


RESERVED = ("ledger", "storage", "chart_of_accounts", "purge_runs", "daily_word", "plan")
"""Names of resources and jobs in Dagster, where each connection has one of its own name."""
NAMED_BESIDE = (Settings, CompanySettings, WebSettings)
"""Models in which a connection's name stands beside other fields."""

Sections = Mapping[str, SystemSection]
"""System -> what it adds, in the order of mlc.example.yaml; the ERP is one of them."""


def connections_in(content: Any, sections: Sections) -> dict[str, str]:
    """SystemConnection -> system: every system under its own name, then those that the file gives other names."""
    return {**{name: name for name in sections}, **dict(_named_otherwise(content, sections))}


def model_for(content: Any, sections: Sections) -> type[Settings]:
    """The model of a file with these connections."""
    return _model(tuple(connections_in(content, sections).items()), tuple(sections.items()))


def mistakes_of(content: Any, sections: Sections) -> Iterator[Mistake]:
    """What pydantic cannot know: of connections and of companies; asked of the text, so that nothing hides it."""
    yield from _strange_connections(content, sections)
    companies = [str(code) for code in _section(content, "companies")]
    for path, code in _companies_named(content, sections):
        if companies and code and code not in companies:
            near = [each for each in companies if each.lstrip("0") == code.lstrip("0")] or nearest(code, companies)
            offer = f"; nearest: {', '.join(near)}" if near else ""
            yield Mistake(path, f"{found(path, code)}; expected one of `companies`: {', '.join(companies)}{offer}")


@cache
def _model(connections: tuple[tuple[str, str], ...], sections: tuple[tuple[str, SystemSection], ...]) -> type[Settings]:
    kinds, names = dict(sections), dict(connections)
    fields: dict[str, Any] = {name: _field(kinds[system], system) for name, system in connections}
    company = {name: kind for name, system in connections if (kind := kinds[system].company)}
    web = {name: kind for name, system in connections if (kind := kinds[system].webhooks)}
    site = {name: kind for name, system in connections if (kind := kinds[system].site)}
    of_site, of_web = _with(SiteSettings, site, {}), web_model(web)
    sites: Any = (dict[str, of_site], _like(CompanySettings, "sites"))  # type: ignore[valid-type]
    of_company = _with(CompanySettings, company, {"sites": sites})
    fields["companies"] = (dict[str, of_company], Field(min_length=1))  # type: ignore[valid-type]
    fields["web"] = (of_web, of_web())
    made = create_model("Settings", __base__=Settings, __doc__=Settings.__doc__, **fields)
    made.systems = names
    return made


def web_model(sources: Mapping[str, type[WebhookSource]]) -> type[WebSettings]:
    """`web:` for the connections whose webhooks can be taken."""
    names: Any = Literal[tuple(sources)]
    listed = (tuple[names, ...], _like(WebSettings, "sources"))
    return _with(WebSettings, sources, {"sources": listed} if sources else {})


def _field(kind: SystemSection, system: str) -> tuple[Any, Any]:
    if system == ERP:
        return (kind.section, ...)
    return (kind.section | None, Field(None, description=f"Leave it out to switch {kind.title} off"))


def _with(model: type[Model], fields: Mapping[str, type[Section]], others: Mapping[str, Any]) -> type[Model]:
    """The model with a section more for each connection, each with its defaults."""
    more: Any = {**{name: (kind, kind()) for name, kind in fields.items()}, **others}
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **more)


def _like(model: type[Section], name: str) -> Any:
    """A field with the default and the description of the one that it takes the place of."""
    was = model.model_fields[name]
    if was.default_factory is not None:
        return Field(default_factory=was.default_factory, description=was.description)
    return Field(was.default, description=was.description)


def _named_otherwise(content: Any, sections: Sections) -> Iterator[tuple[str, str]]:
    for name, section in (content if isinstance(content, dict) else {}).items():
        system = section.get("system") if isinstance(section, dict) else None
        if system in sections and system != ERP and _is_free(str(name), sections):
            yield str(name), str(system)


def is_taken(name: str) -> bool:
    """Whether a connection of this name would take the place of something else: a part of the file, of a company or of
    `web:`, a resource or a job of Dagster's.
    """
    return name in RESERVED or any(hasattr(kind, name) or name in kind.model_fields for kind in NAMED_BESIDE)


def _is_free(name: str, sections: Sections) -> bool:
    return name not in sections and not is_taken(name) and bool(re.match(OUR_NAME, name))


def _strange_connections(content: Any, sections: Sections) -> Iterator[Mistake]:
    """Sections with a `system` that is none, or under a name that cannot be a connection's."""
    for name, section in (content if isinstance(content, dict) else {}).items():
        system = section.get("system") if isinstance(section, dict) else None
        if not system or system == name:
            continue
        path: Place = (str(name), "system")
        if system not in sections or system == ERP:
            known = [each for each in sections if each != ERP]
            words = f"expected one of {', '.join(known)}{offered(str(system), known)}"
            yield Mistake(path, f"{found(path, system)}; {words}. One mlc.yaml is one ERP")
        elif not _is_free(str(name), sections):
            yield Mistake(
                (str(name),),
                f"{shown_name(str(name))} cannot name a connection to {system}; expected such as {system}_us",
            )


def _companies_named(content: Any, sections: Sections) -> Iterator[tuple[Place, str]]:
    """(path, company code) wherever a setting names one."""
    for connection, system in connections_in(content, sections).items():
        for setting in sections[system].section.names_companies:
            value = _section(content, connection).get(setting)
            if isinstance(value, str):
                yield (connection, setting), value.strip()
            for place, code in (value if isinstance(value, dict) else {}).items():
                yield (connection, setting, place), str(code).strip()


def _section(content: Any, name: str) -> dict[Any, Any]:
    section = content.get(name) if isinstance(content, dict) else None
    return section if isinstance(section, dict) else {}
