"""Puts the house together: what Dagster loads."""

from mlc_dagster import settings
from mlc_dagster.checking import checked
from mlc_dagster.orchestration.location import build

environment = settings.environment()
defs = build(checked(environment.config), environment)
