"""`mlc discover ifs`: from what a tenant tells of itself to a proposal for mlc.yaml. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.discover.entity_sets import Absent, FoundSet, find_all
from mlc_dagster.systems.ifs.discover.flows_off import flows_of_fields, flows_of_sets, flows_off
from mlc_dagster.systems.ifs.discover.known_names import ENTITY_SERVICES
from mlc_dagster.systems.ifs.discover.preset_choice import preset_for, proposed_by
from mlc_dagster.systems.ifs.discover.proposal import absent_set, doubtful_set, found_set
from mlc_dagster.systems.ifs.discover.proposed_fields import Circumstances
from mlc_dagster.systems.ifs.discover.sampling import Sample, sampled
from mlc_dagster.systems.ifs.discover.services import Services
from mlc_dagster.systems.ifs.discover.sites import site_lines, sites_of, without_site
from mlc_dagster.systems.ifs.settings import SURFACES, IfsSettings, Preset
from mlc_dagster.systems.shared.discovery import CodesInUse, Discovery
from mlc_dagster.systems.shared.findings import Finding, Question, budget
from mlc_dagster.systems.shared.yaml_lines import YamlLine, page
from mlc_dagster.transport.threads import in_order

TITLE = (
    "Proposed by `mlc discover ifs`. Nothing was changed, here or in IFS.",
    "Put it under `ifs:` of mlc.yaml, in the place of catalogue and entity_sets there; then: mlc check && mlc ping",
    "A line that stands here matched by exact name and type; its type, or what it rests on, is beside it.",
    "A commented line with a question mark did not: put the question to the tenant's administrator first.",
)


def discover_ifs(question: Question, flows: Sequence[Flow], codes: CodesInUse | None = None) -> Discovery:
    """The proposal for this tenant. `flows`: those of the house, to say which of them an absent set switches off.
    `codes`: its own, which a SaaS is asked about; nothing here rests on them.

    Raises AccessDenied where the sign-in fails, TransientError where nobody answers, Misconfigured.
    """
    section = question.section(IfsSettings)
    services = _services(section, *question.secrets)
    services.begin()
    pairs = list(in_order(lambda one: sampled(one, services), find_all(services), section.in_flight))
    sites = {} if section.sites else sites_of([one for one, _ in pairs], services)
    pairs = [(without_site(one, section.sites or sites), sample) for one, sample in pairs]
    found = [one for one, _ in pairs]
    about = _circumstances(question, section, flows, services)
    sets = list(_sets(pairs, about))
    proposed = proposed_by(sets)
    preset = preset_for(found, proposed)
    said = {"entity_sets": proposed, "catalogue": preset, "sites": section.sites or sites}
    off = flows_off(flows, ifs.catalogue_for(section.model_copy(update=said)), section)
    lines = [*_begin(services, preset, sites), *sets, *_off(off)]
    told = [_catalogue_line(services), *(_finding(one, sample, about) for one, sample in pairs), _flows_line(off)]
    return Discovery(page(lines), tuple(told))


def _services(section: IfsSettings, client_id: str, client_secret: str) -> Services:
    """What mlc.yaml says of entity sets is not asked: a proposal takes its place."""
    fresh = section.model_copy(update={"entity_sets": {}})
    api = ifs_client(fresh, client_id, client_secret, budget, tries=2).api
    surfaces = {"main": section.surface, ENTITY_SERVICES: SURFACES[ENTITY_SERVICES]}
    return Services(api, section.base_url, surfaces, section.in_flight)


def _circumstances(
    question: Question, section: IfsSettings, flows: Sequence[Flow], services: Services
) -> Circumstances:
    return Circumstances(
        tuple(question.settings.companies),
        flows_of_sets(flows, section),
        flows_of_fields(flows),
        section.surface == SURFACES["main"],
        services.catalogue.names is not None,
    )


# --- the page and the summary ---------------------------------------------------------------------------------------


def _begin(services: Services, preset: Preset, sites: Mapping[str, str]) -> Iterator[YamlLine]:
    yield from (YamlLine(1, "", words) for words in TITLE)
    if services.catalogue.names is None:
        yield YamlLine(
            1, "", f"The service catalogue was not read, so known names were asked: {services.catalogue.why}"
        )
    else:
        yield YamlLine(1, "", f"The service catalogue lists {len(services.catalogue.names):,} projections.")
    yield YamlLine(1, f"catalogue: {preset}", "the nearest names; all that this tenant has is said below")
    yield from site_lines(sites)
    yield YamlLine(1, "entity_sets:")


def _sets(found: Iterable[tuple[FoundSet | Absent, Sample]], about: Circumstances) -> Iterator[YamlLine]:
    for one, sample in found:
        if isinstance(one, Absent):
            yield from absent_set(one, about)
        elif one.doubt or sample.rows is None:
            yield from doubtful_set(one, sample, about)
        else:
            yield from found_set(one, sample, about)


def _off(flows: Mapping[str, str]) -> Iterator[YamlLine]:
    if flows:
        yield YamlLine(1, "", "With this, these flows are off until what they lack is named (mlc flows):")
        yield from (YamlLine(1, "", f"- {name}: {why}") for name, why in flows.items())


def _flows_line(off: Mapping[str, str]) -> Finding:
    words = f"off, by what this tenant lacks: {', '.join(off)}" if off else "none is off by what this tenant lacks"
    return Finding("ifs", "flows", not off, words)


def _catalogue_line(services: Services) -> Finding:
    names = services.catalogue.names
    if names is None:
        return Finding("ifs", "service catalogue", False, f"not read, known names were asked: {services.catalogue.why}")
    return Finding("ifs", "service catalogue", True, f"{len(names):,} projections")


def _finding(one: FoundSet | Absent, sample: Sample, about: Circumstances) -> Finding:
    entity = one.known.entity
    if isinstance(one, Absent):
        return Finding("ifs", entity.name, False, f"absent: {one.why[0]}; {about.switches_off(entity)}")
    if one.doubt or sample.rows is None:
        doubt = one.doubt or sample.why
        return Finding(
            "ifs", entity.name, False, f"maybe {one.place}: {doubt}; until then it {about.switches_off(entity)}"
        )
    exact = sum(each.is_exact for each in one.fields.values())
    rows = "a row was read" if sample.rows else "0 rows: empty, or no company of it is visible"
    return Finding("ifs", entity.name, True, f"{one.place}: key exact, {exact} of {len(one.fields)} fields; {rows}")
