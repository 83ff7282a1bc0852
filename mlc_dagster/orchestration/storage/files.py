"""Files of a store, on a local disk or wherever universal-pathlib reaches: whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from upath import UPath

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.logs import logger
from mlc_dagster.settings import file_modes as private

LOCAL = frozenset({"", "file", "local"})
DRAFT_SECONDS = 86_400.0  # after which the draft of a writer that was killed is removed
log = logger("mlc_dagster.storage")


@contextmanager
def draft_of(path: UPath) -> Iterator[IO[bytes]]:
    """A file beside its place, or on this machine where the place is elsewhere; gone in the end, if it is not `put`."""
    if path.protocol not in LOCAL:
        with tempfile.TemporaryFile() as file:
            yield file
        return
    private.make_folder(Path(path.path).parent)
    sweep(Path(path.path))
    draft = Path(path.path).with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        private.make_file(draft)
        with draft.open("r+b") as file:
            yield file
    finally:
        draft.unlink(missing_ok=True)


def digest(file: IO[bytes]) -> tuple[str, int]:
    """Of the whole file, and its bytes; it stands at its start again."""
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    size = file.tell()
    file.seek(0)
    return found, size


@contextmanager
def opened(path: UPath) -> Iterator[IO[bytes] | None]:
    """None where there is no such file. What lies elsewhere is brought here first: it is read twice, and one file."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with source:
        if path.protocol in LOCAL:
            yield source
            return
        with tempfile.TemporaryFile() as file:
            shutil.copyfileobj(source, file)
            yield file


def put(draft: IO[bytes], path: UPath) -> None:
    """The draft takes the place of `path`; on a local disk it is durable when this returns."""
    if path.protocol not in LOCAL:
        draft.seek(0)
        with path.open("wb") as target:
            shutil.copyfileobj(draft, target)
        return
    os.fsync(draft.fileno())
    Path(draft.name).replace(path.path)
    folder = os.open(Path(path.path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sweep(path: Path) -> None:
    """The drafts of writers that were killed long ago."""
    for draft in path.parent.glob(f".{path.name}.*"):
        try:
            if time.time() - draft.stat().st_mtime > DRAFT_SECONDS:
                draft.unlink(missing_ok=True)
        except OSError:
            log.debug("%s stays", draft)


@contextmanager
def write_errors_as_misconfigured(path: UPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Misconfigured(
            f"cannot write {path}: {error.strerror or error}",
            cure="Check MLC_STORAGE: is it there, writable, full? The old partition is as it was.",
        ) from error
