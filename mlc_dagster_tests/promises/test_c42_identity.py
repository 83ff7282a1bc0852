"""C42: other credentials, another portal, another tenant on the same ledger: refused before the first write."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster_tests.promises import journey
from mlc_dagster_tests.promises.accounts import IDS, WRITTEN, Company, becomes_another, filled, kind_of
from mlc_dagster_tests.promises.journey import SIGN_INS
from mlc_dagster_tests.promises.kinds import PLENTY, RECORDS, Kind

COMPANIES = kind_of("hubspot/supplier_companies")
TELLING = tuple(kind for kind in WRITTEN if kind.system in IDS)
SILENT = tuple(kind for kind in WRITTEN if kind.system not in IDS)


@pytest.fixture
def company(ledger: Ledger, tmp_path: Path) -> Iterator[Company]:
    """On both databases."""
    with Sandbox(seed="empty", limits=PLENTY) as box:
        yield Company(box, ledger, tmp_path)


@pytest.fixture
def quick(sqlite_ledger: Ledger, tmp_path: Path) -> Iterator[Company]:
    """Where the database does not matter."""
    with Sandbox(seed="empty", limits=PLENTY) as box:
        yield Company(box, sqlite_ledger, tmp_path)


@pytest.fixture(autouse=True)
def sign_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test may change what the company signs in with."""
    monkeypatch.setattr(journey, "SIGN_INS", dict(SIGN_INS))


def with_secrets(system: str, *secrets: str) -> None:
    journey.SIGN_INS[system] = (journey.SIGN_INS[system][0], secrets)


def other_account(company: Company, system: str) -> None:
    """The same place and the same records, and another account."""
    becomes_another(company.box, system)
    if system == "cin7":
        with_secrets("cin7", IDS["cin7"], "sandbox-key-1")


# --- refused --------------------------------------------------------------------------------------------------------


@pytest.mark.promise("C42", "another account of the same system, with the same records under the same ids")
@pytest.mark.parametrize("kind", TELLING, ids=str)
def test_c42_another_account_is_refused_before_the_first_write(kind: Kind, company: Company) -> None:
    filled(company.box, kind)
    company.deliver(kind)
    other_account(company, kind.system)
    kind.fill(company.box)  # there is something to send
    before = company.box.systems[kind.system].state()
    with pytest.raises(Misconfigured, match=f"{kind.system} leads to .* this ledger knows it as .*") as refused:
        company.go(kind.flow)
    assert company.writes() == 0 and company.box.systems[kind.system].state() == before
    said = str(refused.value)
    assert "nothing was written" in said and "record(s) are concerned" in said
    assert f"mlc ledger new-account {kind.system}" in said and f"mlc ledger same-account {kind.system}" in said


@pytest.mark.promise("C42", "another account of a system that tells no id: nothing of what was delivered is there")
@pytest.mark.parametrize("kind", SILENT, ids=str)
def test_c42_an_account_without_what_was_delivered_is_refused(kind: Kind, company: Company) -> None:
    filled(company.box, kind)
    company.deliver(kind)
    with Sandbox(seed="empty", limits=PLENTY, accounts={"ifs": "sandbox"}) as other:
        filled(other, kind)
        stand_in(other, kind.system)
        company.box = other
        with pytest.raises(Misconfigured, match="of what was delivered there, nothing was found"):
            company.go(kind.flow)
        assert company.writes() == 0


def stand_in(box: Sandbox, system: str) -> None:
    """Other records under the numbers that ours have: Procurify numbers its vendors."""
    if system == "procurify":
        for number in range(1, RECORDS + 1):
            box.procurify.put_vendor(name=f"Somebody else {number}", country="Norway", external_id=f"X{number}")


@pytest.mark.promise("C42", "rows of another ERP tenant are not taken for this one's")
def test_c42_another_tenant_of_the_erp_is_not_even_read(company: Company) -> None:
    filled(company.box, COMPANIES)
    company.deliver(COMPANIES)
    pulls = company.ledger.pulls()
    company.box.serve({"ifs": "acmetest1"})
    company.box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "Another company's supplier", "Country": "SE"})
    with pytest.raises(Misconfigured, match=r"ifs leads to realm acmetest1 .* knows it as realm sandbox"):
        company.go(COMPANIES.flow)
    assert company.writes() == 0 and company.ledger.pulls() == pulls
    assert [times for path, times in company.calls("ifs").items() if "Set" in path] == [1], "one row, to sign in"


