"""Processes to be killed, at milliseconds each: one loader imports everything once, and forks a child for each victim.

    with Victims() as victims:
        child = victims.start("mlc_dagster_tests.promises.work:deliver", url, 12)
        child.kill()
        assert child.wait().was_killed

The loader never starts a thread, so that its children begin as if they were new. Arguments and results are JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

USUAL = (
    "mlc_dagster.systems.configuration",
    "mlc_dagster.pipeline",
    "mlc_dagster.settings",
    "mlc_dagster.orchestration.storage.row_store",
)
"""Imported before the first child: they take a second."""

POLL_SECONDS = 0.002


@dataclass(frozen=True)
class End:
    """How a child ended."""

    code: int  # exit code; minus the signal's number where one ended it
    value: Any  # what the function returned; None where it did not
    said: str  # stdout and stderr

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Child:
    """One victim."""

    def __init__(self, victims: Victims, pid: int, folder: Path) -> None:
        self._victims, self.pid, self._folder = victims, pid, folder
        self._end: End | None = None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Its number is not given to another process before `wait` has seen its end."""
        if self._end is None:
            os.kill(self.pid, number)

    @property
    def is_running(self) -> bool:
        return self._seen() is None

    @property
    def said(self) -> str:
        """What it wrote so far."""
        return (self._folder / "said").read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout: float = 60.0) -> End:
        """Raises TimeoutError; then it is killed first."""
        deadline = time.monotonic() + timeout
        while (end := self._seen()) is None:
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"process {self.pid} did not end in {timeout:g} s; it said:\n{self.said}")
            time.sleep(POLL_SECONDS)
        return end

    def _seen(self) -> End | None:
        if self._end is None and (code := self._victims.ask(poll=self.pid)["code"]) is not None:
            result = self._folder / "value"
            self._end = End(code, None if code else json.loads(result.read_text()), self.said)
        return self._end


class Victims:
    """The loader. Safe for several threads; at the end all children are killed."""

    def __init__(self, *imports: str, environment: dict[str, str] | None = None) -> None:
        self._imports, self._environment = (*USUAL, *imports), environment or {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="victims-")
        self._loader = subprocess.Popen(
            [sys.executable, "-m", __name__, *self._imports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self._environment},
        )
        self._line()  # it is ready
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loader.stdin and self._loader.stdout
        self._loader.stdin.close()
        self._loader.wait(30)
        self._loader.stdout.close()
        self._folder.cleanup()

    def start(self, function: str | Callable[..., Any], *args: Any) -> Child:
        """A child that calls "module:function", or a module's function, with these arguments."""
        path = function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        pid: int = self.ask(start=path, args=args, folder=str(folder))["pid"]
        return Child(self, pid, folder)

    def ask(self, **command: Any) -> dict[str, Any]:
        with self._lock:
            assert self._loader.stdin
            self._loader.stdin.write(json.dumps(command) + "\n")
            self._loader.stdin.flush()
            return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._loader.stdout
        line = self._loader.stdout.readline()
        if not line:
            raise RuntimeError(f"the loader of victims ended with {self._loader.wait(10)}")
        answer: dict[str, Any] = json.loads(line)
        return answer


# --- in the loader --------------------------------------------------------------------------------------------------


def main(imports: list[str]) -> None:
    for name in imports:
        importlib.import_module(name)
    running: set[int] = set()
    out = os.fdopen(os.dup(1), "w")
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        answer = {"pid": _fork(command, running)} if "start" in command else {"code": _code(command["poll"], running)}
        print(json.dumps(answer), file=out, flush=True)
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _fork(command: dict[str, Any], running: set[int]) -> int:
    module, _, name = command["start"].partition(":")
    function = getattr(importlib.import_module(module), name)  # in the loader: the next child has it already
    said = os.open(Path(command["folder"], "said"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    if pid := os.fork():
        os.close(said)
        running.add(pid)
        return pid
    try:
        _be_a_victim(function, command, said)
    finally:
        os._exit(1)


def _be_a_victim(function: Callable[..., Any], command: dict[str, Any], said: int) -> None:
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 0
    try:
        value = function(*command["args"])
        Path(command["folder"], "value").write_text(json.dumps(value))
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _code(pid: int, running: set[int]) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main(sys.argv[1:])
