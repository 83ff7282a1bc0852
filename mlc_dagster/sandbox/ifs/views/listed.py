"""AllProjections: the list of every projection of a tenant, which most tenants grant and some do not."""

from __future__ import annotations

from collections.abc import Iterable

from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.requests import odata_headers
from mlc_dagster.sandbox.ifs.views.view import MAIN
from mlc_dagster.sandbox.wire import Answer, Call, encode, query_of

_BESIDE = (
    *(
        "AbsenceLimitHandling",
        "AccountingRulesHandling",
        "ActivityHandling",
        "AllocationHandling",
        "CashAccountHandling",
    ),
    *("CompanySiteHandling", "CurrencyCodesHandling", "CustomerPaymentHandling", "InventoryPartHandling"),
    *("InventoryPartInStockHandling", "InvoiceTypesHandling", "ManufacturingOrderHandling", "PartCatalogHandling"),
    *("PaymentTermHandling", "ProjectHandling", "QuotationHandling", "SalesPartHandling", "ShopOrderHandling"),
    *("SupplierAgreementHandling", "SupplierScheduleHandling", "TaxBookHandling", "TaxCodesHandling"),
    *("UserGroupsFinanceHandling", "VoucherTypesHandling", "WorkTaskHandling"),
)
_COLUMNS = ("ProjectionName", "Description", "ApiClass")


def projections(call: Call, own: Iterable[str]) -> Answer:
    """Raises ODataError for a column that the list does not have."""
    options = query_of(call.query)
    asked = [name.strip() for name in options.get("$select", "").split(",") if name.strip()] or list(_COLUMNS)
    if unknown := [name for name in asked if name not in _COLUMNS]:
        raise ODataError(f"The property '{unknown[0]}' is not defined in 'Projection'.", 400, "ODP_MALFORMED_REQUEST")
    names = sorted({*own, *_BESIDE, "AllProjections"})
    skip, top = (int(options.get(name, default)) for name, default in (("$skip", 0), ("$top", len(names))))
    values = [dict(zip(_COLUMNS, (name, f"{name} projection", "Standard"), strict=True)) for name in names]
    rows = [{name: row[name] for name in asked} for row in values[skip : skip + top]]
    told = f"{call.origin}{MAIN}/AllProjections.svc/$metadata#Projections"
    return Answer(200, encode({"@odata.context": told, "value": rows}), odata_headers(call))
