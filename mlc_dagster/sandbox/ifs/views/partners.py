"""Suppliers and customers as the services of the user interface show them: a short header, the rest in arrays below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.views.columns import Column, Source, Value, columns
from mlc_dagster.sandbox.ifs.views.view import INT, View

READ_WRITE = frozenset({"POST", "PATCH"})
_NAMES = {
    "SE": "SWEDEN",
    "JP": "JAPAN",
    "KW": "KUWAIT",
    "DE": "GERMANY",
    "US": "UNITED STATES",
    "FI": "FINLAND",
    "NO": "NORWAY",
}


def suppliers(tenant: Tenant, projection: str = "SupplierHandling") -> View:
    """SupplierInfoGeneralSet: VAT number, bank account, credit limit, default account are in no set that is public."""
    header = columns(
        "SupplierId Name CreationDate:date AssociationNo Party DefaultDomain:bool=true DefaultLanguage "
        "CountryCode<Country PartyType:enum=Supplier SuppliersOwnId CorporateForm IdentifierReference "
        "IdentifierRefValidation:enum=None PictureId OneTime:bool=false SupplierCategory:enum=Supplier "
        "B2bSupplier:bool=false BusinessClassification "
        "ValidDataProcessingPurpose:bool=false VisibleDataSubConstColumn Cf_Region"
    )
    demanded = (
        "B2bSupplier Country CreationDate DefaultDomain DefaultLanguage IdentifierRefValidation Name OneTime PartyType "
        "SupplierCategory ValidDataProcessingPurpose"
    )
    return View(
        projection,
        "SupplierInfoGeneralSet",
        "SupplierInfoGeneral",
        "SupplierSet",
        ("SupplierId",),
        (*header, country(tenant)),
        arrays=(
            _addresses(projection),
            _invoicing(tenant, projection),
            _payment(tenant, projection),
            _buying(projection),
        ),
        writes=READ_WRITE,
        demanded=tuple(name for name in demanded.split() if name != "Country" or tenant.countries == "iso"),
        adds={} if tenant.suppliers_approved else {"IsApproved": False},
        no_filter=("SuppliersOwnId", "CorporateForm"),
    )


def country(tenant: Tenant) -> Column:
    """As ISO 3166 has it, or by the client value of the list, beside CountryCode."""
    if tenant.countries == "iso":
        return columns("Country")[0]
    value: Value = lambda source: _NAMES.get(source.get("Country") or "", source.get("Country"))  # noqa: E731
    return Column("Country", "text", value)


def _addresses(projection: str) -> View:
    methods = View(
        projection,
        "AddressCommunicationMethods",
        "SupplierInfoCommMethod",
        "SupplierSet",
        ("Identity", "PartyType", "CommId"),
        columns(
            "Identity<SupplierId PartyType:enum=Supplier CommId:int=1 MethodId:enum=EMail Value<Email Description "
            "AddressId=1 MethodDefault:bool=true AddressDefault:bool=true ValidFrom:date ValidTo:date Name"
        ),
        sources=lambda head: _where(head, "Email"),
        writes=READ_WRITE,
    )
    return View(
        projection,
        "SupplierInfoAddresses",
        "SupplierInfoAddress",
        "SupplierSet",
        ("SupplierId", "AddressId"),
        columns(
            "SupplierId AddressId=1 Name Country CountryCode<Country Address Address1 Address2 ZipCode City County "
            "State ValidFrom:date ValidTo:date EanLocation SupplierBranch DefaultDomain:bool=true "
            "PartyType:enum=Supplier Party"
        ),
        arrays=(methods,),
    )


def _where(head: Stored, *names: str) -> Iterator[Source]:
    """The row is there once one of these fields is filled."""
    if any(head.fields.get(name) is not None for name in names):
        yield Source(head)


def _invoicing(tenant: Tenant, projection: str) -> View:
    """One row for each company; the first company's terms are the supplier's, the others' are their own."""
    return View(
        projection,
        "SupplierInvoiceCompanies",
        "IdentityInvoiceInfo",
        "SupplierSet",
        ("Company", "Identity", "PartyType"),
        columns(
            "Company Identity<SupplierId PartyType:enum=Supplier PayTermId<PaymentTerms DefCurrency<CurrencyCode "
            "DefVatCode GroupId=0 IdentityType=EXTERN InvoicingSupplier DefAuthorizer DefPreliminaryCode "
            "AutomaticInvoice:bool=false AutomaticPayAuthFlag=FALSE MatchingLevel UsePostingProposal=TRUE "
            "IsSinwofActive=TRUE "
            "ExcludePostingAuth=FALSE ExpireDate:date InactiveReasonDesc PostingTemplateId DefManSuppInvType "
            "TaxLiability=EXEMPT"
        ),
        sources=lambda head: _by_company(head, tenant.companies, "PayTermId"),
        writes=READ_WRITE,
        demanded=("Company", "GroupId", "PayTermId", "DefCurrency", "IdentityType"),
    )


