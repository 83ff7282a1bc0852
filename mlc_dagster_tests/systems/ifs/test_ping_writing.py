"""Ping says by which way documents go into the books, and which cannot."""

from __future__ import annotations

import pytest

from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.external_records import INVOICE_LOADS, VOUCHER_LOADS, ExternalWay, Ways
from mlc_dagster.systems.ifs.ping_writing import ask_writing
from mlc_dagster.systems.ifs.settings import EntitySetSettings
from mlc_dagster.systems.ping import ping_all
from mlc_dagster_tests.orchestration.conftest import SECRETS
from mlc_dagster_tests.systems.ifs.conftest import client_of

SAAS = {"cin7", "airbase", "monday", "hubspot", "procurify"}

WAYS = {each.name: ExternalWay(each) for each in (VOUCHER_LOADS, INVOICE_LOADS)}


def told(box: Sandbox, known: dict[str, EntitySet], ways: Ways) -> dict[str, tuple[bool, str]]:
    client = client_of(box, catalogue=known, external=ways)
    found = {each.what: (each.ok, str(each)) for each in ask_writing(client, known, ways)}
    client.close()
    return found


def test_a_tenant_of_the_usual_names_posts_all(box: Sandbox) -> None:
    found = told(box, ifs.catalogue({}), {})
    assert all(ok for ok, _ in found.values())
    assert "posted to VoucherSet" in found["new vouchers"][1]


def test_a_cloud_tenant_is_told_what_cannot_be_entered_with_the_settings(box: Sandbox) -> None:
    found = told(box, ifs.catalogue({}, "cloud"), {})
    assert "ifs.vouchers_by: external" in found["new vouchers"][1]
    assert "ifs.invoices_by: external" in found["new supplier invoices"][1]
    assert found["new posting proposals"][0] and "none can be entered" in found["new posting proposals"][1]


def test_proposals_without_an_action_are_told(box: Sandbox) -> None:
    none = EntitySetSettings.model_validate({"actions": {"Cancelled": None}})
    found = told(box, ifs.catalogue({"posting_proposal_head_set": none}), {})
    assert "posting_proposal_head_set.actions names no Cancelled" in found["new posting proposals"][1]


def test_loads_that_the_tenant_does_not_have_are_a_fault(box: Sandbox) -> None:
    found = told(box, ifs.catalogue({}), WAYS)
    assert not found["new vouchers"][0] and not found["new supplier invoices"][0]
    with Sandbox(profiles=("ifs.load-only", "ifs.gateway_loses=0", "ifs.gateway_grants=0")) as other:
        found = told(other, ifs.catalogue({}, "cloud"), WAYS)
    assert "loads of ExternalVouchersHandling" in found["new vouchers"][1] and found["new vouchers"][0]


@pytest.mark.parametrize(
    "profile, words",
    [("ifs.load-only", "loads of ExternalVouchersHandling"), ("ifs.pages", "ifs.vouchers_by: external")],
)
def test_the_whole_ping_of_a_cloud_tenant_says_it(monkeypatch: pytest.MonkeyPatch, profile: str, words: str) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with Sandbox(seed="demo", profiles=(profile,), limits=Limits(ifs_requests_per_minute=100_000), days=2) as box:
        content = demo_settings(box.url, profiles=(profile,))
        alone = {name: section for name, section in content.items() if name not in SAAS}
        found = {each.what: each for each in ping_all(parse(alone, "mlc.yaml"), sealed, within=60)}
    assert words in found["new vouchers"].answer and found["new vouchers"].ok
    assert "none can be entered" in found["new posting proposals"].answer


def test_a_set_that_is_answered_empty_is_told_and_who_may_see_posting_proposals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with Sandbox() as box:
        alone = {name: section for name, section in demo_settings(box.url).items() if name not in SAAS}
        found = {each.what: each for each in ping_all(parse(alone, "mlc.yaml"), sealed, within=60)}
    assert "the service user may see none" in found["SupplierHandling/SupplierSet"].answer
    proposals = found["PostingProposalHandling/PostingProposalHeadSet"]
    assert proposals.ok and "to who may authorise it" in proposals.answer
