"""Supplier invoices and posting proposals as pages may show them; no name of these is public: all are guesses."""

from __future__ import annotations

from mlc_dagster.sandbox.ifs.views.columns import columns
from mlc_dagster.sandbox.ifs.views.view import View, lines

_CODES = " ".join(f"Code{letter}" for letter in "BCDEFGHIJ")


def invoices(projection: str = "ManSuppInvoiceHandling", writes: frozenset[str] = frozenset()) -> View:
    """Lines and postings are two arrays: amounts and tax in the one, the account string in the other."""
    keys = ("Company", "InvoiceId", "RowId")
    items = columns(
        "Company InvoiceId:int RowId:int NetCurrAmount<Amount:decimal VatCode<TaxCode DelivTypeId "
        "PoRefNumber<PoReference "
        "Text"
    )
    postings = columns(
        f"Company InvoiceId:int RowId:int PostingType=IP1 CodeA<Account {_CODES} CurrAmount<Amount:decimal Text"
    )
    found = columns(
        "Company InvoiceId:int Identity<SupplierId PartyType:enum=Supplier SeriesId<InvoiceSeries InvoiceNo "
        "InvoiceDate:date DueDate:date InvoiceType=SUPPINV PayTermId Currency<CurrencyCode "
        "CurrRate<CurrencyRate:decimal "
        "NetCurrAmount<NetAmount:decimal VatCurrAmount<VatAmount:decimal GrossCurrAmount<GrossAmount:decimal "
        "PoRefNumber<PoReference VoucherText<Text NcfReference<ExternalRef Objstate<ObjState:enum"
    )
    arrays = (
        ("ManSuppInvoiceItemArray", "ManSuppInvoiceItem", items),
        ("ManSuppInvPostingArray", "InvPosting", postings),
    )
    return View(
        projection,
        "ManSuppInvoiceSet",
        "ManSuppInvoice",
        "SupplierInvoiceSet",
        ("Company", "InvoiceId"),
        found,
        arrays=tuple(
            View(projection, name, entity, "SupplierInvoiceSet", keys, own, sources=lines, writes=writes)
            for name, entity, own in arrays
        ),
        writes=writes,
    )


def proposals(projection: str = "PostingProposalHandling") -> View:
    """Its page shows only what the user may authorise: to a service user, nothing, with 200."""
    found = columns(
        "Company InvoiceId:int ProposalId:int Identity<SupplierId SeriesId InvoiceNo InvoiceDate:date DueDate:date "
        "Currency<CurrencyCode GrossCurrAmount<GrossAmount:decimal MessageId=AWAITAUTH Objstate<ObjState:enum"
    )
    keys, kind = ("Company", "InvoiceId", "ProposalId"), "PostingProposalHeadSet"
    return View(projection, kind, "PostingProposalHead", kind, keys, found, sources=lambda head: ())
