"""What was asked for, statement by statement in our own words: what keeps each, and which test shows it.

docs/statements.md is drawn from it: `python -m mlc_dagster_tests.statements.page`.
"""
