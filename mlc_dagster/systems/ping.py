"""All connections at once, and none of them for longer than a person waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import renamed
from mlc_dagster.settings import Settings
from mlc_dagster.settings.section import SystemConnection
from mlc_dagster.systems.configuration import connections, lacking_flows, secrets
from mlc_dagster.systems.ping_account import Known, account_line
from mlc_dagster.systems.shared.connections import Kept, kept_nowhere
from mlc_dagster.systems.shared.findings import Finding, Question, budget, refused, wrong
from mlc_dagster.systems.system import System
from mlc_dagster.transport.cancellation import Calls

WITHIN = 10.0  # seconds that a system may take for all its answers
GRACE = 2.0  # seconds in which what was hung up on ends by itself

Secret = Callable[[str], str]
"""Name -> the value of a secret; empty where nobody has it. Raises MlcError."""
_NAME = "ping "  # of a thread


def ping_all(
    settings: Settings,
    secret: Secret,
    within: float = WITHIN,
    known: Known = lambda connection: None,
    kept: Kept = kept_nowhere,
) -> list[Finding]:
    """Every connection that is on, at once; after `within` seconds, what was found by then, and who was too slow.

    `known`: which account the ledger knows a connection as. `kept`: where a secret is that a sign-in replaces.
    Writes nothing else, raises nothing.
    """
    calls, hasty = Calls(), _hasty(settings, within)
    asked = [(name, system) for name, system in connections(settings).items() if name in settings.connections]
    talks = [_Talk(name, system, hasty, secret, calls, known, kept) for name, system in asked]
    deadline = time.monotonic() + within
    for talk in talks:
        talk.start()
    for talk in talks:
        talk.join(max(0.0, deadline - time.monotonic()))
    found = [finding for talk in talks for finding in talk.result(within)]
    calls.hang_up()
    ends = time.monotonic() + GRACE
    for talk in talks:
        talk.join(max(0.0, ends - time.monotonic()))
    return found


def still_asking() -> bool:
    """Whether a question hangs where no socket is to be shut down, such as in a look-up of a name."""
    return any(thread.name.startswith(_NAME) for thread in threading.enumerate())


def _hasty(settings: Settings, within: float) -> Settings:
    """The same with shorter timeouts, for two tries."""
    return settings.model_copy(
        update={name: _within(section, within) for name, section in settings.connections.items()}
    )


def _within(section: SystemConnection, seconds: float) -> SystemConnection:
    shorter = min(section.timeout_seconds, seconds / 2)
    return section.model_copy(update={"timeout_seconds": shorter, "answer_seconds": seconds})


class _Talk(threading.Thread):
    """The questions to one connection."""

    def __init__(
        self, name: str, system: System, settings: Settings, secret: Secret, calls: Calls, known: Known, kept: Kept
    ) -> None:
        super().__init__(name=f"{_NAME}{name}", daemon=True)
        self._connection, self._system, self._settings = name, system, settings
        self._secret, self._calls, self._known, self._kept = secret, calls, known, kept
        self._found: list[Finding] = []
        self._is_through = False

    def run(self) -> None:
        self._calls.take_part()
        try:
            self._ask()
        except MlcError as error:
            self._found.append(refused(self._connection, "answers", error))
        except Exception as error:  # an answer of another system, say: the others are asked all the same
            self._found.append(_strange(self._connection, error))
        self._is_through = True

    def _ask(self) -> None:
        names = secrets(self._connection, self._system, self._settings)
        try:
            values = tuple(self._secret(name) for name in names)
        except MlcError as error:
            self._found.append(refused(self._connection, "sign-in", error))
            return
        if missing := [name for name, value in zip(names, values, strict=True) if not value.strip()]:
            self._found.append(_unset(self._connection, missing))
            return
        section = self._settings.section(self._connection)
        try:
            keeps = self._system.keeps(section, names, self._kept)
        except MlcError as error:
            self._found.append(refused(self._connection, "sign-in", error))
            return
        for finding in self._system.ping(Question(self._connection, self._settings, values, keeps)):
            self._found.append(_of(finding, self._system.name, self._connection))
        if not self._is_signed_in():
            return
        if self._connection in self._settings.targets:
            for flow, why in lacking_flows(self._settings, self._connection).items():
                self._found.append(Finding(self._connection, flow, True, f"off: {why}"))
        client = self._system.connect(section, *values, budget, tries=2, name=self._connection, **keeps)
        self._found.append(account_line(self._connection, self._system, client, self._known))

    def _is_signed_in(self) -> bool:
        """Something answered as it should, and no key was refused: who is not signed in has no account to tell."""
        refused = any(not each.ok for each in self._found if each.what.startswith("sign-in"))
        return not refused and any(each.ok for each in self._found)

    def result(self, within: float) -> list[Finding]:
        """What was found by now."""
        found = list(self._found)
        if self._is_through:
            return found
        cure = f"Give it longer (mlc ping --within 60), or check the address in mlc.yaml: {self._connection}.base_url."
        return [*found, wrong(self._connection, "answers", f"not all that was asked came within {within:g} s", cure)]


def _strange(system: str, error: Exception) -> Finding:
    fault = f"an answer is not understood ({type(error).__name__}: {str(error)[:100]})"
    cure = f"Check {system}.base_url in mlc.yaml. Where it is right, please report this line."
    return wrong(system, "answers", fault, cure)


def _unset(connection: str, missing: list[str]) -> Finding:
    """The secrets of a connection that nobody has set, all at once."""
    commands = " and ".join(f"mlc credentials set {name}" for name in missing)
    cure = f"Set in the environment or in .env, or seal: {commands}. Never in mlc.yaml."
    return wrong(connection, "sign-in", f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set", cure)


def _of(finding: Finding, system: str, connection: str) -> Finding:
    """What a system says of itself, said of a connection under another name."""
    if connection == system:
        return finding
    what, answer = (renamed(text, system, connection) for text in (finding.what, finding.answer))
    return Finding(connection, what, finding.ok, answer)
