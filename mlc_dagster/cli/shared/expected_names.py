"""Whether what a command is asked about exists: asked before it answers, and at no cost where nothing is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger


def expect(opened: Ledger, *, flow: str | None = None, rule: str | None = None, system: str | None = None) -> None:
    """Raises NotFound, with the nearest names, where a flow, a rule or a system is none.

    What is switched off is answered from the ledger's history where it has any, and said to be off. Where nothing is
    named mlc.yaml is not read, and no system is imported.
    """
    if flow is None and rule is None and system is None:
        return
    from mlc_dagster.cli.shared import known_names

    known_names.expect(opened, flow, rule, system)
