"""Payment terms that a real tenant keeps in a child entity: from Cin7 they are written there, with its ETag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.profiles import CLOUD, NEW_SUPPLIERS
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.systems.cin7.suppliers.test_contacts_and_addresses import BACK, Office

PURCHASES = {
    "navigation": "SupplierPurchases",
    "on": {"supplier_id": "VendorNo"},
    "fields": {"currency_code": "CurrencyCode", "payment_terms": "PayTermId", "notes": "NoteText"},
    "constants": {"SuppGrp": "1"},
    "writes": "true",
}


class Tenant(Office):
    """Services of the user interface: a short header, the rest in arrays below it."""

    purchases: dict[str, Any] = PURCHASES

    def erp(self) -> dict[str, Any]:
        return {**CLOUD, "entity_sets": {"supplier_set": {**NEW_SUPPLIERS, "children": [self.purchases]}}}


@pytest.fixture
def tenant(sqlite_ledger: Ledger) -> Iterator[Tenant]:
    with Sandbox(seed="empty", limits=PLENTY, profiles=("ifs.pages",)) as box:
        made = Tenant(box, sqlite_ledger, "cin7")
        box.cin7.books.add_payment_term("45 days", 45)
        made.put("S1", ago=60)
        made.once()
        yield made


def test_a_term_that_changes_in_cin7_is_written_to_the_row_below_the_supplier(tenant: Tenant) -> None:
    tenant.box.cin7.change_supplier(tenant.theirs()["ID"], PaymentTerm="45 days")
    tenant.once()
    (call,) = tenant.box.journal("ifs")
    assert call["path"].endswith("SupplierInfoGeneralSet(SupplierId='S1')/SupplierPurchases(VendorNo='S1')")
    assert call["method"] == "PATCH" and call["body"] == {"PayTermId": "45"}
    assert tenant.supplier()["PaymentTerms"] == "45" and tenant.holds() == {}
    tenant.settles()


def test_a_supplier_that_only_cin7_has_gets_the_row_too(tenant: Tenant) -> None:
    tenant.section["create_suppliers_in_ifs"] = "true"
    nice = {"Name": "Nice Ltd", "Currency": "SEK", "PaymentTerm": "45 days", "TaxRule": "Tax Exempt"}
    tenant.box.cin7.add_supplier(**nice, AccountPayable="800")
    tenant.once()
    (made,) = [row for row in tenant.box.ifs.rows("SupplierSet") if row["Name"] == "Nice Ltd"]
    assert (made["CurrencyCode"], made["PaymentTerms"]) == ("SEK", "45") and tenant.holds() == {}
    tenant.once()  # which writes the number that the ERP gave it into Cin7
    tenant.settles()


def test_without_the_word_that_it_may_be_written_it_is_told_and_stays(tenant: Tenant) -> None:
    tenant.purchases = {name: value for name, value in PURCHASES.items() if name != "writes"}
    tenant.box.cin7.change_supplier(tenant.theirs()["ID"], PaymentTerm="45 days")
    tenant.once()
    told = [line.detail or "" for line in tenant.ledger.trail(BACK, tenant.theirs()["ID"])]
    assert tenant.box.journal("ifs") == [] and tenant.supplier()["PaymentTerms"] == "30"
    assert any("not written" in each and "payment_terms" in each for each in told)