def _by_company(head: Stored, companies: Iterable[str], varies: str) -> Iterator[Source]:
    for place, company in enumerate(companies):
        if any(head.fields.get(name) is not None for name in ("PaymentTerms", "CurrencyCode")):
            yield Source(head, also={"Company": company, **({varies: "10"} if place else {})})


def _payment(tenant: Tenant, projection: str) -> View:
    return View(
        projection,
        "SupplierPayments",
        "IdentityPayInfo",
        "SupplierSet",
        ("Company", "Identity", "PartyType"),
        columns(
            "Company Identity<SupplierId PartyType:enum=Supplier BlockedForPayment<Blocked:bool DefaultPaymentMethod "
            "OtherPayeeIdentity Priority PaymentAdvice CheckRecipient NettingAllowed PaymentMode"
        ),
        sources=lambda head: (Source(head, also={"Company": company}) for company in tenant.companies),
        writes=READ_WRITE,
    )


def _buying(projection: str) -> View:
    return View(
        projection,
        "SupplierPurchases",
        "Supplier",
        "SupplierSet",
        ("VendorNo",),
        columns(
            "VendorNo<SupplierId CurrencyCode PayTermId<PaymentTerms BuyerCode=PURCH SuppGrp=1 Category:enum=External "
            "Discount:decimal=0 TaxLiability OurCustomerNo AcquisitionSite NoteText<Notes "
            "PurchaseCode EmailPurchaseOrderDb"
        ),
        sources=lambda head: _where(head, "CurrencyCode", "PaymentTerms", "Notes"),
        writes=READ_WRITE,
        demanded=("CurrencyCode",),
    )


def customers(tenant: Tenant, projection: str = "CustomerHandling") -> View:
    """CustomerInfoSet: credit, terms and currency are in arrays whose names are not public: this tenant shows none."""
    header = columns(
        "CustomerId Name AssociationNo CustomerCategory:enum=Customer OneTime:bool=false B2bCustomer:bool=false "
        "CountryCode<Country DefaultLanguage=en CreationDate:date PartyType:enum=Customer DefaultDomain:bool=true "
        "IdentifierRefValidation:enum=None MainRepresentative CorporateForm BusinessClassification "
        "DateOfRegistration:date CustomerTaxUsageType ValidDataProcessingPurpose:bool=false Party "
        "IdentifierReference PictureId "
        "VisibleDataSubConstColumn Cf_Segment"
    )
    return View(
        projection,
        "CustomerInfoSet",
        "CustomerInfo",
        "CustomerSet",
        ("CustomerId",),
        (*header, country(tenant)),
        writes=READ_WRITE,
        demanded=("Name", "CreationDate", "Country", "CountryCode", "DefaultLanguage", "PartyType", "DefaultDomain"),
    )


def supplier_entities(tenant: Tenant) -> tuple[View, View, View]:
    """Header, purchase side and customers, each as an entity service of its own: no arrays."""
    header = replace(suppliers(tenant, "SupplierInfoGeneralEntity"), surface=INT, arrays=())
    buying = replace(_buying("SupplierEntity"), set="SupplierSet", surface=INT)
    return header, buying, replace(customers(tenant, "CustomerInfoEntity"), surface=INT)