@pytest.mark.promise(
    "C42", "two installations of an ERP whose realms have one name: the other has none of our documents"
)
def test_c42_a_tenant_with_the_same_realm_at_another_address_is_read_back(company: Company) -> None:
    kind = kind_of("ifs/vouchers_from_airbase_payments")
    filled(company.box, kind)
    company.deliver(kind)
    with Sandbox(seed="empty", limits=PLENTY, accounts={"ifs": "sandbox"}) as other:
        filled(other, kind)
        settings = company.settings
        company.box = other
        with pytest.raises(Misconfigured, match="nothing was found"):
            company.go(kind.flow)
        assert company.writes() == 0 and settings.ifs.base_url != company.settings.ifs.base_url


@pytest.mark.promise("C42", "the trial portal, then the production portal's token: unchanged is not delivered")
def test_c42_what_is_unchanged_on_the_trial_portal_is_not_taken_for_delivered_on_the_other(company: Company) -> None:
    filled(company.box, COMPANIES)
    company.deliver(COMPANIES)
    with Sandbox(seed="empty", limits=PLENTY) as production:
        filled(production, COMPANIES)
        company.box, trial = production, company.box
        production.serve({"ifs": trial.ifs.tokens.realm})
        with pytest.raises(Misconfigured, match=r"portal 147000002 .* knows it as portal 147000001"):
            company.go(COMPANIES.flow)
        assert not production.hubspot.live("companies")


# --- never refused --------------------------------------------------------------------------------------------------

ROTATED: dict[str, tuple[str, ...]] = {
    "hubspot": ("pat-rotated",),
    "monday": ("monday-rotated",),
    "cin7": ("sandbox-account", "rotated-key"),
    "airbase": ("airbase-rotated",),
    "procurify": ("procurify-new-id", "procurify-new-secret"),
    "ifs": ("new-client", "new-secret"),
}


def rotate(box: Sandbox, system: str) -> None:
    """The account gives out new credentials, and refuses the old ones."""
    new = ROTATED[system]
    with_secrets(system, *new)
    match system:
        case "hubspot":
            box.hubspot.token = new[0]
        case "monday":
            box.monday.token = new[0]
        case "airbase":
            box.airbase.token = new[0]
        case "cin7":
            box.cin7.keys = (new[1],)
        case "procurify":
            box.procurify.tokens.credentials = new  # type: ignore[assignment]
        case "ifs":
            box.ifs.tokens.credentials = new  # type: ignore[assignment]


@pytest.mark.promise("C42", "credentials that were rotated, and another name of the same host")
@pytest.mark.parametrize("kind", WRITTEN, ids=str)
def test_c42_rotated_credentials_and_another_host_name_of_the_right_account_pass(kind: Kind, quick: Company) -> None:
    filled(quick.box, kind)
    quick.deliver(kind)
    rotate(quick.box, kind.system)
    assert quick.go(kind.flow).held == 0
    quick.named = lambda url: url.replace("127.0.0.1", "localhost")
    assert quick.go(kind.flow).held == 0
    assert len({each.identity for each in quick.ledger.accounts.history(kind.system)}) == 1


@pytest.mark.promise("C42", "a company that was renamed")
@pytest.mark.parametrize("system", ["hubspot", "monday", "cin7"])
def test_c42_a_renamed_account_passes_and_is_known_by_its_new_name(system: str, quick: Company) -> None:
    kind = next(kind for kind in WRITTEN if kind.system == system)
    filled(quick.box, kind)
    quick.deliver(kind)
    quick.box.hubspot.account["accountType"] = "STANDARD"
    quick.box.monday.resolvers.account_name = quick.box.cin7.company = "Renamed Ltd"
    assert quick.go(kind.flow).held == 0
    known = quick.ledger.accounts.known(system)
    assert known and ("STANDARD" in known.title or "Renamed Ltd" in known.title)


