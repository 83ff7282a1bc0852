"""The part of mlc.yaml about Airbase."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from mlc_dagster.core.bank_details import is_named
from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.orders import TakesQuantities
from mlc_dagster.settings.section import PROOF, Pattern, Section, shape, sides
from mlc_dagster.systems.airbase.bills.settings import BillSettings
from mlc_dagster.systems.airbase.spend.settings import SpendSettings


def _path(value: str) -> str:
    """A path below the host, with the slash at its end that Airbase insists on; empty stays empty."""
    if value and (not value.startswith("/") or "?" in value or "#" in value):
        raise ValueError("a path starts with / and has no query; leave it empty to switch the feature off")
    return value if not value or value.endswith("/") else f"{value}/"


ApiPath = Annotated[str, AfterValidator(_path)]


class AirbasePaths(Section):
    """Where things are below `base_url`. An empty path switches its feature off. Airbase documents them to customers
    alone: vendors, accounts, subsidiaries and ledger entries were seen at these; the others are to be confirmed.
    """

    vendors: ApiPath = "/v1/accounting/vendors/"
    vendors_bulk: ApiPath = Field("/v1/accounting/vendors/bulk_upsert/", description="Empty: vendors go one by one")
    accounts: ApiPath = "/v1/accounting/accounts/"
    subsidiaries: ApiPath = "/v1/accounting/subsidiaries/"
    purchase_orders: ApiPath = Field("", description="To be confirmed in the portal; nobody has published it")
    purchase_orders_bulk: ApiPath = Field("", description="Empty: orders go one by one")
    purchase_requests: ApiPath = Field("", description="To be confirmed in the portal; nobody has published it")
    ledger_entries: ApiPath = "/v1/accounting/ledger_entries/"
    bills: ApiPath = Field("", description="To be confirmed in the portal: whether bills can be made at all, and where")
    bills_bulk: ApiPath = Field("", description="Empty: bills go one by one")


VendorDetail = Literal[
    "contact_name",
    "contact_phone",
    "contact_mobile",
    "contact_email",
    "address1",
    "address2",
    "city",
    "state",
    "zip_code",
    "country",
]
DETAIL_PATH = shape(r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$", "a field of a vendor, such as contact.name")
BANK_PATH = shape(
    r"^$|^bank[a-z0-9_]*(\.[a-z0-9_]+)*$", "a field whose name begins with bank, such as bank_account.iban"
)


class AirbaseSettings(SpendSettings, BillSettings, TakesQuantities):
    """Airbase. The token comes from AIRBASE_TOKEN."""

    base_url: Address = "https://api.airbase.io"
    auth_header: str = Field(
        "Authorization", pattern=shape(r"^[A-Za-z][A-Za-z0-9-]*$", "a header's name, such as Authorization")
    )
    auth_scheme: str = Field(
        "Token",
        pattern=shape(r"^[A-Za-z]*$", "one word: Token or Bearer, never the token itself"),
        description="Token or Bearer; empty: the token alone",
    )
    requests_per_minute: int = Field(300, ge=1)
    page_size: int = Field(250, ge=1, le=1000)
    batch_size: int = Field(100, ge=1, le=100, description="Records in one bulk upsert")
    timeout_seconds: float = Field(300, gt=0)
    proof: tuple[Pattern, ...] = Field(("Request was throttled",), description=PROOF)
    vendors_into_ifs: bool = Field(
        True, description="New vendors, and what people change of vendors in Airbase, go into IFS"
    )
    create_suppliers_in_ifs: bool = Field(False, description="Vendors that only Airbase has are made in IFS")
    vendor_fields_left_out: tuple[Literal["is_active", "email"], ...] = Field(
        (), description="Fields that this tenant's vendors do not take; what Airbase does not keep holds its record"
    )
    vendor_details: dict[VendorDetail, Annotated[str, Field(pattern=DETAIL_PATH)]] = Field(
        default_factory=dict,
        description="Where a vendor holds its contact and its address, such as {contact_name: contact.name}: to be "
        "confirmed in the portal. They go both ways where ifs.entity_sets.supplier_set.children names their lists",
    )
    main_address_type: str = Field("Visit", description="The ERP's type of the address that a vendor has")
    bank_details: str = Field(
        "",
        pattern=BANK_PATH,
        description="Where the ERP's bank details of a supplier go in a vendor, such as bank_account.iban: to be "
        "confirmed in the portal, since nobody has published it. Empty: they go nowhere. They never come back",
    )
    supplier_owners: dict[
        Literal["name", "email", "payment_terms", "contacts", "addresses"], Literal["ifs", "airbase", "hold"]
    ] = Field(
        default_factory=dict, description="Whose value counts where both sides changed a field; of the others: ifs"
    )
    order_statuses: dict[str, str] = Field(
        default_factory=dict,
        description="ERP state of an order: its status in Airbase, sent with each change, a cancelled one too. Empty: "
        "a new order is open, and what becomes of it is Airbase's business",
    )
    order_line_fields: dict[Literal["received_quantity", "expected_date"], str] = Field(
        default_factory=dict,
        description="What your tenant's order lines call what was received of them, and when the rest is due; nobody "
        "has published it. Empty: neither is sent",
    )
    paths: AirbasePaths = AirbasePaths()

    def options(self) -> dict[str, str]:
        """What mappings may know of this section, as text."""
        flags = {
            "create_suppliers_in_ifs": str(self.create_suppliers_in_ifs).lower(),
            "bank_details": self.bank_details,
            "main_address_type": self.main_address_type,
        }
        return {**super().options(), **flags}

    @property
    def takes_bank_details(self) -> bool:
        return bool(self.bank_details)

    def tables(self) -> dict[str, dict[str, str]]:
        details = {str(name): path for name, path in self.vendor_details.items()}
        lines = {str(name): path for name, path in self.order_line_fields.items()}
        more = {"order_statuses": self.order_statuses, "order_line_fields": lines, "vendor_details": details}
        return {**super().tables(), "supplier_owners": sides(self.supplier_owners), **more}

    @field_validator("vendor_details")
    @classmethod
    def _are_named(cls, value: dict[str, str]) -> dict[str, str]:
        """A contact is known by its name."""
        if any(name.startswith("contact_") for name in value) and "contact_name" not in value:
            raise ValueError("expected contact_name, too: a contact is known by its name")
        if wrong := [path for path in value.values() if is_named(path)]:
            raise ValueError(f"{', '.join(wrong)}: bank details are never shared; they go one way, by bank_details")
        return value

    @property
    def switched_off(self) -> dict[str, str]:
        """Flow -> why it is off."""
        vendors = "" if self.paths.vendors else "airbase.paths.vendors is empty"
        orders = "" if self.paths.purchase_orders else "airbase.paths.purchase_orders is empty"
        why = {
            "airbase/vendors": vendors,
            "ifs/suppliers_from_airbase": vendors
            or ("" if self.vendors_into_ifs else "airbase.vendors_into_ifs is false"),
            "airbase/purchase_orders": orders or (f"{vendors}, and an order needs its vendor" if vendors else ""),
            **self.bills_off(self.paths),
            **self.spend_off(self.paths.purchase_requests, self.paths.ledger_entries),
        }
        return {flow: reason for flow, reason in why.items() if reason}


class CompanyInAirbase(Section):
    subsidiary: str | None = Field(
        None, description="Its erp_reference_id in Airbase; left out: the company's code; empty: it has none"
    )
