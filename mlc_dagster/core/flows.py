"""What moves: a flow is a source, a target, a mapping, and the rules that are true of a good record. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.later_life import Fate
from mlc_dagster.core.vocabulary import ERP, EntitySet, Record, renamed


@dataclass(frozen=True)
class Problem:
    """Why a record is held. `rule` is the name of the statement that is not true of it."""

    rule: str
    reason: str
    subject: str = ""  # the code it is about, for grouping: the account, the supplier, the term


class Rule(Protocol):
    """A statement that is true of a good record: its docstring is shown in the UI."""

    __name__: str

    def __call__(self, source: Any, target: Any, facts: Facts) -> Problem | None: ...


@dataclass(frozen=True)
class DuplicateWording:
    """How it is told that a target holds one document twice: "Cin7 has two purchases for IFS order 0010/P1: ..." """

    title: str  # "Cin7"
    things: str  # "purchases"
    of: str  # what the reference names: "IFS order"; empty: the reference says so itself
    cure: str  # "Void one of them."


@dataclass(frozen=True)
class Target:
    """Where records go: the client dispatches on `name`."""

    system: str
    name: str  # "purchases"
    record: type[Record]
    batch: int = 1  # records in flight between two commits of the ledger
    twice: DuplicateWording | None = None  # None: it has a unique key, and refuses the second one itself
    page: str = ""  # where people see one of them (core.record_pages); empty: not told
    shares: bool = False  # master data: two records of a flow may be one there, which is told; no document is


@dataclass(frozen=True)
class Reversing:
    """How a document is reversed that its source took back after it was entered."""

    target: Target
    record: Callable[[Any, str, Facts], Record | Problem]
    """(the record as it was sent, the document's number, facts) -> what is sent, or why nothing can be"""


@dataclass(frozen=True)
class Flow:
    """One line of the table of what moves."""

    name: str  # "cin7/purchases", the asset key of the loaded asset
    source: EntitySet
    target: Target
    mapping: Callable[[Any, Facts], Record]  # pure; a part that cannot be mapped becomes None, and a rule says so
    rules: tuple[Rule, ...] = ()
    reads: tuple[str, ...] = ()
    """Fields of the source ("lines.account" for its lines') without which a record means nothing: where a tenant of the
    ERP lacks one, the flow is off, and says so."""
    needs: tuple[str, ...] = ()  # flows that are delivered first, whose remote ids the mapping asks for
    needs_key: Callable[[Any], Mapping[str, str | tuple[str, ...]]] | None = None
    """source record -> {flow: key, or keys, that it refers to}"""
    links: tuple[str, ...] = ()  # flows whose remote ids it shows where they are there; it does not wait for these
    names: tuple[str, ...] = ()  # flows of whose deliveries the mapping asks the names
    echoes: Callable[[Any, Facts], Mapping[str, str | None]] | None = None
    """(source record, facts) -> {flow: `stakes.document_key`}: a document that this flow may have delivered there, and
    that comes back as a record of the source; `facts.delivered` has its key in the ERP then"""
    tells: tuple[str, ...] = ()  # flows of whose holds it tells: the mapping asks for their reasons
    needs_settled: bool = False  # what it needs counts only while nothing of it is on hold
    checks_accounts: bool = True  # reads the ERP's chart of accounts, and its code parts where a rule asks for them
    names_code_parts: bool = False  # shows code parts by the ERP's names: they are read, and nothing waits for them
    scope: Callable[[Any, Facts], str] | None = (
        None  # (source record, facts) -> why it is no matter of this flow, or ""
    )
    looks_up: bool = False  # the target is asked what it has of the very records that are judged
    writer: str = ""  # flows of one writer are loaded one at a time; empty: each flow has its own
    marks: str = ""  # what the references of its documents begin with, where flows share a target: "cin7-supplier-"
    supersedes: Callable[[Any], Mapping[str, tuple[str, ...]]] | None = None
    """target record -> {flow: keys}: what it takes the place of, and what is never delivered after it"""
    fate: Callable[[Any, Facts], Fate | None] | None = None
    """(source record, facts) -> how its source took it back, None: it stands. Where a flow has this, what its source
    says of a delivered record later is compared with what was delivered."""
    substance: Callable[[Any], Any] | None = None
    """The source record without what tells of its way alone: its status. None: what changes there is delivered."""
    leaves_its_list: bool = False  # the source's list shows a record on its way alone: later it is asked for by key
    reversing: Reversing | None = None  # None: nothing of this flow is ever reversed
    document: Callable[[Any], str | None] | None = None
    """target record -> `stakes.document_key`: which supplier's invoice it is, under whatever key the ERP has it"""
    twin: Callable[[Any], str | None] | None = None
    """target record -> what two of its source's have in common that are probably one; None: nothing tells"""
    pair: str = ""  # "cin7/suppliers": both sides may change the record; the values last agreed on are kept under this
    cut_over: date | None = None
    """A document that is dated before it, and was not delivered by this flow, is no matter of it: mlc.yaml says so."""
    description: str = ""
    owner: str = "team:finance"
    system: str = ""  # the SaaS's own name, where the flow is one of a connection under another name
    title: str = ""  # the SaaS, as people write it: its declaration says so

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(self.name.split("/"))

    @property
    def spoke(self) -> str:
        """The SaaS on the one side; the ERP is on the other."""
        return self.source.system if self.target.system == ERP else self.target.system

    @property
    def systems(self) -> tuple[str, str]:
        """The systems on both sides, source and target, by their own names: what they are, and not what mlc.yaml calls
        the connection."""
        own = self.system or self.spoke
        return (ERP, own) if self.source.system == ERP else (own, ERP)

    def under(self, connection: str) -> Flow:
        """The flow of another connection to the same SaaS: its names say hubspot_us where these say hubspot."""
        own = self.spoke
        if connection == own:
            return self
        return replace(
            self,
            system=self.system or own,
            name=renamed(self.name, own, connection),
            source=replace(self.source, system=connection) if self.source.system == own else self.source,
            target=replace(self.target, system=connection) if self.target.system == own else self.target,
            needs=tuple(renamed(needed, own, connection) for needed in self.needs),
            links=tuple(renamed(linked, own, connection) for linked in self.links),
            names=tuple(renamed(named, own, connection) for named in self.names),
            tells=tuple(renamed(told, own, connection) for told in self.tells),
            pair=renamed(self.pair, own, connection),
            writer=renamed(self.writer, own, connection),
            marks=f"{self.marks}{connection}-" if self.marks else "",
        )

    def here(self, flow: str) -> str:
        """The name that another flow of the system has on this flow's connection."""
        return renamed(flow, self.system, self.spoke) if self.system else flow
