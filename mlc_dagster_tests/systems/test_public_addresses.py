"""Where a SaaS has one address for all its customers, mlc.yaml need not say it; where each has its own, it must."""

import pytest
from pydantic import ValidationError

from mlc_dagster.systems.registry import systems

PUBLIC = {
    "cin7": "https://inventory.dearsystems.com/ExternalApi/v2",
    "airbase": "https://api.airbase.io",
    "hubspot": "https://api.hubapi.com",
    "monday": "https://api.monday.com",
}


@pytest.mark.parametrize("system", PUBLIC)
def test_the_address_that_all_customers_share_is_known(system: str) -> None:
    assert systems()[system].settings().base_url.removesuffix("/v2") == PUBLIC[system].removesuffix("/v2")


@pytest.mark.parametrize("system", ["ifs", "procurify"])
def test_an_address_of_a_customers_own_is_asked_for(system: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        systems()[system].settings()