@pytest.mark.promise("C42", "a token that may not ask which account it is of")
@pytest.mark.parametrize("system", ["hubspot", "monday"])
def test_c42_a_token_that_may_not_ask_passes_with_a_warning_where_the_records_are_there(
    system: str, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    kind = next(kind for kind in WRITTEN if kind.system == system)
    filled(company.box, kind)
    company.deliver(kind)
    company.box.hubspot.may_ask_account = company.box.monday.resolvers.may_ask_account = False
    with caplog.at_level(logging.WARNING):
        assert company.go(kind.flow).held == 0
    assert f"{system}: {'HubSpot' if system == 'hubspot' else 'monday.com'} does not tell which account" in caplog.text
    assert sum(record.levelno == logging.WARNING for record in caplog.records) == 1


@pytest.mark.promise("C42", "a token that may not ask, of another account")
@pytest.mark.parametrize("system", ["hubspot", "monday"])
def test_c42_a_token_that_may_not_ask_is_refused_where_the_records_are_not_there(system: str, quick: Company) -> None:
    kind = next(kind for kind in WRITTEN if kind.system == system)
    filled(quick.box, kind)
    quick.deliver(kind)
    with Sandbox(seed="empty", limits=PLENTY, accounts={"ifs": "sandbox"}) as other:
        filled(other, kind)
        other.hubspot.may_ask_account = other.monday.resolvers.may_ask_account = False
        quick.box = other
        with pytest.raises(Misconfigured, match="nothing was found"):
            quick.go(kind.flow)
        assert quick.writes() == 0


@pytest.mark.promise("C42", "an ERP whose tokens say nothing")
def test_c42_an_erp_with_opaque_tokens_is_read_back(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    kind = kind_of("ifs/vouchers_from_airbase_payments")
    opaque = Tenant(opaque_tokens=True)
    with Sandbox(seed="empty", limits=PLENTY, tenant=opaque) as box:
        company = Company(box, sqlite_ledger, tmp_path)
        filled(box, kind)
        company.deliver(kind)
        assert company.go(kind.flow).held == 0
        with Sandbox(seed="empty", limits=PLENTY, tenant=opaque) as other:
            filled(other, kind)
            company.box = other
            with pytest.raises(Misconfigured, match="nothing was found"):
                company.go(kind.flow)
            assert company.writes() == 0


@pytest.mark.promise("C42", "a revoked credential is told as such, and not as another account")
def test_c42_a_revoked_token_is_no_other_account(quick: Company) -> None:
    filled(quick.box, COMPANIES)
    quick.deliver(COMPANIES)
    with_secrets("hubspot", "pat-revoked")
    with pytest.raises(AccessDenied, match="401"):
        quick.go(COMPANIES.flow)


# --- the ledger of the release before -------------------------------------------------------------------------------


@pytest.mark.promise("C42", "a ledger of the release before: the account is noted where what it delivered is there")
@pytest.mark.parametrize("kind", WRITTEN, ids=str)
def test_c42_a_ledger_of_the_release_before_learns_its_account(kind: Kind, quick: Company) -> None:
    filled(quick.box, kind)
    quick.deliver(kind)
    before = quick.ledger.accounts.known(kind.system)
    quick.forget_accounts()
    assert quick.go(kind.flow).held == 0
    known = quick.ledger.accounts.known(kind.system)
    assert known and before and (known.identity, known.title) == (before.identity, before.title)


@pytest.mark.promise("C42", "a ledger of the release before, another account")
def test_c42_a_ledger_of_the_release_before_refuses_an_account_without_its_records(company: Company) -> None:
    filled(company.box, COMPANIES)
    company.deliver(COMPANIES)
    company.forget_accounts()
    for each in list(company.box.hubspot.live("companies")):
        company.box.hubspot.objects.rows["companies"].pop(each)
    with pytest.raises(Misconfigured, match="knows it by its deliveries alone: of what was delivered there, nothing"):
        company.go(COMPANIES.flow)
    assert company.writes() == 0 and company.ledger.accounts.known("hubspot") is None


# --- what it costs --------------------------------------------------------------------------------------------------


@pytest.mark.promise("C42", "requests for it in a run in which nothing changed: at most four for a connection")
@pytest.mark.parametrize("kind", WRITTEN, ids=str)
def test_c42_a_run_asks_at_most_four_times(kind: Kind, quick: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(quick.box, kind)
    quick.deliver(kind)
    counts: dict[str, Any] = {}
    for asked in (False, True):
        monkeypatch.setattr(journey.AccountCheck, "__call__", CHECK if asked else lambda self: None)
        quick.box.forget_calls()
        quick.go(kind.flow)
        counts[str(asked)] = {system: sum(quick.calls(system).values()) for system in quick.box.systems}
    more = {system: counts["True"][system] - counts["False"][system] for system in quick.box.systems}
    print(f"{kind}: {more}")
    assert all(number <= 4 for number in more.values()), more


CHECK = journey.AccountCheck.__call__
