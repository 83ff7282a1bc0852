"""The demo's books in figures: do the ERP's vouchers balance, and is what Procurify owes posted or held?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_dagster.demo.agree_procurify import CANCELLED, amount, is_owed
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger import Ledger
from mlc_dagster.systems.procurify.documents.document_values import plain_uuid
from mlc_dagster.systems.procurify.mapping import BILLS_FLOW
from mlc_dagster.systems.procurify.settings import ProcurifySettings

Document = Mapping[str, Any]


class Side(NamedTuple):
    """Debit and credit of a company's vouchers."""

    company: str
    vouchers: int
    debit: Decimal
    credit: Decimal


class Owed(NamedTuple):
    """Bills of one currency: what Procurify says, and where it is."""

    currency: str
    owed: Decimal
    posted: Decimal
    held: Decimal


def sides(documents: Mapping[str, list[Document]]) -> list[Side]:
    """By company, of every voucher in the ERP."""
    found: dict[str, Side] = {}
    for voucher in documents["VoucherSet"]:
        company, rows = voucher["Company"], voucher["VoucherRows"]
        before = found.get(company, Side(company, 0, Decimal(0), Decimal(0)))
        debit = before.debit + sum((amount(row["DebitAmount"]) for row in rows), Decimal(0))
        credit = before.credit + sum((amount(row["CreditAmount"]) for row in rows), Decimal(0))
        found[company] = Side(company, before.vouchers + 1, debit, credit)
    return [found[company] for company in sorted(found)]


def owed(place: Place, section: ProcurifySettings, documents: Mapping[str, list[Document]]) -> list[Owed]:
    """By currency, of the bills in states that may be posted."""
    with Ledger.open(place.environment()["MLC_DATABASE_URL"]) as ledger:
        on_hold = {hold.key for hold in ledger.open_holds(BILLS_FLOW, limit=None)}
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for bill in place.state("procurify")["bills"]:
        if is_owed(bill, section):
            currency, total = bill["currency"]["name"], amount(bill["total_cost_with_tax"])
            sums[currency][0] += total
            sums[currency][2] += total if plain_uuid(bill["uuid"]) in on_hold else Decimal(0)
    for invoice in documents["SupplierInvoiceSet"]:
        if (invoice["ExternalRef"] or "").startswith("procurify-") and invoice["ObjState"] != CANCELLED:
            sums[invoice["CurrencyCode"]][1] += amount(invoice["GrossAmount"])
    return [Owed(currency, *sums[currency]) for currency in sorted(sums)]
