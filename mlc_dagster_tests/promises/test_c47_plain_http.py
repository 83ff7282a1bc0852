"""C47: no connection speaks plain http to another machine unless it says why, whichever way an address gets in."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.settings_check import plain_addresses
from mlc_dagster.pipeline import alerting
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster.systems.configuration import parse
from mlc_dagster_tests.settings.test_addresses import REASON, SECTIONS, content_with

HOSTS = (
    *("erp.acme.test", "10.0.0.7", "192.168.1.9:8080", "localhost.acme.test", "127.0.0.1.nip.test", "0.0.0.0"),
    *("[fe80::1]", "[::ffff:10.0.0.7]", "2130706433.acme.test", "EXAMPLE.test"),
)


def at(system: str, host: str, **more: Any) -> dict[str, Any]:
    section = {name: f"http://{host}/x" for name in ("base_url", "token_url") if name in SECTIONS[system]}
    return content_with(system, **section, **more)


@pytest.mark.promise("C47", "http:// to another host, of each system and its sign-in", times=len(HOSTS) * len(SECTIONS))
@pytest.mark.parametrize("system", SECTIONS)
def test_c47_plain_http_to_another_host_is_refused_with_its_cure(system: str) -> None:
    for host in HOSTS:
        with pytest.raises(Misconfigured) as refused:
            parse(at(system, host), "mlc.yaml")
        told = str(refused.value)
        assert f"{system}.base_url: found http://" in told and "expected https://" in told
        assert ("token_url" in SECTIONS[system]) == (f"{system}.token_url: found http://" in told)
        assert "plain_http: " in told
        assert list(plain_addresses(parse(at(system, host, plain_http=REASON), "mlc.yaml"))) == [(system, REASON)]


@pytest.mark.promise("C47", "an alert to http:// of another host", times=len(HOSTS))
def test_c47_an_alert_is_not_told_in_clear(monkeypatch: pytest.MonkeyPatch, sqlite_ledger: Ledger) -> None:
    for host in HOSTS:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", f"http://{host}/marked")
        (said,) = alerting.tell(AlertSettings(webhook="ALERTS_WEBHOOK_URL"), lambda: sqlite_ledger, "subject", "text")
        assert "is an http:// address of another machine" in said and "marked" not in said
