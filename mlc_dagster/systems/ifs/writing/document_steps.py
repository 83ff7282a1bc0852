"""A header and its lines as the steps of one change set, and the answers to them as the row that the tenant keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Row
from mlc_dagster.systems.ifs.odata.changesets import Step, StepAnswer
from mlc_dagster.systems.ifs.odata.expressions import key_path
from mlc_dagster.systems.ifs.odata.json_pages import PageDecoder
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.writing.document_references import short

TODAY = "today"
"""The constant of mlc.yaml that stands for the day of the create: `CreationDate: today`."""


class NoSuchActionError(RecordRejected):
    """mlc.yaml names no action that leads to the state, or one that IFS does not have: nothing was changed."""


def on_wire(entity: EntitySet | LineSet, values: Mapping[str, Any]) -> dict[str, Any]:
    """Record fields under the tenant's names, but for those that the set does not have.

    Raises ValueError for a field that the record does not have.
    """
    if unknown := sorted(set(values) - set(entity.record.__struct_fields__)):
        raise ValueError(f"{entity.path} has no field {', '.join(unknown)}")
    gone = entity.absent if isinstance(entity, LineSet) else entity.not_selected
    return {wire_name(name, entity.wire): value for name, value in values.items() if name not in gone}


def created(entity: EntitySet, values: Mapping[str, Any], on: date) -> dict[str, Any]:
    """The body of a create: the tenant's constants, below what the record says. `on`: the day, for TODAY."""
    constants = {name: on.isoformat() if said == TODAY else said for name, said in entity.constants.items()}
    return {**constants, **on_wire(entity, values)}


def change(entity: EntitySet, key: Mapping[str, object], changes: Mapping[str, Any], etag: str) -> Step:
    """The step that changes fields of the version that the ETag names."""
    return Step("PATCH", key_path(entity, key), on_wire(entity, changes), etag)


def action_path(entity: EntitySet, key: Mapping[str, object], action: str) -> str:
    """Below its service: `PostingProposalHeadSet(...)/IfsApp.PostingProposalHandling.PostingProposalHead_Cancel`."""
    return f"{key_path(entity, key)}/IfsApp.{entity.projection}.{action}"


def transition(entity: EntitySet, key: Mapping[str, object], state: str, etag: str) -> Step:
    """The step that leads a row to a state, by its bound action. Raises NoSuchActionError where none is named."""
    return Step("POST", action_path(entity, key, action_to(entity, state)), {}, etag)


def action_to(entity: EntitySet, state: str) -> str:
    """The bound action that leads to a state; a PATCH of the state is answered 200 by IFS, and ignored."""
    if action := entity.actions.get(state):
        return action
    where = f"ifs.entity_sets.{entity.name}.actions"
    raise NoSuchActionError(
        f"IFS changes states by bound actions, and mlc.yaml names none that leads {entity.path} to {state}. Name it "
        f"under {where} ({state}: <Entity>_<Action>, from $metadata of {entity.projection}), or do it in IFS by hand."
    )


def correct(entity: EntitySet, state: str) -> str:
    """What to do where an action does not lead where it should."""
    return f"Correct ifs.entity_sets.{entity.name}.actions.{state} in mlc.yaml, or do it in IFS by hand."


def creation(entity: EntitySet, row: Mapping[str, Any], number: int, on: date) -> list[Step]:
    """The steps that make a header and then its lines, numbered from 1. `number` is the header's own among all steps.

    What is None is left out, for the tenant to fill in.
    """
    lines = entity.lines
    header = {name: value for name, value in row.items() if value is not None and not (lines and name == lines.field)}
    steps = [Step("POST", entity.path, created(entity, header, on))]
    if lines:
        is_on_rows = "external_ref" in lines.record.__struct_fields__
        reference = {"external_ref": short(row.get("external_ref") or "") or None} if is_on_rows else {}
        given = [{**reference, **line} for line in row.get(lines.field) or ()]
        bodies = _numbered(entity, lines, given)
        steps += [Step("POST", f"${number}/{lines.navigation}", body) for body in bodies]
    return steps


def elements_of(entity: EntitySet, row: Mapping[str, Any]) -> int:
    """How many steps `creation` makes of a row: its header and its lines."""
    return 1 + (len(row.get(entity.lines.field) or ()) if entity.lines else 0)


def _numbered(entity: EntitySet, lines: LineSet, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The bodies of lines, numbered from 1 by the key after those of the header: row_no, row_id, line_no."""
    counted = lines.keys[len(entity.keys)]
    is_whole = any(
        one.name == counted and one.kind == pa.int64()
        for one in PageDecoder(lines.record, lines.wire, gone=lines.absent).columns
    )
    told = [{name: value for name, value in line.items() if value is not None} for line in given]
    return [on_wire(lines, {**line, counted: place if is_whole else str(place)}) for place, line in enumerate(told, 1)]


def kept(entity: EntitySet, answers: Sequence[StepAnswer]) -> Row:
    """The row with its lines, as the tenant answered the steps of `creation`. Raises ValueError where it did not."""
    header, *below = answers
    row = PageDecoder.of(entity, expand=False).row(header.body)
    if entity.lines:
        reader = PageDecoder(entity.lines.record, entity.lines.wire, gone=entity.lines.absent)
        row[entity.lines.field] = [reader.row(answer.body) for answer in below]
    return row
