"""JSON says 120 of a decimal, too: what a person changes by the sandbox's control is a decimal all the same."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.request import Request, urlopen

import pytest

from mlc_dagster.sandbox import Sandbox


@pytest.mark.parametrize("profile", ["own-services", "pages"])
def test_an_order_with_whole_prices_is_shown_in_the_companys_currency(profile: str) -> None:
    line = {"OrderNo": "P1", "LineNo": "1", "ReleaseNo": "1", "BuyQtyDue": 2, "BuyUnitPrice": 100, "LineAmount": 200}
    order = {"OrderNo": "P1", "Company": "0010", "VendorNo": "S1", "CurrencyCode": "EUR", "CurrencyRate": 11}
    with Sandbox(seed="empty", profiles=[f"ifs.{profile}"]) as box:
        body = json.dumps({**order, "PurchaseOrderLines": [line]}).encode()
        urlopen(Request(f"{box.url}/_sandbox/ifs/PurchaseOrderSet", body, method="PUT"))
        (row,) = box.ifs.rows("PurchaseOrderSet")
    (there,) = row["PurchaseOrderLines"]
    for value, wanted in ((row["CurrencyRate"], 11), (there["BuyUnitPrice"], 100), (there["LineAmount"], 200)):
        assert isinstance(value, Decimal) and value == wanted
