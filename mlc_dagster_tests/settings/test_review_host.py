"""Where the review page listens: on this machine alone, unless proxies sign people in, over TLS."""

import pytest
from pydantic import ValidationError

from mlc_dagster.settings.review import ReviewSettings

BEHIND = {
    "sign_in_header": "X-Forwarded-User",
    "trusted_proxies": ["10.1.0.0/16"],
    "address": "https://review.acme.com",
}


@pytest.mark.parametrize("lacking", ["sign_in_header", "address", "all"])
def test_others_reach_it_only_through_proxies_that_sign_people_in(lacking):
    given = {} if lacking == "all" else {name: value for name, value in BEHIND.items() if name != lacking}
    given.pop("trusted_proxies", None) if lacking == "sign_in_header" else None
    with pytest.raises(ValidationError, match="goes together with sign_in_header, trusted_proxies"):
        ReviewSettings(host="0.0.0.0", **given)


def test_with_all_of_them_it_listens_there():
    assert ReviewSettings(host="0.0.0.0", **BEHIND).host == "0.0.0.0"
    assert ReviewSettings(host="::1").host == "::1"
    with pytest.raises(ValidationError, match="is no address"):
        ReviewSettings(host="review.acme.com", **BEHIND)
