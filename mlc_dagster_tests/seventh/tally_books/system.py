"""Tally Books, as the house knows it: how it is connected, what a ping asks, and the declaration."""

from collections.abc import Iterator

from mlc_dagster.systems.shared.connections import Budgets, budget_name, http_api, required_secret, secret_name
from mlc_dagster.systems.shared.findings import Finding, Question, budget, clock, rate
from mlc_dagster.systems.system import System
from mlc_dagster.transport.sign_in import Bearer
from tally_books.client import TallyClient
from tally_books.flows import FLOWS
from tally_books.settings import TallySettings


def connect(settings: TallySettings, token: str, budgets: Budgets, tries: int = 8, name: str = "tally") -> TallyClient:
    secret = secret_name("TALLY_TOKEN", "tally", name)
    auth = Bearer(required_secret(token, secret), cure=f"Check {secret}: the token may have been replaced.")
    shared = budgets(budget_name("tally", settings.base_url, token), settings.calls_per_minute, 60.0)
    return TallyClient(http_api(name, settings, tries, auth=auth, budget=shared))


def ping(question: Question) -> Iterator[Finding]:
    """An error on the way is a finding, too: who asks makes one of it."""
    section = question.section(TallySettings)
    (token,) = question.secrets
    api = connect(section, token, budget, tries=2, name=question.connection).api
    yield Finding("tally", "sign-in", True, f"company {api.request('GET', '/v1/company').value['name']}")
    yield from clock("tally", api)
    yield rate("tally", (), f"{section.calls_per_minute} calls a minute")


SYSTEM = System(
    "tally", "Tally Books", TallySettings, secrets=("TALLY_TOKEN",), connect=connect, ping=ping, flows=FLOWS
)
