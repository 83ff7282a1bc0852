"""`mlc close`: it finds what is not as it was delivered, says which, and a signature is of these figures alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mlc_dagster_tests.cli.test_holds import mlc, place, refusal
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.conftest import world as world
from mlc_dagster_tests.orchestration.test_verified import edit

__all__ = ["place"]
PURCHASES = "cin7/purchases"


@pytest.fixture
def delivered(world: World) -> World:
    for number in ("P1", "P2", "P3", "P4"):
        world.put_order(number)
    world.put_order("P5", account="4999")  # held: no such account in Cin7
    world.chart()
    world.run("cin7")
    return world


def closed(*words: str, company: str = "0010") -> dict[str, Any]:
    answer = mlc("close", "--period", "2026-11", "--json", *words)
    assert answer.exit_code in (0, 1), answer.output
    (found,) = [each for each in json.loads(answer.stdout)["companies"] if each["company"] == company]
    return found


def purchases(found: dict[str, Any]) -> dict[str, Any]:
    (flow,) = [each for each in found["flows"] if each["flow"] == PURCHASES]
    return flow


def test_the_figures_of_a_month_on_both_sides(delivered: World) -> None:
    before = purchases(closed())
    assert before["delivered"] == {"number": 4, "amounts": {"SEK": "84.00"}}
    assert before["held"] == {"number": 1, "amounts": {"SEK": "21.00"}}
    assert before["not_shown"]["number"] == 4  # nobody looked: theirs is not known, and no agreement
    looked = purchases(closed("--look"))
    assert looked["sums"] == [
        {"account": "", "currency": "SEK", "ours": "84.00", "theirs": "84.00", "difference": "0.00"}
    ]
    assert not looked["not_shown"]["number"] and looked["last_look"]


def test_what_people_did_by_hand_is_found_and_named(delivered: World) -> None:
    assert closed("--look")["differences"] == []
    edit(delivered, "P2", 50)
    off_by_a_cent(delivered, "P3")
    delete(delivered, "P4")
    found = closed("--look")
    named = {(one["key"], one["kind"]): one for one in found["differences"]}
    assert {key for key, _ in named} == {"P2", "P3", "P4"}
    assert ("P4", "deleted_in_the_target") in named and named["P4", "deleted_in_the_target"]["amount"] == "21.00"
    cent = [one for one in found["differences"] if one["key"] == "P3"]
    assert [one["amount"] for one in cent if one["amount"]] == ["0.01"]
    assert ("Order.Total", "21.00", "21.01") in [(one["field"], one["ours"], one["theirs"]) for one in cent]
    sums = {(row["account"]): row for row in purchases(found)["sums"]}
    assert sum(Decimal(row["ours"]) for row in sums.values()) == Decimal("84.00")
    assert sum(Decimal(row["theirs"]) for row in sums.values()) == Decimal("92.01")  # 21 + 50 + 21.01 + nothing
    assert purchases(found)["differing"]["amounts"] == {"SEK": "50.01"}  # 29 more, a cent more, and 21 that are gone


def test_a_signature_is_void_when_a_figure_changes_and_says_what_and_by_whom(
    delivered: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch)
    closed("--look")
    assert "has something open" in refusal("close", "sign", "--period", "2026-11", "--company", "0010", "--by", "Kari")
    words = ("close", "sign", "--period", "2026-11", "--company", "0010", "--by", "Kari", "--reason", "P5 is asked")
    signed = mlc(*words)
    assert signed.exit_code == 0, signed.output
    again = mlc("close", "--period", "2026-11", "--company", "0010", "--json")
    assert again.exit_code == 0 and json.loads(again.stdout)["companies"][0]["version"] == 1
    assert "is signed by Kari" in refusal(*words)

    delivered.put_order("P9", at=datetime(2026, 11, 5, 12, tzinfo=UTC))  # dated 4 November, and posted after the close
    delivered.run("cin7")
    found = closed()
    assert not found["signed"] and found["version"] == 2
    (signature,) = found["signatures"]
    assert signature["who"] == "Kari" and signature["voided_at"]
    assert "cin7/purchases: delivered 4 -> 5" in signature["void_because"]
    assert "P9 created" in signature["void_because"]
    after = [(one["key"], one["dated"], one["amount"]) for one in found["posted_after"] if one["after_the_signature"]]
    assert after == [("P9", "2026-11-04", "21.00")]
    assert "void" in mlc("close", "--period", "2026-11").stdout
    assert delivered.ledger.audit.differing() == []
    assert list(delivered.ledger.history.verify()) == []
    assert delivered.ledger.history.flows() >= {"cin7/purchases", "cin7/suppliers"}


def test_what_is_filed_holds_every_sum_decision_and_change(delivered: World, tmp_path: Path) -> None:
    hostile = "=HYPERLINK(1)<script>"
    assert mlc("holds", "discard", "P5", "--reason", hostile, "--who", "kari", "--yes").exit_code == 0
    content = (tmp_path / "mlc.yaml").read_text()
    closed("--look")
    (tmp_path / "mlc.yaml").write_text(content.replace("30 days", "thirty days"))
    found = closed("--out", str(tmp_path / "filed"))
    assert [one["what"] for one in found["decisions"]] == ["discarded"]
    assert found["settings"][-1]["changed"] == ["cin7.payment_terms.30 changed"]
    files = {path.name: path.read_text(encoding="utf-8-sig") for path in (tmp_path / "filed").iterdir()}
    (page,) = [text for name, text in files.items() if name.endswith(".html") and "-0010-" in name]
    assert "84.00" in page and "&lt;script&gt;" in page and "<script>" not in page and "A4 portrait" in page
    assert all(head[1] in page for head in found["heads"].values()) and found["heads"]
    (sums,) = [text for name, text in files.items() if name.endswith("-0010-v1-sums.csv")]
    assert sums.splitlines()[1] == "cin7/purchases,,SEK,84.00,84.00,0.00"


def test_what_is_no_month_and_no_company_is_said(world: World) -> None:
    world.ledger.close()
    assert "is no month" in refusal("close", "--period", "2026-13")
    assert "no company 0001" in refusal("close", "--period", "2026-11", "--company", "0001")


ALTERED = {
    "UPDATE signatures SET who = 'Somebody else'": "the trail tells of none that is signed by Somebody else",
    "DELETE FROM signatures": "the trail tells of one that is signed by Kari",
    "UPDATE signatures SET voided_at = signed_at, voided_because = 'x'": "signature_void of Kari: x",
    "UPDATE signatures SET version = 7": "version 7: other figures than those that were signed",
    "UPDATE closes SET figures = replace(figures, '84.00', '84.01')": "version 1: other figures than those that were",
}


def test_a_signature_that_is_not_as_the_trail_tells_is_named_by_audit_verify(
    delivered: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(monkeypatch)
    closed("--look")
    words = ("--period", "2026-11", "--company", "0010", "--by", "Kari", "--reason", "P5 is asked")
    assert mlc("close", "sign", *words).exit_code == 0
    assert mlc("audit", "verify").exit_code == 0
    for change, says in ALTERED.items():
        with delivered.ledger._database.writing() as connection:
            kept = {
                table: connection.exec_driver_sql(f"SELECT * FROM {table}").mappings().all()
                for table in ("signatures", "closes")
            }
            connection.exec_driver_sql(change)
        found = mlc("audit", "verify")
        assert found.exit_code == 1 and says in " ".join(found.output.split()), (change, found.output)
        with delivered.ledger._database.writing() as connection:
            for table, rows in kept.items():
                connection.exec_driver_sql(f"DELETE FROM {table}")
                names = ", ".join(f":{name}" for name in rows[0])
                connection.execute(text(f"INSERT INTO {table} VALUES ({names})"), [dict(row) for row in rows])
    assert mlc("audit", "verify").exit_code == 0


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """December has come."""
    from mlc_dagster.ledger.records.looks import Looks

    monkeypatch.setattr(Looks, "now", lambda _: datetime(2026, 12, 1, 8, tzinfo=UTC))


def off_by_a_cent(world: World, key: str) -> None:
    with world.box.lock:
        (purchase,) = of_key(world, key)
        (charge,) = purchase["Order"]["AdditionalCharges"]
        charge["Price"], charge["Quantity"] = Decimal("21.01"), Decimal(1)
        charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal("21.01")
        purchase["LastUpdatedDate"] = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S.%f")


def delete(world: World, key: str) -> None:
    with world.box.lock:
        kept = world.box.cin7._purchases.by_id
        for number in [number for number, each in kept.items() if each in of_key(world, key)]:
            del kept[number]


def of_key(world: World, key: str) -> list[dict[str, Any]]:
    kept = world.box.cin7._purchases.by_id.values()
    return [each for each in kept if each["Note"].startswith(f"IFS 0010/{key}")]
