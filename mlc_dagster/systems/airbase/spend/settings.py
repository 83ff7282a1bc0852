"""The part of mlc.yaml about what Airbase's spend becomes in the ERP's books."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mlc_dagster.settings.payables import StatesPayables
from mlc_dagster.settings.section import Section
from mlc_dagster.systems.airbase.approvals.purchase_types import INVOICE_STATE, PurchaseType, tables_of
from mlc_dagster.systems.airbase.spend.amortization import AMORTIZATION
from mlc_dagster.systems.airbase.spend.dimensions import IGNORED, by_label
from mlc_dagster.systems.airbase.spend.entry_types import LISTED, TYPES, Kind
from mlc_dagster.systems.airbase.spend.fields import PAYMENT, REQUEST, unknown_fields
from mlc_dagster.systems.airbase.spend.settlement import EXCHANGE_DIFFERENCES

_PLACEHOLDER = re.compile(r"\{[^}]*\}?")
_PLACEHOLDERS = ("{voucher}", "{remote_id}")


def _template(value: dict[str, str]) -> dict[str, str]:
    if strange := sorted({each for text in value.values() for each in _PLACEHOLDER.findall(text)} - {*_PLACEHOLDERS}):
        raise ValueError(f"a template knows {' and '.join(_PLACEHOLDERS)}; found {', '.join(strange)}")
    return value


def _none_is_off(value: Any) -> Any:
    return {} if value == "none" else value


Template = Annotated[dict[str, str], BeforeValidator(_none_is_off), AfterValidator(_template)]
"""The body of a PATCH: field -> text, with {voucher} and {remote_id} in it."""


class Acknowledge(Section):
    """What is written back to Airbase when the ledger has the voucher. `none` writes nothing."""

    requests: Template = Field({}, description="Body for a purchase request")
    payments: Template = Field(
        {"status": "sync_complete", "erp_reference_id": "{voucher}"}, description="Body for a ledger entry"
    )


def _of(known: Any) -> Any:
    def check(value: dict[str, str]) -> dict[str, str]:
        if strangers := unknown_fields(value, known):
            raise ValueError(f"no field is called {strangers}; there are {', '.join(sorted(known))}")
        return value

    return AfterValidator(check)


class SpendFields(Section):
    """Our field -> the dotted path at which this tenant has it, where it is another than in `spend_fields.py`."""

    requests: Annotated[dict[str, str], _of(REQUEST)] = Field(default_factory=dict)
    payments: Annotated[dict[str, str], _of(PAYMENT)] = Field(default_factory=dict)


def _letters(value: dict[str, str]) -> dict[str, str]:
    if strange := sorted({letter for letter in value.values() if not re.fullmatch("[B-J]", letter)}):
        raise ValueError(f"a code part is a letter from B to J; found {', '.join(strange)}")
    if len(set(value.values())) < len(value):
        raise ValueError("two tag groups are one code part")
    if len(by_label(value)) < len(value):
        raise ValueError("two tag groups differ in case alone")
    return value


class SpendSettings(StatesPayables):
    """Accounts, dimensions and acknowledgements of purchase requests and payments."""

    request_status: str = Field("approved", min_length=1, description="Requests in this status are entered")
    ledger_status: str = Field("sync_ready", min_length=1, description="Ledger entries in this status are entered")
    taken_back_statuses: tuple[str, ...] = Field(
        ("voided", "void", "rejected", "denied", "declined", "cancelled", "canceled", "deleted", "withdrawn"),
        description="Statuses, in any case, by which Airbase takes back what was entered already",
    )
    standing_statuses: tuple[str, ...] = Field(
        (), description="Further statuses in which what was entered stands; one that is named nowhere is told"
    )
    payments_into_ifs: bool = Field(False, description="Payments become vouchers; nothing is posted while it is off")
    types: dict[str, Kind] = Field(
        default_factory=dict, description="Type of ledger entries: what it is. None is entered that is not named here"
    )
    payment_types: tuple[str, ...] = Field(
        (), description="As before `types`: a type here pays what it is applied to, else the accounts of its lines"
    )
    bills_elsewhere: bool = Field(
        False, description="Bills reach IFS another way: a payment is entered though its bill is not known here"
    )
    voucher_type: str = Field("M", min_length=1)
    user_group: str = ""
    accounts_by_purchase_type: dict[str, str] = Field(
        default_factory=dict, description="Purchase type: ERP account that is debited where the line names none"
    )
    purchase_types: dict[str, PurchaseType] = Field(
        default_factory=dict, description="Purchase type: what its approval becomes in the ERP; of others: a voucher"
    )
    accrual_account: str = Field("", description="ERP account that requests are credited to; empty: they are off")
    ap_account: str = Field("", description="ERP account that a bill payment debits, where the entry names none")
    exchange_difference_account: str = Field(
        "", description="ERP account of what was settled beside what was entered; empty: such a payment is held"
    )
    amortization: Literal["hold", "prepaid", "expense"] = Field(
        "hold", description="Of lines that are an expense over time: prepaid debits the account that Airbase names"
    )
    debit_accounts: dict[str, str] = Field(
        default_factory=dict, description="Payment type: ERP account that its total debits, instead of its lines'"
    )
    credit_accounts: dict[str, str] = Field(
        default_factory=dict, description="Payment type: ERP account that is credited, instead of its bank's"
    )
    bank_accounts: dict[str, str] = Field(
        default_factory=dict,
        description="Bank account, by its ERP reference or name: ERP account; no table: its reference",
    )
    dimensions: Annotated[dict[str, str], AfterValidator(_letters)] = Field(
        {"Department": "B"}, description="Label of a tag (its type_label), in any case: code part, B to J"
    )
    ignored_tags: tuple[str, ...] = Field(
        (), description="Labels of tags that are no matter of the books; a tag of any other label holds its record"
    )
    cost_centers: dict[str, str] = Field(
        default_factory=dict, description="Tag, by its ERP reference or name: code part value; no table: its reference"
    )
    acknowledge: Acknowledge | None = Field(None, description="Leave it out to write nothing back to Airbase")
    failed_status: str = Field(
        "", description="Status of a ledger entry that is on hold here; empty: Airbase is told of no failure"
    )
    fields: SpendFields = SpendFields()

    def options(self) -> dict[str, str]:
        names = (
            *("request_status", "ledger_status", "failed_status", "voucher_type", "user_group"),
            *("accrual_account", "ap_account", EXCHANGE_DIFFERENCES, AMORTIZATION),
        )
        listed = {name: ",".join(getattr(self, name)) for name in ("taken_back_statuses", "standing_statuses")}
        flags = {"bills_elsewhere": str(self.bills_elsewhere).lower()}
        return {**super().options(), **{name: getattr(self, name) for name in names}, **listed, **flags}

    def tables(self) -> dict[str, dict[str, str]]:
        names = (
            *("accounts_by_purchase_type", "debit_accounts", "credit_accounts", "bank_accounts"),
            *("dimensions", "cost_centers"),
        )
        written = self.acknowledge
        return {
            **super().tables(),
            **{name: getattr(self, name) for name in names},
            **tables_of(self.purchase_types),
            TYPES: {**dict.fromkeys(self.payment_types, LISTED), **self.types},
            IGNORED: by_label(dict.fromkeys(self.ignored_tags, "")),
            "acknowledge_requests": written.requests if written else {},
            "acknowledge_payments": self._of_entries(written.payments if written else {}),
        }

    def _of_entries(self, template: dict[str, str]) -> dict[str, str]:
        """A success clears what a failure said."""
        return {"error_message": "", **template} if template and self.failed_status else template

    def spend_off(self, requests: str, payments: str) -> dict[str, str]:
        """Flow -> why it is off, empty where it is on; by the paths of the two lists."""
        no_list = "" if requests else "airbase.paths.purchase_requests is empty"
        no_requests = no_list or ("" if self.accrual_account else "airbase.accrual_account is empty")
        changes = any(INVOICE_STATE in each.into for each in self.purchase_types.values())
        no_states = no_list or ("" if changes else "no type of airbase.purchase_types goes into invoice_state")
        no_payments = "" if payments else "airbase.paths.ledger_entries is empty"
        no_payments = no_payments or ("" if self.payments_into_ifs else "airbase.payments_into_ifs is false")
        tables = self.tables()
        silent = {
            name: "" if tables[f"acknowledge_{name}"] else f"airbase.acknowledge.{name} is not set"
            for name in ("requests", "payments")
        }
        return {
            "ifs/vouchers_from_airbase_requests": no_requests,
            "ifs/invoice_states_from_airbase_requests": no_states,
            "ifs/vouchers_from_airbase_bills": no_payments,
            "ifs/vouchers_from_airbase_payments": no_payments,
            "airbase/requests_acknowledged": (no_requests if no_states else "") or silent["requests"],
            "airbase/payments_acknowledged": no_payments or silent["payments"],
            "airbase/failures_told": no_payments
            or silent["payments"]
            or ("" if self.failed_status else "airbase.failed_status is empty"),
        }

    def erp_accounts(self, connection: str) -> Iterator[tuple[str, str]]:
        yield from super().erp_accounts(connection)
        single = {"ap_account": self.ap_account, "accrual_account": self.accrual_account}
        single[EXCHANGE_DIFFERENCES] = self.exchange_difference_account
        yield from ((f"{connection}.{name} is {code!r}", code) for name, code in single.items() if code)
        for table in ("debit_accounts", "credit_accounts", "bank_accounts", "accounts_by_purchase_type"):
            named: Mapping[str, str] = getattr(self, table)
            yield from ((f"{connection}.{table}.{name} is {code!r}", code) for name, code in named.items())

    def erp_code_part_values(self, connection: str) -> Iterator[tuple[str, str]]:
        yield from ((f"{connection}.cost_centers.{name} is {each!r}", each) for name, each in self.cost_centers.items())
