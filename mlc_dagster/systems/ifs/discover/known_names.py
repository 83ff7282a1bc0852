"""What tenants call the entity sets and fields of the catalogue: one table, in order of certainty.

First what was recorded on a tenant or seen in public code, then the words of the business description, which the
entity services come near to (facts/ifs-tenants.md, sections 3 and 6). A field that is not named here is sought by its
own name in PascalCase alone. A name without a source is not here: a proposal asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.discover.known_forms import ENTITY_SERVICES as ENTITY_SERVICES
from mlc_dagster.systems.ifs.discover.known_forms import Form as Form
from mlc_dagster.systems.ifs.discover.known_forms import Known as Known
from mlc_dagster.systems.ifs.discover.known_forms import KnownChild as KnownChild
from mlc_dagster.systems.ifs.discover.known_forms import KnownLines as KnownLines
from mlc_dagster.systems.ifs.discover.known_forms import Names as Names
from mlc_dagster.systems.ifs.discover.known_forms import Place as Place
from mlc_dagster.systems.ifs.discover.known_forms import names_in as _names
from mlc_dagster.systems.ifs.schema.catalogue import wire_name

STAMPS = ("LastModified", "Rowversion")
STATES = ("Objstate", "ObjState")
CODE_PARTS = "BCDEFGHIJ"

_SUPPLIERS = Known(
    ifs.SUPPLIERS,
    (
        Place("SupplierHandling", "SupplierInfoGeneralSet"),
        Place("SuppliersHandling", "SupplierInfoGeneralSet"),
        Place("SupplierHandling", "SupplierSet"),
    ),
    ("Supplier",),
    _names("country=Country,CountryCode currency_code payment_terms=PaymentTerms,PayTermId notes=Notes,NoteText"),
    children=(
        KnownChild(
            "SupplierPurchases", _names("currency_code payment_terms=PayTermId,PaymentTerms notes=NoteText,Notes")
        ),
        KnownChild(
            "SupplierInvoiceCompanies", _names("payment_terms=PayTermId currency_code=DefCurrency"), of_company=True
        ),
        KnownChild(
            "",
            _names("currency_code payment_terms=PayTermId,PaymentTerms notes=NoteText,Notes"),
            place=Place("SupplierEntity", "SupplierSet", ENTITY_SERVICES),
            on={"supplier_id": ("VendorNo", "SupplierId")},
        ),
        KnownChild("SupplierPayments", _names("blocked=BlockedForPayment"), of_company=True),
    ),
    codes={"country": "CountryCode"},
)

_CUSTOMERS = Known(
    ifs.CUSTOMERS,
    (Place("CustomerHandling", "CustomerInfoSet"), Place("CustomerHandling", "CustomerSet")),
    ("Customer",),
    _names("country=CountryCode,Country payment_terms=PaymentTerms,PayTermId notes=Notes,NoteText"),
)

_CODES = " ".join(f"code_{letter.lower()}" for letter in CODE_PARTS)

_PURCHASE_ORDERS = Known(
    ifs.PURCHASE_ORDERS,
    (Place("PurchaseOrderHandling", "PurchaseOrderSet"),),
    ("PurchaseOrder",),
    _names("notes=Notes,NoteText"),
    KnownLines(
        (("LinePartArray", "LineNopartArray", "LineRentalPartArray"), ("PurchaseOrderLines",)),
        (
            Place("PurchaseOrderHandling", "PurchaseOrderLineSet"),
            Place("PurchaseOrderLineEntity", "PurchaseOrderLineSet", ENTITY_SERVICES),
        ),
        _names(
            "line_amount=NetAmtCurr,LineAmount base_amount=NetAmountBase,NetAmtBase tax_code=FeeCode,TaxCode "
            f"buy_unit_price=FbuyUnitPrice,BuyUnitPrice account=CodeA,Account obj_state=Objstate,ObjState {_CODES}"
        ),
    ),
    sums={"total_amount": "line_amount"},
)

_CUSTOMER_ORDERS = Known(
    ifs.CUSTOMER_ORDERS,
    (Place("CustomerOrderHandling", "CustomerOrderSet"),),
    ("CustomerOrder",),
    _names("notes=Notes,NoteText"),
    KnownLines(
        (("OrderLinesArray",), ("CustomerOrderLines",)),
        (
            Place("CustomerOrderHandling", "CustomerOrderLineSet"),
            Place("CustomerOrderLineEntity", "CustomerOrderLineSet", ENTITY_SERVICES),
        ),
        _names("description=CatalogDesc,Description obj_state=Objstate,ObjState"),
        ("line_item_no",),
    ),
    sums={"total_amount": "line_amount"},
)

_PROPOSALS = Known(
    ifs.POSTING_PROPOSALS,
    (Place("PostingProposalHandling", "PostingProposalHeadSet"),),
    ("PostingProposal", "Proposal"),
    _names("supplier_id=SupplierId,Identity currency_code=CurrencyCode,Currency po_reference=PoReference,PoRefNumber"),
    KnownLines(
        (("PostingProposalLines",),),
        (
            Place("PostingProposalHandling", "PostingProposalLineSet"),
            Place("PostingProposalLineEntity", "PostingProposalLineSet", ENTITY_SERVICES),
        ),
        _names(f"account=Account,CodeA tax_code=TaxCode,FeeCode {_CODES}"),
    ),
)

_VOUCHERS = Known(
    ifs.VOUCHERS,
    (
        Place("VoucherRowsAnalysis", "VoucherRowSet", form="grouped"),
        Place("VoucherHandling", "VoucherSet"),
    ),
    ("Voucher",),
    _names("user_group=UserGroup,EnteredByUserGroup text=Text,VoucherText external_ref=ExternalRef,ReferenceNumber"),
    KnownLines(
        (("VoucherRows",),),
        (
            Place("VoucherHandling", "VoucherRowSet"),
            Place("VoucherRowEntity", "VoucherRowSet", ENTITY_SERVICES),
        ),
        _names(
            "debit_amount=DebetAmount,DebitAmount external_ref=ReferenceNumber,ExternalRef account=Account,CodeA "
            f"{_CODES}"
        ),
    ),
)

_POSTED_VOUCHERS = Known(
    ifs.POSTED_VOUCHERS,
    (Place("GenLedVoucherEntity", "GenLedVoucherSet", ENTITY_SERVICES),),
    ("GenLedVoucher",),
    _VOUCHERS.fields,
    replace(
        cast(KnownLines, _VOUCHERS.lines),
        arrays=(("GenLedVoucherRows",),),
        sets=(Place("GenLedVoucherRowEntity", "GenLedVoucherRowSet", ENTITY_SERVICES),),
    ),
)

_ACCOUNTS = Known(
    ifs.ACCOUNTS,
    (Place("VoucherRowsAnalysis", "Reference_Account"), Place("AccountHandling", "AccountSet")),
    ("Account",),
    _names(
        "account_type=AccntType,AccountType tax_handling=TaxHandlingValue,TaxHandling ledger_flag=LedgFlag,LedgerFlag"
    ),
)

_CODE_PART_VALUES = Known(
    ifs.CODE_PART_VALUES,
    (
        Place("VoucherRowsAnalysis", "Reference_Code*", form="parts"),
        Place("FunctionalObjectHandling", "Reference_AccountingCodePartValue"),
        Place("CodePartValueHandling", "CodePartValueSet"),
        Place("AccountingCodePartValueEntity", "AccountingCodePartValueSet", ENTITY_SERVICES),
    ),
    ("CodePart", "FunctionalObject"),
)

_SUPPLIER_INVOICES = Known(
    ifs.SUPPLIER_INVOICES,
    (
        Place("SupplierInvoiceHandling", "SupplierInvoiceSet"),
        Place("ManSuppInvoiceEntity", "ManSuppInvoiceSet", ENTITY_SERVICES),
        Place("IncomingInvoiceEntity", "IncomingInvoiceSet", ENTITY_SERVICES),
    ),
    ("SuppInvoice", "SupplierInvoice", "IncomingInvoice"),
    _names(
        "supplier_id=Identity,SupplierId currency_code=Currency,CurrencyCode net_amount=NetCurrAmount,NetAmount "
        "vat_amount=VatCurrAmount,VatAmount "
        "po_reference=PoRefNumber,PoReference text=VoucherText,Text"
    ),
    KnownLines(
        (("SupplierInvoiceLines",),),
        (Place("SupplierInvoiceHandling", "SupplierInvoiceLineSet"),),
        _names(f"account=Account,CodeA tax_code=TaxCode,FeeCode {_CODES}"),
    ),
)

_CUSTOMER_INVOICES = Known(
    ifs.CUSTOMER_INVOICES,
    (),  # no name of it is public
    ("CustomerInvoice", "CustInvoice", "InstantInvoice"),
    _names("customer_id=Identity,CustomerId currency_code=Currency,CurrencyCode"),
    KnownLines((), (), _names(f"account=Account,CodeA tax_code=TaxCode,FeeCode {_CODES}")),
)

_RECEIPTS = Known(
    ifs.RECEIPTS,
    (
        Place("ReceiptInfoHandling", "ReceiptInfoSet"),
        Place("ReceiptInfoEntity", "ReceiptInfoSet", ENTITY_SERVICES),
    ),
    ("ReceiptInfo", "PurchaseReceipt"),
    _names("source_ref_type=SourceRefTypeDb,SourceRefType obj_state=Objstate,ObjState"),
)

KNOWN = (
    *(_SUPPLIERS, _CUSTOMERS, _PURCHASE_ORDERS, _CUSTOMER_ORDERS, _VOUCHERS),
    *(_ACCOUNTS, _CODE_PART_VALUES, _PROPOSALS, _SUPPLIER_INVOICES, _CUSTOMER_INVOICES, _POSTED_VOUCHERS, _RECEIPTS),
)

ROWS_HAVE: Names = {"user_group": ("EnteredByUserGroup", "UserGroup"), "text": ()}
"""Fields of a header that is grouped from rows, where they differ: a text is the row's own, and no two are alike."""


def of_rows(known: Known) -> Known:
    """The same for a header that is grouped from rows."""
    return replace(known, fields={**known.fields, "external_ref": ("ReferenceNumber", "ExternalRef"), **ROWS_HAVE})


def known_as(names: Names, one: str) -> tuple[str, ...]:
    """The names of a field, the surest first."""
    return names.get(one, (wire_name(one, {}),))


def every_place() -> Iterator[Place]:
    """Wherever anything of the catalogue may be, lines and children included; each once."""
    found = [place for known in KNOWN for place in known.every_place()]
    found += [place for known in KNOWN if known.lines for place in known.lines.sets]
    found += [child.place for known in KNOWN for child in known.children if child.place]
    yield from dict.fromkeys(found)
