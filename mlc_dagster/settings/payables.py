"""What every section of mlc.yaml has in common whose documents say what is payable."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from mlc_dagster.settings.section import TargetSection


class StatesPayables(TargetSection):
    """Where what is payable may be another amount than net plus tax: `rules.payables` reads it."""

    payable_difference_account: str = Field(
        "", description="ERP account of what is payable beside net plus tax (rounding, withholding); empty: it is held"
    )
    payable_difference_most: Decimal = Field(
        Decimal(1), gt=0, description="A larger difference is held, in the document's currency"
    )

    def options(self) -> dict[str, str]:
        account, most = self.payable_difference_account, self.payable_difference_most
        own = {"payable_difference_account": account, "payable_difference_most": f"{most:f}"}
        return {**super().options(), **own}

    def erp_accounts(self, connection: str) -> Iterator[tuple[str, str]]:
        yield from super().erp_accounts(connection)
        if code := self.payable_difference_account:
            yield f"{connection}.payable_difference_account is {code!r}", code
