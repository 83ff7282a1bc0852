"""Suppliers between IFS and Cin7 in both directions, over real HTTP and on a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.wire import Answer, Call
from mlc_dagster.systems.cin7.lists import listed_supplier
from mlc_dagster.systems.cin7.records import ListedSupplier
from mlc_dagster.systems.cin7.suppliers.inbound import partner_from_supplier
from mlc_dagster_tests.systems.rounds import Rounds

BACK = "ifs/suppliers_from_cin7"


@pytest.fixture
def rounds(sqlite_ledger: Ledger) -> Iterator[Rounds]:
    """Supplier S1, which both sides have."""
    with Sandbox(limits=Limits(cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000)) as box:
        box.cin7.books.add_payment_term("45 days", 45)
        made = Rounds(box, sqlite_ledger, "cin7")
        made.put("S1", ago=60)
        made.once()
        yield made


def theirs(rounds: Rounds) -> dict[str, Any]:
    (row,) = rounds.box.cin7.suppliers.values()
    return row


def edit(rounds: Rounds, **fields: Any) -> None:
    rounds.box.cin7.change_supplier(theirs(rounds)["ID"], **fields)


def email(row: dict[str, Any]) -> str:
    return str(row["Contacts"][0]["Email"])


def test_a_change_on_either_side_reaches_the_other(rounds: Rounds) -> None:
    edit(rounds, contact={"Email": "new@example.test"}, PaymentTerm="45 days", TaxNumber="SE77")
    rounds.once()
    row = rounds.supplier()
    assert (row["Email"], row["PaymentTerms"], row["VatNo"]) == ("new@example.test", "45", "SE77")
    rounds.put(Name="Renamed AB", Country="FI")
    rounds.once()
    row = theirs(rounds)
    assert (row["Name"], row["Addresses"][0]["Country"], email(row)) == ("Renamed AB", "Finland", "new@example.test")
    assert rounds.holds() == {}


def test_changes_of_different_fields_on_both_sides_both_survive(rounds: Rounds) -> None:
    rounds.put(Name="Renamed AB")
    edit(rounds, contact={"Email": "new@example.test"})
    rounds.once()
    assert (rounds.supplier()["Name"], rounds.supplier()["Email"]) == ("Renamed AB", "new@example.test")
    assert (theirs(rounds)["Name"], email(theirs(rounds))) == ("Renamed AB", "new@example.test")


def test_a_field_that_both_changed_has_the_erps_value_unless_mlc_yaml_says_otherwise(rounds: Rounds) -> None:
    rounds.section = {"supplier_owners": {"vat_no": "cin7"}}
    rounds.put(Name="By IFS", VatNo="SE-IFS")
    edit(rounds, Name="By Cin7", TaxNumber="SE-CIN7")
    rounds.once()
    assert (rounds.supplier()["Name"], theirs(rounds)["Name"]) == ("By IFS", "By IFS")
    assert (rounds.supplier()["VatNo"], theirs(rounds)["TaxNumber"]) == ("SE-CIN7", "SE-CIN7")


def test_a_field_that_both_changed_and_nobody_owns_is_held_on_both_ways_until_they_agree(rounds: Rounds) -> None:
    rounds.section = {"supplier_owners": {"name": "hold"}}
    rounds.put(Name="By IFS", VatNo="SE9")
    edit(rounds, Name="By Cin7")
    before = rounds.writes()
    rounds.once()
    shown = "both_sides_agree: name is 'By IFS' in IFS and 'By Cin7' in Cin7, and was 'Supplier S1'"
    assert {key: shown in why for key, why in rounds.holds().items()} == {
        ("cin7/suppliers", "S1"): True,
        (BACK, theirs(rounds)["ID"]): True,
    }
    assert rounds.writes() == before

    edit(rounds, Name="By IFS")
    rounds.once()
    assert rounds.holds() == {} and theirs(rounds)["TaxNumber"] == "SE9", "the other change waited with it"


def test_fifty_rounds_in_which_nothing_is_edited_write_nothing(rounds: Rounds) -> None:
    edit(rounds, contact={"Email": "new@example.test"})
    rounds.put(Name="Renamed AB")
    rounds.once()
    rounds.once()
    before = rounds.writes()
    for _ in range(50):
        there, back = rounds.once()
        assert there.unchanged == there.asked and back.unchanged == back.asked == 1
    assert rounds.writes() == before


def test_our_own_write_comes_back_as_no_change(rounds: Rounds) -> None:
    edit(rounds, contact={"Email": "new@example.test"})
    rounds.once()
    rounds.box.forget_calls()
    there, back = rounds.once()
    assert there.adopted == 1 and back.unchanged == 1, "the ERP's row is newer, and says what Cin7 says"
    assert rounds.writes() == 0


def test_what_was_read_before_the_other_way_wrote_does_not_undo_it(rounds: Rounds) -> None:
    rounds.put(Name="Renamed AB", ago=30)
    edit(rounds, contact={"Email": "new@example.test"})
    there, back = rounds.prepared(rounds.there), rounds.prepared(rounds.back)
    rounds.load(rounds.back, back)
    rounds.load(rounds.there, there)
    assert (rounds.supplier()["Name"], rounds.supplier()["Email"]) == ("Renamed AB", "new@example.test")
    assert (theirs(rounds)["Name"], email(theirs(rounds))) == ("Renamed AB", "new@example.test")


def test_both_ways_read_before_either_wrote_keep_both_changes(rounds: Rounds) -> None:
    rounds.put(Name="Renamed AB")
    edit(rounds, contact={"Email": "new@example.test"})
    there, back = rounds.prepared(rounds.there), rounds.prepared(rounds.back)
    rounds.load(rounds.there, there)
    rounds.load(rounds.back, back)
    assert (rounds.supplier()["Name"], rounds.supplier()["Email"]) == ("Renamed AB", "new@example.test")
    assert (theirs(rounds)["Name"], email(theirs(rounds))) == ("Renamed AB", "new@example.test")


def test_a_mail_address_that_is_cleared_in_cin7_is_cleared_in_the_erp_only_where_cin7_owns_it(rounds: Rounds) -> None:
    edit(rounds, contact={"Email": ""})
    rounds.once()
    assert rounds.supplier()["Email"] == "S1@example.test"
    assert "both_sides_agree: email is 'S1@example.test' in IFS and empty" in rounds.holds()[BACK, theirs(rounds)["ID"]]
    rounds.section = {"supplier_owners": {"email": "cin7"}}
    rounds.once()
    assert rounds.supplier()["Email"] is None and rounds.holds() == {}


def test_a_payment_term_that_stands_for_several_codes_is_the_one_that_the_erp_has(rounds: Rounds) -> None:
    rounds.section = {"payment_terms": {"30": "30 days", "30N": "30 days", "45": "45 days"}}
    edit(rounds, TaxNumber="SE9")
    rounds.once()
    assert (rounds.supplier()["PaymentTerms"], rounds.supplier()["VatNo"]) == ("30", "SE9")
    rounds.put(PaymentTerms="45")
    rounds.once()
    edit(rounds, PaymentTerm="30 days")
    rounds.once()
    assert rounds.supplier()["PaymentTerms"] == "45"
    assert "stands for 30, 30N, and IFS has 45" in rounds.holds()[BACK, theirs(rounds)["ID"]]


def test_a_payment_term_that_mlc_yaml_does_not_list_is_held(rounds: Rounds) -> None:
    rounds.box.cin7.books.add_payment_term("Cash", 0)
    edit(rounds, PaymentTerm="Cash", TaxNumber="SE9")
    rounds.once()
    assert "payment_term_has_a_code: Payment term 'Cash'" in rounds.holds()[BACK, theirs(rounds)["ID"]]
    assert rounds.supplier()["VatNo"] == "SES1"


THERE = {"Currency": "SEK", "PaymentTerm": "30 days", "TaxRule": "Tax Exempt", "AccountPayable": "800"}


def test_a_supplier_that_only_cin7_has_is_out_of_scope_unless_it_is_to_be_made(rounds: Rounds) -> None:
    rounds.box.cin7.add_supplier(Name="Only Here AB", **THERE)
    rounds.once()
    assert len(rounds.box.ifs.rows("SupplierSet")) == 1 and rounds.holds() == {}
    rounds.section = {"create_suppliers_in_ifs": "true"}
    rounds.once()
    made = rounds.supplier(rounds.box.ifs.rows("SupplierSet")[-1]["SupplierId"])
    assert (made["Name"], made["CurrencyCode"], made["PaymentTerms"]) == ("Only Here AB", "SEK", "30")
    for _ in range(3):
        rounds.once()
    keys = sorted(row["AdditionalAttribute1"] for row in rounds.box.cin7.suppliers.values())
    assert keys == sorted(["S1", made["SupplierId"]]), "it has its key now, and there is one on each side"
    assert len(rounds.box.ifs.rows("SupplierSet")) == 2


def test_without_the_way_back_the_erps_values_count(rounds: Rounds) -> None:
    from mlc_dagster.orchestration.location import flows_of
    from mlc_dagster.systems.ifs.records import catalogue

    rounds.section = {"suppliers_into_ifs": "false"}
    flows = {flow.name: flow for flow in flows_of(rounds.settings, catalogue({}))["cin7"]}
    assert BACK not in flows and flows["cin7/suppliers"].pair == ""


# --- others write to the ERP meanwhile --------------------------------------------------------------------------------


class Rival:
    """Changes a field of the supplier in the ERP just before our write arrives there, in a share of the tries."""

    def __init__(self, rounds: Rounds, field: str, share: float, seed: int) -> None:
        self.rounds, self.field, self.share, self.random = rounds, field, share, Random(seed)
        self.tries, self.blind, self.said = 0, 0, ""
        answer = rounds.box.ifs.answer

        def raced(call: Call) -> Answer:
            if call.method == "PATCH":
                self.tries += 1
                self.blind += "if-match" not in call.headers
                if self.random.random() < self.share:
                    self.said = f"{self.field} {self.tries}"
                    rounds.put(**{self.field: self.said})
            return answer(call)

        rounds.box.ifs.answer = raced  # type: ignore[method-assign]


@pytest.mark.parametrize("seed", range(20))
def test_another_field_that_is_changed_meanwhile_is_kept_and_every_write_names_its_version(
    rounds: Rounds, seed: int
) -> None:
    rival = Rival(rounds, "Name", 0.3, seed)
    edit(rounds, contact={"Email": "new@example.test"})
    _, back = rounds.once()
    assert rival.blind == 0 and rival.tries <= 3
    row = rounds.supplier()
    if rival.said:
        assert row["Name"] == rival.said, "what the other wrote stays"
    assert (row["Email"] == "new@example.test") == (back.updated == 1)
    assert back.updated == 1 or (back.held == 1 and rival.tries == 3)
    rival.share = 0
    for _ in range(2):
        rounds.once()
    assert rounds.supplier()["Email"] == email(theirs(rounds)) == "new@example.test"
    assert rounds.supplier()["Name"] == theirs(rounds)["Name"] and rounds.holds() == {}


@pytest.mark.parametrize("owner, wins", [("ifs", "rival"), ("cin7", "ours"), ("hold", "nobody")])
def test_the_same_field_that_is_changed_meanwhile_is_merged_again(rounds: Rounds, owner: str, wins: str) -> None:
    rounds.section = {"supplier_owners": {"email": owner}}
    rival = Rival(rounds, "Email", 1.0, 0)
    edit(rounds, contact={"Email": "new@example.test"})
    there, ready = rounds.prepared(rounds.there), rounds.prepared(rounds.back)
    rounds.load(rounds.there, there)
    loaded = rounds.load(rounds.back, ready)
    row = rounds.supplier()
    assert row["Email"] == rival.said, "the rival writes before each of our tries"
    if wins == "ours":
        assert (rival.tries, loaded.held) == (3, 1), "three tries, then held"
        return
    assert rival.tries == 1
    assert loaded.held == (1 if wins == "nobody" else 0)
    rival.share = 0
    rounds.once()
    assert email(theirs(rounds)) == (rival.said if wins == "rival" else "new@example.test")


def test_after_three_refusals_it_is_held_and_nothing_is_lost(rounds: Rounds) -> None:
    rival = Rival(rounds, "Name", 1.0, 0)
    edit(rounds, contact={"Email": "new@example.test"})
    _, back = rounds.once()
    assert (rival.tries, back.held) == (3, 1)
    assert "given up after 3 tries" in rounds.holds()[BACK, theirs(rounds)["ID"]]
    rival.share = 0
    rounds.once()
    assert rounds.supplier()["Email"] == "new@example.test" and rounds.holds() == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_change_whose_answer_is_lost_is_written_once(rounds: Rounds, when: str) -> None:
    edit(rounds, contact={"Email": "new@example.test"})
    rounds.box.faults.add(system="ifs", method="PATCH", drop=when)
    rounds.once()
    rounds.once()
    assert rounds.supplier()["Email"] == "new@example.test" and rounds.holds() == {}
    assert len([each for each in rounds.box.journal("ifs") if each["method"] == "PATCH"]) == 1


def test_a_change_back_before_our_own_write_was_read_again_is_a_change(rounds: Rounds) -> None:
    edit(rounds, PaymentTerm="45 days")
    rounds.once()
    assert rounds.supplier()["PaymentTerms"] == "45"
    rounds.put(PaymentTerms="30")
    rounds.once()
    assert theirs(rounds)["PaymentTerm"] == "30 days", "as it was delivered long ago, and changed back since"

    rounds.put(Name="Renamed AB")
    rounds.load(rounds.there, rounds.prepared(rounds.there))
    assert theirs(rounds)["Name"] == "Renamed AB"
    edit(rounds, Name="Supplier S1")
    rounds.once()
    assert rounds.supplier()["Name"] == theirs(rounds)["Name"] == "Supplier S1"


def test_a_supplier_that_carries_another_key_by_now_is_written_to_neither(rounds: Rounds) -> None:
    rounds.put("S2")
    edit(rounds, AdditionalAttribute1="S2", TaxNumber="SE9")
    rounds.load(rounds.back, rounds.prepared(rounds.back))
    assert "was supplier S1 of the ERP, and carries the number S2 now" in rounds.holds()[BACK, theirs(rounds)["ID"]]
    assert (rounds.supplier("S1")["VatNo"], rounds.supplier("S2")["VatNo"]) == ("SES1", "SES2")


def test_a_field_that_cin7_does_not_answer_any_more_clears_nothing() -> None:
    row = {"ID": "AB-1", "Name": "Bolts AB", "Contacts": [{"Name": "Office", "Default": True}]}
    found = listed_supplier({}, row)
    partner = partner_from_supplier(ListedSupplier(**{**found, "last_modified_on": None}), Facts())
    assert (partner.name, partner.vat_no, partner.email, partner.country) == ("Bolts AB", None, None, None)
