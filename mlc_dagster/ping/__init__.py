"""Is everything there? Signs in to each connection that is on, names what is missing and its cure."""

from mlc_dagster.ping.every import WITHIN, ping_all, still_asking
from mlc_dagster.ping.finding import Finding

__all__ = ["WITHIN", "Finding", "ping_all", "still_asking"]
