"""Airbase in the sandbox: its API, its records, its limits and refusals."""
