"""A ledger knows of each connection which account it leads to; another one is refused before the first write.

| the ledger knows | the system tells | what follows |
|---|---|---|
| this account | the same id | go on |
| this account | another id | refused |
| this account | the id, which another one may share, at another address | three delivered records are read back |
| this account | none: it has no such id, or the token may not ask | the same, with a warning |
| none, and has deliveries: of the release before | any | the same; the account is noted |
| none, and delivered nothing | any | the account is noted |

Read back and none found: refused. What a person says of it: `mlc ledger same-account` and `mlc ledger new-account`.
What people deleted there is no witness any more once a person has said so, with a reason: others are read back then.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple

from mlc_dagster.core import commands
from mlc_dagster.core.accounts import Account, Asked, Delivered
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.coordination.accounts import KnownAccount

log = logger("mlc_dagster.pipeline")

READ_BACK = 3
ASKED_FOR = 100
"""Of the records delivered last, where a person says that the latest are not there any more."""
UNTOLD = "an account that it does not name"


class AccountCheck:
    """Of one connection in one run: it asks once, however often it is asked; what was refused is refused again."""

    def __init__(self, asked: Asked, ledger: Ledger, run_id: str) -> None:
        self._asked, self._ledger, self._run_id = asked, ledger, run_id
        self._lock, self._is_confirmed = Lock(), False
        self._is_first = False  # the ledger had neither noted an account nor delivered anything before

    def __call__(self) -> None:
        """Raises as before_first_write."""
        with self._lock:
            if not self._is_confirmed:
                connection, flows = self._asked.connection, self._asked.names
                accounts = self._ledger.accounts
                self._is_first = accounts.known(connection) is None and not accounts.concerned(connection, flows)
                before_first_write(self._asked, self._ledger, f"run {self._run_id}")
                self._is_confirmed = True

    def tell_of_adopted(self, flow: str, adopted: int) -> None:
        """What a first load finds under our keys, a ledger delivered: one that was lost, or that of another
        installation, and then the two overwrite each other. Masters that people entered are found by name, too.
        """
        if self._is_first and adopted:
            words = "%s: %d record(s) were in %s already, and this ledger is new to it: was it another installation?"
            log.warning(words, flow, adopted, self._asked.connection)


def before_first_write(asked: Asked, ledger: Ledger, who: str) -> None:
    """Compare the account that answers with the one that the ledger knows; remember the first.

    Raises Misconfigured where it is another one: nothing was written. Otherwise as ApiClient.request.
    """
    known, account = ledger.accounts.known(asked.connection), asked.account()
    if known and known.identity and account and known.identity != account.id:
        raise _another(asked, ledger, known, account)
    if not _is_surely(known, account):
        _read_back(asked, ledger, known, account)
    if account and (known is None or (known.identity, known.title) != (account.id, account.title)):
        _tell_of_a_second(asked, ledger, account)
        stands = ledger.accounts.note(asked.connection, account.id, account.title, who, over_another=False)
        if stands.identity != account.id:  # of a run that began at the same moment, with other credentials
            raise _another(asked, ledger, stands, account)
    elif known is None:
        ledger.accounts.note(asked.connection, "", UNTOLD, who)


def _is_surely(known: KnownAccount | None, account: Account | None) -> bool:
    """The same id, which no other account has; or has, and not at this address. Titles of other systems may change."""
    if known is None or account is None or known.identity != account.id:
        return False
    return not account.is_shared or known.title == account.title


def _read_back(asked: Asked, ledger: Ledger, known: KnownAccount | None, account: Account | None) -> None:
    """Raises Misconfigured where none is there of what was delivered."""
    sample = sampled(asked, ledger)
    if not sample or asked.has is None:
        if account is None:
            log.warning("%s: %s does not tell which account this is", asked.connection, asked.title)
        return
    if not any(map(asked.has, sample)):
        raise _none_there(asked, ledger, known, account, sample)
    if account is None:
        words = "%s: %s does not tell which account this is; it has what was delivered last (%s), and is taken for it"
        log.warning(words, asked.connection, asked.title, _named(sample))


def _tell_of_a_second(asked: Asked, ledger: Ledger, account: Account) -> None:
    """Two connections may share an account on purpose, such as monday's with boards of their own."""
    known = {other: ledger.accounts.known(other) for other in asked.others}
    for other in (name for name, one in known.items() if one and one.identity == account.id):
        words = "%s and %s lead to one account, %s: each overwrites what the other one delivers under the same key"
        log.warning(words, asked.connection, other, account.title)


