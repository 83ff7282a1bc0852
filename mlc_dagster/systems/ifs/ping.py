"""What a ping asks of IFS: sign-in, each entity set against the tenant's $metadata and with one row, clock, rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from mlc_dagster.core.errors import Misconfigured, MlcError, RecordRejected
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.external_records import ways_for
from mlc_dagster.systems.ifs.ping_books import ask_books
from mlc_dagster.systems.ifs.ping_stamps import ask_stamps
from mlc_dagster.systems.ifs.ping_writing import ask_writing
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.schema.metadata import SchemaReport
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.shared.findings import NOT_SIGNED_IN, Finding, Question, budget, clock, rate, refused, wrong
from mlc_dagster.transport.threads import in_order

FEW = 5  # names of the tenant that may be told all at once
Asked = tuple[Finding, MlcError | None]
"""Of an entity set: what is told, and why nothing was read of it."""


def ask_ifs(question: Question) -> Iterator[Finding]:
    """Signed in is who was answered with a token: that one was given out proves nothing."""
    section, (client_id, client_secret) = question.section(IfsSettings), question.secrets
    try:
        every = list(ifs.catalogue_for(section).values())
        catalogue = [entity for entity in every if not entity.is_off]
        client = ifs_client(section, client_id, client_secret, budget, tries=2)
    except MlcError as error:
        yield refused("ifs", "mlc.yaml", error)
        return
    if not catalogue:
        yield wrong("ifs", "mlc.yaml", "every entity set is null: nothing is read of IFS", "Name one: ifs.entity_sets")
        return
    first = _entity_set(client, catalogue[0])
    if first[1] and NOT_SIGNED_IN.search(first[1].message):
        yield refused("ifs", "sign-in", first[1])
        return
    rest = in_order(lambda entity: _entity_set(client, entity), catalogue[1:], section.in_flight)
    asked = [first, *rest]
    errors = [error for _, error in asked if error]
    if len(errors) < len(asked):
        yield Finding("ifs", "sign-in", True, f"client {client_id} at {section.base_url}")
    else:
        yield _nothing_read(errors[0])
    if len(errors) < len(asked) or any(not isinstance(error, Misconfigured) for error in errors):
        yield from (finding for finding, _ in asked)
        yield from (_off(entity) for entity in every if entity.is_off)
    readable = {entity.name for entity, (finding, _) in zip(catalogue, asked, strict=True) if finding.ok}
    yield from ask_books(
        client, [entity for entity in catalogue if entity.name in readable], question.settings, section.in_flight
    )
    if readable:
        yield from ask_writing(client, {entity.name: entity for entity in every}, ways_for(section))
    yield from clock("ifs", client.api)
    yield from ask_stamps(client, [entity for entity in catalogue if entity.name in readable])
    yield rate("ifs", (), f"{section.requests_per_minute} calls a minute")


def _nothing_read(error: MlcError) -> Finding:
    """A token, and no answer with it: then what each entity set could be called matters little."""
    fault = f"a token was given out, and no entity set could be read with it: {error.message}"
    cure = "Check ifs.base_url, ifs.surface and the realm in ifs.token_url, and the service account's rights in IFS."
    return wrong("ifs", "sign-in", fault, cure)


def _entity_set(client: IfsClient, entity: EntitySet) -> Asked:
    what = f"{entity.projection}/{entity.path}"
    try:
        report = client.schema_report(entity, aloud=False)
        if report.gone:
            return wrong("ifs", what, *_gone(entity, report)), None
        rows = client.find(entity, most=1)
    except RecordRejected as error:
        cure = f"Check ifs.entity_sets.{entity.name} in mlc.yaml against the tenant's API explorer."
        return wrong("ifs", what, error.message, error.cure or cure), error
    except MlcError as error:
        return refused("ifs", what, error), error
    return Finding("ifs", what, True, _reads(report, "" if rows else _empty(entity), _absent(entity))), None


def _empty(entity: EntitySet) -> str:
    """IFS answers 200 and an empty list for what a user may not see, as for what is not there."""
    words = "no row is there, or the service user may see none"
    if entity.name == ifs.POSTING_PROPOSALS.name:
        return f"{words}: IFS shows a posting proposal to who may authorise it, and only while it is not finally posted"
    return words


def _off(entity: EntitySet) -> Finding:
    """No fault: a tenant without posting proposals, say, is an ordinary one. Which flows that switches off is told
    beside the SaaS that they are of.
    """
    if entity.name == ifs.POSTED_VOUCHERS.name:
        words = (
            "off: a voucher that was deleted from the hold table cannot be told from one that was posted. Name the set "
            f"of posted vouchers, where the tenant has one: ifs.entity_sets.{entity.name}.set"
        )
        return Finding("ifs", entity.name, True, words)
    words = f"off: mlc.yaml, or its catalogue, says that this tenant has none (ifs.entity_sets.{entity.name}.set)"
    return Finding("ifs", entity.name, True, words)


def _absent(entity: EntitySet) -> str:
    """Fields that are not asked for, and so empty in every record; the stamp is none of them, since days are by it."""
    lines = entity.lines.absent if entity.lines else ()
    names = sorted({*entity.absent - {"last_modified"}, *(f"lines.{name}" for name in lines)})
    told = f"not there by mlc.yaml or its catalogue, and empty in every record: {', '.join(names)}" if names else ""
    by = "" if entity.modified or entity.partition != "day" else "without a stamp: what changed is found by a sweep"
    return "; ".join(each for each in (by, told) if each)


def _gone(entity: EntitySet, report: SchemaReport) -> tuple[str, str]:
    """The fault and its cure: the record's fields, what they are called here, and where mlc.yaml names them."""
    names = {name: _on_wire(entity, name) for name in report.gone}
    fault = f"the tenant has no {', '.join(f'{wire} ({name})' for name, wire in names.items())}"
    places = {"lines.fields" if name.startswith("lines.") else "fields" for name in names}
    where = " and ".join(f"ifs.entity_sets.{entity.name}.{place}" for place in sorted(places))
    return fault, f"Name them in mlc.yaml: {where}{_instead(list(names.values()), report.new)}"


def _on_wire(entity: EntitySet, name: str) -> str:
    lines = entity.lines
    if lines and name.startswith("lines."):
        return wire_name(name.removeprefix("lines."), lines.wire)
    return wire_name(name, entity.wire)


def _instead(gone: Sequence[str], new: Sequence[str]) -> str:
    """What the tenant may call them: all its other names where they are few, else those that are alike."""
    alike = [name for each in gone for name in get_close_matches(each, new, n=3)]
    told = list(new) if len(new) <= FEW else list(dict.fromkeys(alike))
    return f". No field reads its {', '.join(told)}" if told else ""


def _reads(report: SchemaReport, *more: str) -> str:
    """A field of another type is told and is no fault: a number as text is read too, and what is not is held."""
    changed = ", ".join(f"{name} is {found} (usual: {usual})" for name, (usual, found) in report.changed.items())
    untold = f"its fields are not compared: {report.untold}" if report.untold else ""
    return "; ".join(each for each in ("reads", untold, changed, *more) if each)
