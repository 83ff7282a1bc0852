"""A gateway in front of the tenant: a 401 of its own, a 503 once the work is done, an object as `error`."""

from __future__ import annotations

from dataclasses import dataclass

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.wire import Answer, Call, answer_json


@dataclass
class Gateway:
    """Counts calls, so that every nth meets it."""

    tenant: Tenant
    writes: int = 0
    grants: int = 0

    def refusal(self, call: Call, is_grant: bool) -> Answer | None:
        """What it answers itself, without asking the tenant."""
        if is_grant and self.tenant.gateway_grants:
            self.grants += 1
            if self.grants % self.tenant.gateway_grants == 0:
                return answer_json(502, {"error": {"code": "BadGateway", "message": "The upstream did not answer."}})
        if self.tenant.gateway_refuses and f"/{self.tenant.gateway_refuses}.svc" in call.path:
            words = {"statusCode": 401, "message": "Access denied due to missing subscription key."}
            return answer_json(401, words, www_authenticate='AzureApiManagementKey realm="gateway"')
        return None

    def passed(self, call: Call, answer: Answer, is_grant: bool) -> Answer:
        """The tenant's answer, or its own where it lost the upstream after the tenant did its work."""
        if call.method == "GET" or is_grant or not self.tenant.gateway_loses:
            return answer
        self.writes += 1
        if self.writes % self.tenant.gateway_loses:
            return answer
        return answer_json(503, {"message": "The upstream is temporarily unavailable."}, retry_after="1")
