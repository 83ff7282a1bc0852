"""The entity sets that the sandboxed tenant serves, under the catalogue's names, and how a tenant renames them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

CODES = " ".join(f"Code{letter}" for letter in "BCDEFGHIJ")
STANDARD = {"ObjState": "text", "LastModified": "timestamp"}


def _types(text: str) -> dict[str, str]:
    """`"Company RowId:int"` -> {"Company": "text", "RowId": "int"}."""
    pairs = (word.partition(":") for word in text.split())
    return {name: kind or "text" for name, _, kind in pairs}


@dataclass(frozen=True)
class Lines:
    """The lines of an entity set: a navigation property of the header, and a set of their own."""

    navigation: str
    set: str
    keys: tuple[str, ...]  # the header's keys come first
    fields: Mapping[str, str]  # name -> text, decimal, int, bool, date, timestamp; keys included
    first: Mapping[str, object] = field(default_factory=dict)  # what stands in a key that is left out


@dataclass(frozen=True)
class Kind:
    """An entity set. `number` is the key that the server gives when a create leaves it out."""

    set: str
    projection: str
    keys: tuple[str, ...]
    fields: Mapping[str, str]
    lines: Lines | None = None
    number: str | None = None


Metadata = Literal["xml", "by accept", "406", "json", "page", "none"]
"""$metadata: XML whatever is asked for; XML or JSON as the Accept header says (Olingo since 4.5); XML, and 406 to a
JSON Accept (Olingo before it); JSON whatever is asked for; a web page; 404."""


@dataclass(frozen=True)
class Tenant:
    """What one tenant calls things, and what its release can do. Names left out are the catalogue's.

    projections: set or projection -> projection; sets: set or line set -> set; fields: set or line set -> {name: name};
    navigations: navigation property -> name. next_link=True: links to the next page; a text is the links' origin.
    """

    projections: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    navigations: Mapping[str, str] = field(default_factory=dict)
    expand: bool = True  # False: 501
    count: bool = True  # False: /$count is 501 and $count=true is ignored
    next_link: bool | str = False
    modified: bool = True  # False: no set has a LastModified column
    metadata: bool | Metadata = "xml"  # True is "xml", False is "none"
    batch: bool = True  # False: $batch is 501
    batch_parts: int = 5000  # requests that a $batch holds; no limit is published but that of elements
    names_steps: bool = True  # False: a change set that is refused does not say at which request
    keeps_parts: bool = False  # True: of a change set that is refused, what came before the refusal stays
    actions_act: bool = True  # False: a bound action is answered as if it had acted, and the state stays
    closed_until: Mapping[str, str] = field(default_factory=dict)
    """Company, or company/user group -> the last day of the periods that are closed for it."""
    fiscal_year_starts: int = 1  # the month; a year is called by the one that it ends in
    upper_names: bool = False  # names of suppliers are kept in capitals
    numbers_twice: tuple[str, ...] = ()  # companies that take an invoice number of a supplier twice
    token_seconds: float = 3600
    opaque_tokens: bool = False  # True: no JSON Web Tokens, they say nothing of their realm
    clock_skew_seconds: float = 0  # the server's clock minus ours
    rows_without_top: int = 100
    sorts: Literal["bytes", "language", "caseless", "none"] = "bytes"  # texts in $orderby; none: it is not heeded
    compares: Literal["bytes", "language", "caseless"] = "bytes"  # texts in $filter; caseless: 'a' eq 'A'
    # --- of tenants whose services show the rows otherwise (views/); the sets above are renamed by the fields above
    view: str = "seed"  # which services there are: a profile's name
    companies: tuple[str, ...] = ("0010", "20", "0030")  # that the tenant has
    allowed_companies: tuple[str, ...] = ()  # that the service user may see; the rest is absent. Empty: all
    countries: Literal["iso", "names"] = "iso"  # what stands in Country; CountryCode is always ISO
    etag_form: Literal["time", "integer"] = "time"  # objid:YYYYMMDDHH24MISS, or objid:7
    bare_without_select: Literal["none", "arrays", "all"] = "arrays"  # what shows luname and keyref alone without it
    slow_filters: bool = True  # a filter on a column without an index is a 504
    modified_every: int = 0  # the nth read is a 503 MI_MODIFIED_ERROR; 0: none is
    proposals: Literal["none", "empty"] = "none"  # their service: not there, or it shows this user nothing
    projections_listed: bool = True  # False: AllProjections is a 403
    loads_approved: Literal["at the next read", "by hand"] = "at the next read"  # external loads, by another user
    suppliers_approved: bool = True  # False: a new one waits for another user before an invoice of his is taken
    gateway_refuses: str = ""  # a service that a gateway in front answers with a 401 of its own
    gateway_loses: int = 0  # the nth write is done, and the gateway answers 503; 0: none
    gateway_grants: int = 0  # the nth token is a 502 of the gateway, with an object as `error`; 0: none


def _kind(set_name: str, projection: str, keys: str, fields: str, lines: Lines | None = None, number: str = "") -> Kind:
    types = {**_types(keys), **_types(fields), **STANDARD}
    return Kind(set_name, projection, tuple(_types(keys)), MappingProxyType(types), lines, number or None)


def _lines(navigation: str, set_name: str, keys: str, fields: str, **first: object) -> Lines:
    types = {**_types(keys), **_types(fields), **STANDARD}
    return Lines(navigation, set_name, tuple(_types(keys)), MappingProxyType(types), first)


KINDS = (
    _kind(
        "SupplierSet",
        "SupplierHandling",
        "SupplierId",
        "Name AssociationNo Country DefaultLanguage CurrencyCode PaymentTerms BankAccount Email VatNo "
        "CreationDate:date Blocked:bool CreditLimit:decimal DefaultAccount CostCenter Notes",
        _lines("SupplierAccounts", "SupplierAccountSet", "SupplierId Company", f"Account {CODES}"),
        number="SupplierId",
    ),
    _kind(
        "SupplierContactSet",
        "SupplierHandling",
        "SupplierId ContactId",
        "Name Phone Mobile Email IsPrimary:bool",
        number="ContactId",
    ),
    _kind(
        "SupplierAddressSet",
        "SupplierHandling",
        "SupplierId AddressId",
        "AddressType Address1 Address2 City State ZipCode Country",
        number="AddressId",
    ),
    _kind(
        "CustomerSet",
        "CustomerHandling",
        "CustomerId",
        "Name AssociationNo Country CurrencyCode PaymentTerms CreationDate:date CreditLimit:decimal DefaultAccount "
        "CostCenter Notes",
        _lines("CustomerAccounts", "CustomerAccountSet", "CustomerId Company", f"Account {CODES}"),
    ),
    _kind(
        "PurchaseOrderSet",
        "PurchaseOrderHandling",
        "OrderNo",
        "Company Contract VendorNo OrderDate:date WantedReceiptDate:date CurrencyCode CurrencyRate:decimal BuyerCode "
        "TotalAmount:decimal Notes",
        _lines(
            "PurchaseOrderLines",
            "PurchaseOrderLineSet",
            "OrderNo LineNo ReleaseNo",
            "Company PartNo Description BuyQtyDue:decimal BuyUnitMeas BuyUnitPrice:decimal LineAmount:decimal TaxCode "
            f"WantedDeliveryDate:date PromisedDeliveryDate:date PlannedReceiptDate:date Account {CODES}",
            ReleaseNo="1",
        ),
        number="OrderNo",
    ),
    _kind(
        "ReceiptInfoSet",
        "ReceiptInfoHandling",
        "ReceiptSequence:int",
        "ReceiptNo:int SourceRef1 SourceRef2 SourceRef3 SourceRefTypeDb Contract SourcePartNo SourceQtyArrived:decimal "
        "SourceUnitMeas ArrivalDate:timestamp NoteText",
        number="ReceiptSequence",
    ),
    _kind(
        "PostingProposalHeadSet",
        "PostingProposalHandling",
        "Company ProposalId:int",
        "InvoiceId:int InvoiceNo SupplierId Contract InvoiceDate:date DueDate:date CurrencyCode CurrencyRate:decimal "
        "NetAmount:decimal VatAmount:decimal GrossAmount:decimal PoReference ExternalRef Text",
        _lines(
            "PostingProposalLines",
            "PostingProposalLineSet",
            "Company ProposalId:int RowId:int",
            f"Amount:decimal CurrencyAmount:decimal Quantity:decimal TaxCode Text Account {CODES}",
        ),
        number="ProposalId",
    ),
    _kind(
        "CustomerInvoiceSet",
        "CustomerInvoiceHandling",
        "Company InvoiceId:int",
        "InvoiceNo CustomerId InvoiceDate:date DueDate:date CurrencyCode NetAmount:decimal VatAmount:decimal "
        "GrossAmount:decimal OrderNo Text",
        _lines(
            "CustomerInvoiceLines",
            "CustomerInvoiceLineSet",
            "Company InvoiceId:int RowId:int",
            f"Amount:decimal CurrencyAmount:decimal Quantity:decimal TaxCode Text Account {CODES}",
        ),
    ),
    _kind(
        "VoucherSet",
        "VoucherHandling",
        "Company VoucherType AccountingYear:int VoucherNo:int",
        "AccountingPeriod:int VoucherDate:date UserGroup Text ExternalRef",
        _lines(
            "VoucherRows",
            "VoucherRowSet",
            "Company VoucherType AccountingYear:int VoucherNo:int RowNo:int",
            f"Account {CODES} DebitAmount:decimal CreditAmount:decimal CurrencyCode CurrencyAmount:decimal "
            "CurrencyRate:decimal Text",
        ),
        number="VoucherNo",
    ),
    _kind(
        "CustomerOrderSet",
        "CustomerOrderHandling",
        "OrderNo",
        "Company Contract CustomerNo OrderDate:date CurrencyCode CurrencyRate:decimal TotalAmount:decimal Notes",
        _lines(
            "CustomerOrderLines",
            "CustomerOrderLineSet",
            "OrderNo LineNo RelNo",
            "CatalogNo Description BuyQtyDue:decimal SalesUnitMeas QtyShipped:decimal PromisedDeliveryDate:date "
            "PlannedDeliveryDate:date SaleUnitPrice:decimal LineAmount:decimal",
            RelNo="1",
        ),
        number="OrderNo",
    ),
    _kind(
        "AccountSet",
        "AccountHandling",
        "Company Account",
        "Description AccountType LogicalAccountType ValidFrom:date ValidUntil:date Blocked:bool",
    ),
    _kind(
        "CodePartValueSet",
        "CodePartValueHandling",
        "Company CodePart CodePartValue",
        "Description ValidFrom:date ValidUntil:date",
    ),
    _kind(
        "SupplierInvoiceSet",
        "SupplierInvoiceHandling",
        "Company InvoiceId:int",
        "InvoiceSeries InvoiceNo SupplierId InvoiceDate:date DueDate:date CurrencyCode CurrencyRate:decimal "
        "NetAmount:decimal VatAmount:decimal GrossAmount:decimal PoReference ExternalRef Text",
        _lines(
            "SupplierInvoiceLines",
            "SupplierInvoiceLineSet",
            "Company InvoiceId:int RowId:int",
            f"Amount:decimal TaxCode Text Account {CODES}",
        ),
        number="InvoiceId",
    ),
)
