"""How long to be silent, and whether a write may go again without a look, are two answers (C32)."""

from typing import Any

import pytest

from mlc_dagster.core.errors import OutcomeUnknown
from mlc_dagster.systems.airbase.api import classify as airbase_answers
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.cin7.api import classify as cin7_answers
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.hubspot.api import classify as hubspot_answers
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.ifs.odata.error_responses import classify as ifs_answers
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.procurify.api import classify as procurify_answers
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster_tests.systems.loopback import FakeTime
from mlc_dagster_tests.transport.test_client import answering, says

SECTIONS: dict[str, Any] = {
    "ifs": IfsSettings,
    "cin7": Cin7Settings,
    "hubspot": HubspotSettings,
    "airbase": AirbaseSettings,
    "procurify": ProcurifySettings,
}

PROVES_NOTHING = {
    "503 of a gateway": says(503, b"upstream reset", retry_after="7"),
    "503 with JSON": says(503, {"error": {"code": "MI_MODIFIED_ERROR", "message": "again"}}, retry_after="7"),
    "500 locked": says(500, {"error": {"code": "FND_LOCKED", "message": "currently locked"}}, retry_after="7"),
    "423": says(423, b"", retry_after="7"),
    "429 of a gateway": says(429, b"<html>slow down</html>", retry_after="7"),
    "408": says(408, b"", retry_after="7"),
}


@pytest.mark.parametrize("words", PROVES_NOTHING)
@pytest.mark.parametrize("read", [ifs_answers, cin7_answers, hubspot_answers, airbase_answers, procurify_answers])
def test_a_write_whose_answer_proves_nothing_is_sent_once_and_the_credential_is_silent(words: str, read: Any) -> None:
    passing = FakeTime()
    api, asked = answering(
        PROVES_NOTHING[words], says(200, {}), clock=passing.clock, sleep=passing.sleep, classify=read
    )
    with pytest.raises(OutcomeUnknown):
        api.request("POST", "/vouchers", json={})
    assert len(asked) == 1
    api.request("GET", "/vouchers")
    assert passing.now - 1000 >= 7


@pytest.mark.parametrize("words", PROVES_NOTHING)
def test_a_call_that_may_be_repeated_is_repeated_whatever_the_answer_proves(words: str) -> None:
    passing = FakeTime()
    api, asked = answering(PROVES_NOTHING[words], says(200, {}), clock=passing.clock, sleep=passing.sleep)
    api.request("PATCH", "/vendors/1", json={}, repeatable=True)
    assert len(asked) == 2


OWN_WORDS = {
    "cin7": [{"ErrorCode": 429, "Exception": "You reached 60 calls per 60 seconds API limit."}],
    "hubspot": {"status": "error", "message": "You have reached your limit.", "errorType": "RATE_LIMIT"},
    "airbase": {"detail": "Request was throttled. Expected available in 7 seconds."},
    "procurify": {"detail": "Request was throttled. Expected available in 7 seconds."},
}


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("system", OWN_WORDS)
def test_a_write_goes_again_where_the_systems_own_word_says_that_it_was_not_begun(system: str, status: int) -> None:
    passing, proof = FakeTime(), SECTIONS[system].model_fields["proof"].default
    api, asked = answering(
        says(status, OWN_WORDS[system], retry_after="7"),
        says(201, {}),
        clock=passing.clock,
        sleep=passing.sleep,
        proof=proof,
    )
    api.request("POST", "/x", json={})
    assert len(asked) == 2
    assert 7 <= passing.now - 1000 <= 8


def test_ifs_has_no_word_of_its_own_that_proves_anything_until_a_tenant_names_one() -> None:
    """No published rate limit is known of IFS (facts/ifs.md): a 429 is whoever stands before it."""
    assert SECTIONS["ifs"].model_fields["proof"].default == ()
