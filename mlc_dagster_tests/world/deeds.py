"""What can happen in the world around the flows: what people do in the ERP and in the targets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster_tests.promises.kinds import now

PRICES = (1, 2, 3, 5, 8)


class Erp:
    """The people who work in the ERP. Each deed leaves a stamp, but for a line that is edited alone."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def supplier(self, number: int, name: str = "") -> None:
        row = {"SupplierId": f"S{number}", "Name": name or f"Supplier {number}", "Country": "SE"}
        row |= {"CurrencyCode": "SEK", "PaymentTerms": "30", "Email": f"s{number}@example.test"}
        self.box.ifs.put("SupplierSet", row, modified=now())

    def order(self, number: int, price: int, supplier: int, account: str = "4010", state: str = "Released") -> None:
        amount = Decimal(2 * price)
        keys = {"OrderNo": f"P{number}", "LineNo": "1", "ReleaseNo": "1", "Company": "0010", "Description": "Service"}
        money = {"BuyQtyDue": Decimal(2), "BuyUnitPrice": Decimal(price), "LineAmount": amount}
        row = {"OrderNo": f"P{number}", "Company": "0010", "Contract": "A", "VendorNo": f"S{supplier}"}
        row |= {"OrderDate": "2026-11-04", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "TotalAmount": amount}
        row |= {"ObjState": state, "PurchaseOrderLines": [{**keys, **money, "TaxCode": "V0", "Account": account}]}
        self.box.ifs.put("PurchaseOrderSet", row, modified=now())

    def proposal(self, number: int, net: int, supplier: int, account: str = "4010") -> None:
        keys, amount = {"Company": "0010", "ProposalId": number}, Decimal(net)
        line = {**keys, "RowId": 1, "Amount": amount, "CurrencyAmount": amount, "Quantity": Decimal(1)}
        line |= {"TaxCode": "V0", "Account": account, "Text": "Service"}
        row = {**keys, "InvoiceId": 900 + number, "InvoiceNo": f"F-{number}", "SupplierId": f"S{supplier}"}
        row |= {"ObjState": "Balanced", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "VatAmount": Decimal(0)}
        row |= {"NetAmount": amount, "GrossAmount": amount, "InvoiceDate": "2026-11-04", "DueDate": "2026-12-04"}
        self.box.ifs.put("PostingProposalHeadSet", {**row, "PostingProposalLines": [line]}, modified=now())

    def account(self, code: str, *, blocked: bool) -> None:
        row = {"Company": "0010", "Account": code, "Description": code, "ValidFrom": "2015-01-01", "Blocked": blocked}
        self.box.ifs.put("AccountSet", row, modified=now())

    def row(self, set_name: str, **keys: Any) -> dict[str, Any] | None:
        """A copy of what stands there; None: there is none."""
        rows = self.box.ifs.rows(set_name)
        return next((dict(row) for row in rows if all(row[name] == value for name, value in keys.items())), None)

    def change(self, set_name: str, keys: dict[str, Any], **fields: Any) -> bool:
        """False: it is not there."""
        row = self.row(set_name, **keys)
        if row is not None:
            self.box.ifs.put(set_name, {**row, **fields}, modified=now())
        return row is not None

    def delete(self, set_name: str, **keys: Any) -> bool:
        if self.row(set_name, **keys) is None:
            return False
        self.box.ifs.delete(set_name, **keys)
        return True


class People:
    """Those who work in the targets, on what we delivered."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def purchase(self, number: int) -> dict[str, Any] | None:
        """The purchase that stands for an order of the ERP."""
        found = [each for each in self.purchases() if marker(each) == f"P{number}"]
        return found[0] if found else None

    def purchases(self) -> list[dict[str, Any]]:
        """Those that nobody voided."""
        return [each for each in self.box.cin7.purchases.values() if not str(each["Status"]).startswith("VOID")]

    def price(self, number: int, total: int) -> bool:
        """Somebody edits the one charge of a purchase."""
        with self.box.lock:
            if (purchase := self.purchase(number)) is None or not purchase["Order"]["AdditionalCharges"]:
                return False
            [charge] = purchase["Order"]["AdditionalCharges"]
            charge["Price"] = Decimal(total) / 2
            charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal(total)
            purchase["LastUpdatedDate"] = now_text()
            return True

    def void(self, number: int) -> bool:
        with self.box.lock:
            if (purchase := self.purchase(number)) is None:
                return False
            self.box.cin7._purchases.void(purchase["ID"], void=True)
            return True

    def company(self, number: int) -> str | None:
        companies = self.box.hubspot.live("companies").items()
        return next((key for key, row in companies if row["properties"].get("ifs_number") == f"S{number}"), None)

    def archive(self, number: int) -> bool:
        with self.box.lock:
            if (company := self.company(number)) is None:
                return False
            self.box.hubspot.objects.archive("companies", [company])
            return True


def marker(purchase: dict[str, Any]) -> str:
    """The ERP's key of the order: in Cin7 its company stands before it."""
    return str(purchase["AdditionalAttributes"]["AdditionalAttribute1"]).rpartition("/")[2]
