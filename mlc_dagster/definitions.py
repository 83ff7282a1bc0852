"""Puts the house together: what Dagster loads."""

from mlc_dagster import settings
from mlc_dagster.orchestration.location import build

environment = settings.environment()
defs = build(settings.load(environment.config), environment)
