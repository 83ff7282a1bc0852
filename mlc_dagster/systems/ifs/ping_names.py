"""What mlc.yaml takes for granted of the ERP's books: accounts and code part values, each with its setting."""

from __future__ import annotations

from collections.abc import Iterator

from mlc_dagster.settings import Settings
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.procurify.settings import ProcurifySettings

Named = Iterator[tuple[str, str]]
"""("airbase.ap_account is '2440'", what is named)."""


def accounts(settings: Settings) -> Named:
    """Accounts of the ERP."""
    for system, section in settings.targets.items():
        yield from ((f"{system}.gl_accounts maps {code!r}", code) for code in section.gl_accounts)
        if isinstance(section, AirbaseSettings):
            yield from _of_airbase(section)
        if isinstance(section, ProcurifySettings):
            single = {name: getattr(section, name) for name in ("shipping_account", "tax_account")}
            yield from ((f"procurify.{name} is {code!r}", code) for name, code in single.items() if code)


def cost_centres(settings: Settings) -> Named:
    """Values of the ERP's code parts."""
    for system, section in settings.targets.items():
        if isinstance(section, AirbaseSettings | ProcurifySettings):
            values = section.cost_centers.items()
            yield from ((f"{system}.cost_centers.{name} is {value!r}", value) for name, value in values)


def _of_airbase(section: AirbaseSettings) -> Named:
    single = {name: getattr(section, name) for name in ("ap_account", "accrual_account")}
    yield from ((f"airbase.{name} is {code!r}", code) for name, code in single.items() if code)
    for table in ("debit_accounts", "credit_accounts", "bank_accounts", "accounts_by_purchase_type"):
        named = getattr(section, table).items()
        yield from ((f"airbase.{table}.{name} is {code!r}", code) for name, code in named)
