"""The part of mlc.yaml about Tally Books."""

from pydantic import Field

from mlc_dagster.settings.addresses import Address
from mlc_dagster.settings.section import TargetSection


class TallySettings(TargetSection):
    """Tally Books. The secret comes from TALLY_TOKEN."""

    base_url: Address = "https://api.tallybooks.example"
    calls_per_minute: int = Field(120, ge=1, description="Of the token")
    journals_into_ifs: bool = Field(True, description="Closed journals become vouchers in IFS")
    voucher_type: str = Field("M", min_length=1, max_length=3, description="Of those vouchers")

    def options(self) -> dict[str, str]:
        return {"voucher_type": self.voucher_type}

    @property
    def switched_off(self) -> dict[str, str]:
        return {} if self.journals_into_ifs else {"ifs/vouchers_from_tally": "tally.journals_into_ifs is false"}
