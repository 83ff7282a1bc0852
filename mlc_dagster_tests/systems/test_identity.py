"""Whether an account has what the ledger says, on both sides of every kind of flow: by id, and by what it carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlc_dagster.core.accounts import Account, Delivered
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.identity import sampled
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems import accounts
from mlc_dagster.systems.cin7.identity import digest_of
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.promises.accounts import Company, filled
from mlc_dagster_tests.promises.journey import SIGN_INS, client_of, flow_of
from mlc_dagster_tests.promises.kinds import KINDS, PLENTY, Kind

NUMBERED = [kind for kind in KINDS if kind.flow != "airbase/payments_acknowledged"]
"""But for payments, which are Airbase's own: their id is their key, and a random one."""


@pytest.fixture
def company(sqlite_ledger: Ledger, tmp_path: Path) -> Iterator[Company]:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        yield Company(box, sqlite_ledger, tmp_path)


def asked(company: Company, system: str) -> accounts.Asked:
    settings = company.settings
    return accounts.asked(system, settings.systems, client_of(system, settings, company.ledger.budget))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_was_delivered_is_found_on_both_sides_and_nothing_else(kind: Kind, company: Company) -> None:
    filled(company.box, kind)
    company.deliver(kind)
    flow = flow_of(kind.flow)
    for system in {flow.source.system, flow.target.system}:
        one = asked(company, system)
        assert one.has is not None
        records = sampled(replace(one, flows=(flow,)), company.ledger)
        assert len(records) == 3, records
        assert all(map(one.has, records)), system
        assert not any(map(one.has, map(_gone, records))), system


def _gone(record: Delivered) -> Delivered:
    """As the ledger has it of an account in which it never was."""
    remote_id = "99999" if record.remote_id.isdigit() else f"{record.remote_id[:-4]}ffff"
    return replace(record, key=f"{record.key[:-1]}99", remote_id=remote_id)


@pytest.mark.parametrize("kind", NUMBERED, ids=str)
def test_the_same_id_on_another_record_is_not_what_was_delivered(kind: Kind, company: Company) -> None:
    """As in another account that numbers its records alike."""
    filled(company.box, kind)
    company.deliver(kind)
    flow = flow_of(kind.flow)
    one = asked(company, flow.target.system)
    assert one.has is not None
    records = sampled(replace(one, flows=(flow,)), company.ledger)
    others = [*records[1:], records[0]]
    turned = [replace(mine, remote_id=other.remote_id) for mine, other in zip(records, others, strict=True)]
    assert not any(map(one.has, turned))


def test_the_erp_is_asked_for_what_it_is_a_side_of(company: Company) -> None:
    names = asked(company, ERP).names
    assert "hubspot/invoices" in names and "ifs/suppliers_from_airbase" in names
    assert (
        "airbase/payments_acknowledged" not in names
        and "airbase/payments_acknowledged" in asked(company, "airbase").names
    )


@pytest.mark.parametrize("status", [403, 404])
def test_a_service_account_that_may_not_read_suppliers_is_signed_in_all_the_same(status: int, company: Company) -> None:
    company.box.faults.add(system="ifs", path="SupplierSet", status=status, times=None)
    erp = asked(company, ERP).account()
    assert erp and erp.id == "sandbox"


def test_every_system_says_whether_it_has_a_record() -> None:
    assert all(system.has for system in systems().values())


def test_each_system_tells_its_account_by_what_never_changes(company: Company) -> None:
    told = {name: asked(company, name).account() for name in company.box.systems}
    assert told["hubspot"] == Account("147000001", "portal 147000001 (SANDBOX)")
    assert told["monday"] == Account("9000001", "account Sandbox")
    assert told["airbase"] is None and told["procurify"] is None
    erp = told["ifs"]
    assert erp and erp.id == "sandbox" and erp.is_shared and erp.title.startswith("realm sandbox at 127.0.0.1")
    secret = SIGN_INS["cin7"][1][0]
    assert told["cin7"] == Account(digest_of(secret), "company Sandbox") and secret not in str(told["cin7"])


def test_a_portal_that_mlc_yaml_names_is_not_guessed_where_the_token_may_not_ask(company: Company) -> None:
    company.box.hubspot.may_ask_account = False
    assert asked(company, "hubspot").account() is None
    pinned = company.settings.hubspot.model_copy(update={"portal_id": "147000001"})
    settings = company.settings.model_copy(update={"hubspot": pinned})
    client = client_of("hubspot", settings, company.ledger.budget)
    with pytest.raises(Exception, match="required scopes"):
        client.portal.account()


def test_a_token_of_another_portal_than_mlc_yaml_names_is_refused(company: Company) -> None:
    pinned = company.settings.hubspot.model_copy(update={"portal_id": "5"})
    settings = company.settings.model_copy(update={"hubspot": pinned})
    client = client_of("hubspot", settings, company.ledger.budget)
    with pytest.raises(Misconfigured, match="portal 147000001"):
        accounts.asked("hubspot", settings.systems, client).account()
