"""C30: tenants that differ. Each entity set is read exactly as the sandbox stores it, or switched off by a setting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet, Row, Scope, Window
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.profiles import PROFILES
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.ifs.records import ENTITY_SETS, catalogue_for
from mlc_dagster.transport.rate_limits import LocalBudget
from mlc_dagster_tests.promises import tenant_books as books
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.promises.tenant_outcomes import LACKS
from mlc_dagster_tests.systems.ifs.conftest import Memory, Reader


@pytest.fixture(scope="module", params=list(PROFILES))
def tenant(request: pytest.FixtureRequest) -> Iterator[tuple[str, Sandbox, Any]]:
    """(profile, its sandbox with the books, the section of mlc.yaml)."""
    profile = f"ifs.{request.param}"
    with Sandbox(seed="empty", limits=PLENTY, profiles=(profile,)) as box:
        books.fill(box)
        content = demo_settings(box.url, profiles=(profile,))
        content["ifs"]["requests_per_minute"] = "100000"
        yield request.param, box, configuration.erp_settings(configuration.parse(content, "mlc.yaml"))


def read(box: Sandbox, section: Any, entity: EntitySet) -> list[Row]:
    """All that is there: of each company, or of today."""
    client = ifs_client(section, "sandbox", "sandbox-secret", lambda _, calls, seconds: LocalBudget(calls, seconds))
    today = datetime.now(UTC).date()
    scopes = [Scope(today.isoformat(), Window.day(today))]
    if entity.partition == "company":
        scopes = [Scope(company, company=company) for company in books.COMPANIES]
    memory, reader = Memory(), Reader(client)
    return [row for scope in scopes for row in reader(entity, scope, memory)[0]]


@pytest.mark.promise(
    "C30", "each entity set of each of the ERP's profiles, read whole: keys, counts, sums, every value"
)
@pytest.mark.parametrize("name", [entity.name for entity in ENTITY_SETS])
def test_c30_a_set_is_read_exactly_or_switched_off(tenant: tuple[str, Sandbox, Any], name: str) -> None:
    profile, box, section = tenant
    entity = catalogue_for(section)[name]
    if name in LACKS[profile]:
        with pytest.raises(Misconfigured, match=rf"ifs\.entity_sets\.{name}|ifs/{name}"):
            read(box, section, entity)
        return
    expected = books.truth(box, entity)
    found = read(box, section, entity)
    assert list(books.differences(found, expected, entity)) == []
    assert books.sums(found, entity).items() >= books.sums(list(expected.values()), entity).items()


@pytest.mark.promise("C30", "a voucher with a rate of twenty decimals: read to the last digit, or told; none is lost")
def test_c30_twenty_decimals_are_read_whole_or_told(tenant: tuple[str, Sandbox, Any]) -> None:
    _, box, section = tenant
    odd = books.voucher(77, box.tenant.fiscal_year_starts)
    odd["VoucherRows"] = [{**row, "CurrencyRate": books.TINY} for row in odd["VoucherRows"]]
    box.ifs.put("VoucherSet", odd, modified=books.now())
    try:
        found = read(box, section, catalogue_for(section)["voucher_set"])
    finally:
        keys = ("Company", "VoucherType", "AccountingYear", "VoucherNo")
        box.ifs.delete("VoucherSet", **{name: odd[name] for name in keys})
    assert len(found) == books.VOUCHERS + 1
    (voucher,) = [row for row in found if row["voucher_no"] == odd["VoucherNo"]]
    if voucher["unreadable"]:
        assert str(books.TINY) in voucher["unreadable"]
    else:
        assert {line["currency_rate"] for line in voucher["lines"]} == {books.TINY}
