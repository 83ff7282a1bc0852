"""Dagster's settings in its home: those of this release, unless a person has made them his own."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mlc_dagster.settings import file_modes as private

FILE = "dagster.yaml"
EARLIER = frozenset(
    {
        "d97a9534cd2cda4d4ec085b4a3555c8daf2c8fa2c3775aa9fb63c72af80df598",
        "a75069d90c0ed47a8108056f4f2dac0d7bc15c9e889ebce0ac52756f3967aff1",
    }
)
"""SHA-256 of what earlier releases have put there: nobody has changed anything in it."""

OLD_LIMIT = "mlc/target"
PARTS = "run_coordinator, run_launcher, concurrency, run_monitoring, run_retries"


def settle(home: Path, shipped: Path) -> str:
    """Put the settings of this release there, where there are none or an earlier release's. What is to be told, of
    those that are a person's own; empty: nothing.
    """
    there = home / FILE
    if not there.exists() or hashlib.sha256(there.read_bytes()).hexdigest() in EARLIER:
        private.write_text(there, shipped.read_text(encoding="utf-8"))
        return ""
    if OLD_LIMIT not in there.read_text(encoding="utf-8", errors="replace"):
        return ""
    return (
        f"{there} limits runs by the tag {OLD_LIMIT}, which no run has any more: two may load one SaaS at once, and the"
        f" ledger lets one of them wait. Take these parts from {shipped.resolve()}: {PARTS}."
    )
