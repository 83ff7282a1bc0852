"""Which services a tenant has: the catalogue where it is granted, else known names; each refusal is one sentence."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import pytest

from mlc_dagster.core.errors import AccessDenied, MlcError, TransientError
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.discover.discovery import discover_ifs
from mlc_dagster.systems.shared.discovery import Discovery
from mlc_dagster.systems.shared.findings import Question
from mlc_dagster_tests.systems.ifs.discover.conftest import line_of
from mlc_dagster_tests.systems.ifs.discover.fake_tenant import FakeTenant, cloud, refusal, tenant_settings
from mlc_dagster_tests.systems.loopback import Loopback, answers

NOTHING = answers(body=b"<html><body>Sign in</body></html>", headers={"Content-Type": "text/html"})


def asked(url: str, companies: Iterable[str] = ("10",), **ifs: Any) -> Discovery:
    content = tenant_settings(url, companies)
    content["ifs"] |= ifs
    settings = configuration.parse(content, "mlc.yaml")
    return discover_ifs(
        Question("ifs", settings, ("client", "s3cret-of-a-test")), list(configuration.known_flows().values())
    )


@contextmanager
def told(tenant: FakeTenant, companies: Iterable[str] = ("10",), **ifs: Any) -> Iterator[tuple[Discovery, Loopback]]:
    with tenant.running() as server:
        yield asked(server.url, companies, **ifs), server


def services_asked(server: Loopback) -> set[str]:
    names = (
        each.target.partition(".svc/$metadata")[0].rpartition("/")[2] for each in server.asked if "$meta" in each.target
    )
    return set(names)


def test_where_the_catalogue_is_granted_only_what_it_lists_is_asked_for_by_name() -> None:
    listed = (
        "AllProjections",
        "SupplierHandling",
        "PurchaseOrderHandling",
        *(f"Other{n}Handling" for n in range(2500)),
    )
    with told(FakeTenant(cloud(), listed=listed)) as (found, server):
        assert line_of(found, "service catalogue").answer == "2,503 projections"
        on_main = {each for each in services_asked(server) if not each.endswith("Entity")}
        assert on_main == {"AllProjections", "SupplierHandling", "PurchaseOrderHandling"}
        assert line_of(found, "supplier_set").ok
        assert not line_of(found, "voucher_set").ok
        assert "the service catalogue does not list VoucherRowsAnalysis" in found.proposal


@pytest.mark.parametrize("column", ["ProjectionName", "Name", "Prjctn"])
def test_the_column_with_the_names_is_found_whatever_it_is_called(column: str) -> None:
    listed = tuple(cloud())
    with told(FakeTenant(cloud(), listed=listed, column=column)) as (found, _):
        assert line_of(found, "service catalogue").answer == f"{len(listed)} projections"
        assert line_of(found, "account_set").ok


def test_without_the_catalogue_known_names_are_asked_and_that_is_said() -> None:
    with told(FakeTenant(cloud())) as (found, _):
        line = line_of(found, "service catalogue")
        assert not line.ok and "AllProjections is there and not granted (403)" in line.answer
        assert line_of(found, "supplier_set").ok and line_of(found, "voucher_set").ok


REFUSALS: dict[str, tuple[bytes, str]] = {
    "not there": (refusal(404, "Metadata not found."), "the tenant has no service SupplierHandling"),
    "not granted": (refusal(403, "SE_UNAUTHORIZED"), "SupplierHandling is there and not granted (403)"),
    "gateway": (answers(401, {"message": "no route"}), "a gateway answers 401 for SupplierHandling"),
    "a page": (NOTHING, "the $metadata of SupplierHandling cannot be read: a web page"),
    "half": (answers(body=b"<edmx:Edmx"), "the $metadata of SupplierHandling cannot be read: no XML that can be read"),
    "down": (refusal(503, "upstream"), "SupplierHandling gave no answer that counts"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_service_that_refuses_is_told_in_its_own_words_and_stops_no_other(kind: str) -> None:
    answer, words = REFUSALS[kind]
    with told(FakeTenant(cloud(), instead={"/SupplierHandling.svc/": answer})) as (found, _):
        assert words in found.proposal
        assert not line_of(found, "supplier_set").ok and "switches off: " in line_of(found, "supplier_set").answer
        for other in ("customer_set", "purchase_order_set", "voucher_set", "account_set", "code_part_value_set"):
            assert line_of(found, other).ok, other


def test_a_service_that_does_not_answer_in_time_stops_no_other() -> None:
    def silent(connection: socket) -> None:
        time.sleep(1.5)

    started = time.monotonic()
    with told(FakeTenant(cloud(), instead={"/SupplierHandling.svc/": silent}), timeout_seconds="0.3") as (found, _):
        assert "SupplierHandling gave no answer that counts: " in found.proposal
        assert line_of(found, "voucher_set").ok
    assert time.monotonic() - started < 30


def test_an_entity_service_that_is_not_activated_is_told_so() -> None:
    with told(FakeTenant(cloud())) as (found, _):
        assert (
            "the tenant has no service PostingProposalHeadEntity, or it is not activated in API Explorer"
            in found.proposal
        )


ENDS: dict[str, tuple[dict[str, Any], type[MlcError], str]] = {
    "no token": ({"/token": answers(401, {"error": "unauthorized_client"})}, AccessDenied, "sign-in at "),
    "a gateway before the token": ({"/token": answers(403, {"error": {"x": 1}})}, AccessDenied, "sign-in at "),
    "every service is refused": ({".svc/": answers(401, {"m": "no"})}, AccessDenied, "every service that was asked"),
    "every service is down": ({".svc/": refusal(503, "down")}, TransientError, ": 503"),
}


@pytest.mark.parametrize("kind", ENDS)
def test_where_nobody_answers_it_ends_with_one_sentence_and_its_cure(kind: str) -> None:
    instead, error, words = ENDS[kind]
    with FakeTenant(cloud(), instead=instead).running() as server, pytest.raises(error) as raised:
        asked(server.url)
    assert words in raised.value.message and "s3cret" not in str(raised.value)


def test_a_tenant_out_of_reach_ends_at_once() -> None:
    with FakeTenant().running() as server:
        gone = server.url
    with pytest.raises(TransientError, match="cannot reach"):
        asked(gone)


def test_nothing_but_questions_is_sent() -> None:
    """The fake refuses whatever is no GET; the sign-in is the only other call."""
    with told(FakeTenant(cloud(), listed=tuple(cloud()))) as (found, server):
        assert {each.line.split(" ")[0] for each in server.asked if "/token" not in each.target} == {"GET"}
        rows = [each.target for each in server.asked if "$metadata" not in each.target and "/token" not in each.target]
        assert all("%24select=" in each or "$select=" in each for each in rows)
        assert "s3cret-of-a-test" not in found.proposal and "a.b.c" not in found.proposal
