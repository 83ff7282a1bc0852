"""Puts the house together: what Dagster loads."""

from mlc_dagster import settings
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.settings_check import checked

environment = settings.environment()
defs = build(checked(environment.config), environment)
