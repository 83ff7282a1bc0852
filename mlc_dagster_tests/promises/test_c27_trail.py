"""C27: a line of the trail that is edited or deleted is named; the trail tells what the target's own journal tells."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Attempt, Event
from mlc_dagster_tests.ledger.test_verifying import attack
from mlc_dagster_tests.promises.kinds import KINDS, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Rooms, attempts_of
from mlc_dagster_tests.promises.seeds import seed

ATTACKS = 20


@pytest.fixture(scope="module")
def mixed(rooms_of: Callable[[Kind], Rooms], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a ledger after a run of suppliers and one of their purchases."""
    kind = next(kind for kind in KINDS if kind.flow == "cin7/purchases")
    with rooms_of(kind).room() as room:
        room.run("mixed")
        place = tmp_path_factory.mktemp("trail") / "ledger.db"
        shutil.copy(room.database.removeprefix("sqlite:///"), place)
    return str(place)


@pytest.mark.promise("C27", "lines picked at random, edited or deleted, and `mlc audit verify`", times=ATTACKS)
def test_c27_a_line_that_was_edited_or_deleted_is_named(mixed: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    verified(mixed, monkeypatch, 0, "intact")
    for number in range(ATTACKS):
        dice, place = random.Random(seed(number)), str(tmp_path / f"{number}.db")
        shutil.copy(mixed, place)
        with Ledger.open(f"sqlite:///{place}") as ledger:
            lines = attempts_of(ledger, "cin7/purchases")
            line = dice.choice(lines[:-1] if number % 2 else lines)
            column, value = dice.choice(EDITS)
            deleted, edited = (
                f"DELETE FROM attempts WHERE id = {line.id}",
                f"UPDATE attempts SET {column} = '{value}' WHERE id = {line.id}",
            )
            attack(ledger, deleted if number % 2 else edited)
        place_in_chain = lines.index(line) + 1
        verified(place, monkeypatch, 1, "NOT intact", "cin7/purchases", str(place_in_chain))


EDITS = (("detail", "PO-99999"), ("run_id", "another"), ("version", "2099"), ("remote_id", "x"), ("at", "2020-01-01"))


def verified(place: str, monkeypatch: Any, code: int, *words: str) -> None:
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{place}")
    result = CliRunner().invoke(app, ["audit", "verify"])
    assert result.exit_code == code, result.output
    assert all(re.search(rf"\b{re.escape(word)}\b", result.output) for word in words), (words, result.output)


@pytest.mark.promise(
    "C27", "each kind of flow, answers lost on the way: the trail against the target's journal", times=1
)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_c27_the_trail_tells_what_the_targets_journal_tells(kind: Kind, rooms_of: Callable[[Kind], Rooms]) -> None:
    with rooms_of(kind).room() as room:
        for verb in ("POST", "PUT", "PATCH"):
            room.box.faults.add(system=kind.system, method=verb, path="", drop="after", times=1, share=0.3)
        room.run("first")
        room.box.faults.clear()
        room.run("second")
        trails = room.trails()
        written = {key for entry in room.box.journal(kind.system) for key in keys_of(kind, entry, trails)}
    delivered = {key for key, lines in trails.items() if any(line.event in DELIVERED for line in lines)}
    sent = {key for key, lines in trails.items() if any(line.event is Event.SENT for line in lines)}
    assert written == delivered == sent, "what was written is in the trail, and what the trail tells was written"


def keys_of(kind: Kind, entry: dict[str, Any], trails: dict[str, list[Attempt]]) -> Iterator[str]:
    """The records that a write of the journal is about; fails where the trail knows of none."""
    if "properties/" in entry["path"] or entry["path"].endswith("create_column"):
        return  # the schema: no record
    names = list(NAMES[kind.system](kind, entry))
    for name in names:
        found = [key for key, lines in trails.items() if name == key or name in _remote_ids(lines)]
        assert found, f"{entry['method']} {entry['path']}: the trail knows of no {name}"
        yield from found


def _remote_ids(lines: list[Attempt]) -> set[str]:
    """Those that the trail names; a Cin7 invoice is the purchase's id and its own."""
    whole = {line.remote_id for line in lines if line.remote_id}
    return whole | {each.split("/")[0] for each in whole if each.count("-") > 4}


def _of_ifs(kind: Kind, entry: dict[str, Any]) -> list[str]:
    """A line is its header's: the key without the last part."""
    return [entry["id"].rpartition("/")[0] if re.search(r"\)/\w+$", entry["path"]) else entry["id"]]


def _of_hubspot(kind: Kind, entry: dict[str, Any]) -> list[str]:
    """INVOICE/0010/1; a line item is LINE/0010/1/1, of an invoice; an association begins or ends at the record."""
    if "/associations/" in entry["path"]:
        end = "from" if f"2026-09/{OBJECT[kind.flow]}/" in entry["path"] else "to"
        return [each[end]["id"] for each in entry["body"]["inputs"]]
    ids = [str(each["id"]).partition("/")[2] or str(each["id"]) for each in entry["body"]["inputs"]]
    return [each.rpartition("/")[0] for each in ids] if "/line_items/" in entry["path"] else ids


OBJECT = {"hubspot/supplier_companies": "companies", "hubspot/invoices": "invoices", "hubspot/deals": "deals"}


def _of_airbase(kind: Kind, entry: dict[str, Any]) -> list[str]:
    entities = (entry["body"] or {}).get("entities")
    return [each["erp_reference_id"] for each in entities] if entities else [entry["id"]]


NAMES: dict[str, Callable[[Kind, dict[str, Any]], list[str]]] = {
    "ifs": _of_ifs,
    "hubspot": _of_hubspot,
    "airbase": _of_airbase,
    "monday": lambda kind, entry: entry["body"],  # the ids of all items of a request
    **dict.fromkeys(("cin7", "procurify"), lambda kind, entry: [entry["id"]]),
}
