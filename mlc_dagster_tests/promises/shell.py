"""`mlc` as a process of its own: what it was told is its environment, what it said comes back by stream."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any


def mlc(folder: str, environment: dict[str, str], *words: str) -> dict[str, Any]:
    """Exit code, stdout and stderr of `mlc` in a folder. No setting but these is known, as in a fresh shell."""
    from mlc_dagster.cli import app as cli

    for name in [name for name in os.environ if name.startswith(("MLC_", "DAGSTER_HOME"))]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["mlc", *words]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code if isinstance(stopped.code, int) else int(bool(stopped.code))
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}
