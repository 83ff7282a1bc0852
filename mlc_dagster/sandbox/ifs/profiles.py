"""The tenants that the sandboxed IFS Cloud can stand for."""

from __future__ import annotations

from mlc_dagster.sandbox.profiles import Profile

PROFILES = {
    "seed": Profile("The names of the business description, everything granted: no tenant that was ever recorded."),
}
