"""mlc_dagster: a Dagster code location that keeps IFS Cloud and its SaaS neighbours in agreement."""
