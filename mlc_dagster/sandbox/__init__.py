"""IFS Cloud and the SaaS beside it as one small local server, with their real limits and refusals."""

from mlc_dagster.sandbox.box import Sandbox
from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.limits import Limits
from mlc_dagster.sandbox.serve import serve

__all__ = ["Limits", "Sandbox", "Tenant", "serve"]
