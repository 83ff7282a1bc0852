"""Our errors as Dagster shows them: what happened and what to do, instead of a stack."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.inert import inert_lines


@contextmanager
def as_step_failures() -> Iterator[None]:
    """An MlcError becomes the failure of the step, in its own words. Retrying the step would not help: we did."""
    try:
        yield
    except MlcError as error:
        raise dg.Failure(
            description=inert_lines(str(error)), metadata={"kind": type(error).__name__}, allow_retries=False
        ) from None


def each_once(failed: Mapping[str, MlcError]) -> str:
    """What did not work, and of whom, `supplier_set, voucher_set: ...`, line by line; the same words once."""
    named: dict[str, list[str]] = {}
    for name, error in failed.items():
        named.setdefault(str(error), []).append(name)
    return inert_lines("\n".join(f"{', '.join(names)}: {words}" for words, names in named.items()))
