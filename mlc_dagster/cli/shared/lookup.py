"""Where a command of records looks: the ledger and the settings of this place. A wrong place is never an all-clear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.terminal import beside

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.settings import Settings


class NotFound(MlcError):
    """Nothing goes by this name."""


@contextmanager
def ledger(*, writes: bool = False) -> Iterator[Ledger]:
    """The ledger that the environment names, told on stderr. Raises Misconfigured where there is none: none is made."""
    from mlc_dagster.ledger import Ledger

    here = settings_file.environment()
    with (Ledger.existing if writes else Ledger.to_read)(here.database_url, here.tenant) as opened:
        tell(f"ledger: {shown(here.database_url)}{f', tenant {here.tenant}' if here.tenant else ''}")
        yield opened


def shown(url: str) -> str:
    """A file as seen from here, or host and database."""
    from mlc_dagster.ledger import place_of

    place = place_of(url)
    here = str(Path.cwd())
    return place.removeprefix(f"{here}/") if url.startswith("sqlite") else place


def tell(words: str) -> None:
    """Beside the answer, on stderr: stdout may be JSON."""
    beside(words)


def settings_here() -> Settings | None:
    """What mlc.yaml says; None where there is none, or it has mistakes: the ledger can be asked without it."""
    from mlc_dagster.systems import configuration
    from mlc_dagster.systems.registry import systems

    path = settings_file.environment().config
    if not path.is_file():
        return None
    systems()  # a package that is broken is to blame, and not the file
    try:
        return configuration.load(path)
    except Misconfigured:
        tell(f"{path} has mistakes, so it is not known which flows are on: mlc check names them")
        return None
