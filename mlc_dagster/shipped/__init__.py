"""Files that an installed package brings along: Dagster's instance and workspace, and the example of mlc.yaml.

In a checkout they stand at its root, where people look for them; a test holds both alike.
"""

from __future__ import annotations

from pathlib import Path

NAMES = ("dagster.yaml", "workspace.yaml", "mlc.example.yaml")


def here_or_shipped(name: str) -> Path:
    """The one of this folder, which a team may have made its own; else the one of this release."""
    own = Path(name)
    return own if own.is_file() else Path(__file__).parent / name