def sampled(asked: Asked, ledger: Ledger, count: int = READ_BACK) -> list[Delivered]:
    """At most so many records that were delivered, of several flows."""
    flows = {flow.name: flow for flow in asked.flows}
    found = ledger.accounts.sample(asked.names, count)
    return [_delivered(ledger, flows[one.flow], one.key, one.remote_id) for one in found]


class LookedFor(NamedTuple):
    """Of the records delivered last, newest first, asked for until three are there."""

    missing: list[Delivered]
    there: list[Delivered]
    all_asked: bool  # nothing else was delivered


def look_for(asked: Asked, ledger: Ledger) -> LookedFor:
    """Where people deleted the latest: which are not there, and which are. At most ASKED_FOR are asked for.

    Raises as ApiClient.request.
    """
    missing, there, sample = list[Delivered](), list[Delivered](), sampled(asked, ledger, ASKED_FOR)
    has = asked.has or (lambda record: True)  # a system that cannot be asked for one is not judged by any
    for record in sample:
        (there if has(record) else missing).append(record)
        if len(there) == READ_BACK:
            break
    return LookedFor(missing, there, len(missing) + len(there) == len(sample) < ASKED_FOR)


def _delivered(ledger: Ledger, flow: Flow, key: str, remote_id: str) -> Delivered:
    erps = remote_id if flow.target.system == ERP else key
    agreed = ledger.agreements.of(flow.pair, erps) if flow.pair else None
    return Delivered(flow, key, remote_id, agreed or {})


# --- refusals -------------------------------------------------------------------------------------------------------


def _another(asked: Asked, ledger: Ledger, known: KnownAccount, account: Account) -> Misconfigured:
    words = f"{asked.connection} leads to {shown(account)} now, and this ledger knows it as {shown(known)}"
    same = commands.offered("ledger same-account", asked.connection)
    words += f", noted {known.noted_at:%Y-%m-%d %H:%M} UTC by {known.noted_by}"
    return _refusal(asked, ledger, words, f"If it is the same one under another id: {same}.")


def _none_there(
    asked: Asked, ledger: Ledger, known: KnownAccount | None, account: Account | None, sample: Iterable[Delivered]
) -> Misconfigured:
    knows = f"as {shown(known)}" if known else "by its deliveries alone"
    what = shown(account) if account else UNTOLD
    words = f"{asked.connection} leads to {what}, and this ledger knows it {knows}"
    words += f": of what was delivered there, nothing was found ({_named(sample)})"
    same = commands.offered("ledger same-account", asked.connection, reason=commands.REASON)
    return _refusal(asked, ledger, words, f"If it is the same one, and people deleted these there: {same}.")


def _refusal(asked: Asked, ledger: Ledger, words: str, same: str) -> Misconfigured:
    count = ledger.accounts.concerned(asked.connection, asked.names)
    new = commands.offered("ledger new-account", asked.connection, reason=commands.REASON)
    cure = f"Give it the credentials of that account again. If it is to be the other one from now on: {new}. {same}"
    return Misconfigured(f"{words}. {count:,} record(s) are concerned; nothing was written.", cure=cure)


def shown(account: Account | KnownAccount) -> str:
    """ "portal 147000001 (STANDARD)", with its id where that does not tell it."""
    identity = account.id if isinstance(account, Account) else account.identity
    return account.title if not identity or identity in account.title else f"{account.title} ({identity})"


def _named(sample: Iterable[Delivered]) -> str:
    return ", ".join(f"{record.flow.name} {record.key}" for record in sample)
