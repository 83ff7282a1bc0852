"""What a system's discovery brings home: a proposal for mlc.yaml, and a line for each thing that was found or not."""

from __future__ import annotations

from dataclasses import dataclass

from mlc_dagster.systems.shared.findings import Finding


@dataclass(frozen=True)
class Discovery:
    """`proposal`: YAML to be put under the connection's section. Nothing was written, here or there."""

    proposal: str
    findings: tuple[Finding, ...]
