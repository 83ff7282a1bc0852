"""The review page as people have it: the listener of `mlc serve` on the loopback, and Chromium in front of it."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.loopback import bound_socket
from mlc_dagster.demo.place import SECRETS
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.automation.replaying import flows_on
from mlc_dagster.settings import Settings
from mlc_dagster.web.repeated_warnings import Tally
from mlc_dagster.web.review.app import build
from mlc_dagster.web.serve import server
from mlc_dagster_tests.web.review.conftest import settings_with

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = "no Chromium and no Playwright: apt-get install chromium, and pip install -e '.[dev]'"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PEOPLE = {
    "kari": [("decide", "*"), ("confirm", "*"), ("sign", "*"), ("work", "*")],
    "ola": [("decide", "*"), ("confirm", "*"), ("sign", "*")],
    "clerk": [("decide", "20"), ("confirm", "20")],
    "reader": [("look", "20")],
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for a module; each person has a context of his own in it. Without one the tests are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@dataclass
class Served:
    """A page that is served, and the people at it. What any browser complained of stands in `complaints`."""

    address: str
    ledger: Ledger
    chromium: Any
    complaints: list[str] = field(default_factory=list)
    _contexts: list[Any] = field(default_factory=list)

    def visitor(self, **context: Any) -> Any:
        """A browser of its own, not signed in."""
        made = self.chromium.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **context})
        made.set_default_timeout(10_000)
        self._contexts.append(made)
        page = made.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"script broke: {error}"))
        page.set_default_timeout(10_000)
        return page

    def sign_in(self, name: str = "kari", grants: Any = None, token: str = "", path: str = "/", **context: Any) -> Any:
        """The browser of one of the people, at a page."""
        token = token or self.ledger.users.add(name, grants or PEOPLE[name], 30)
        page = self.visitor(**context)
        page.goto(self.address + path)
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Your personal token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("nav")
        return page

    def _heard(self, message: Any) -> None:
        """What a content security policy reports is a complaint; an answer of 409 that a test wants is none."""
        if message.type == "error" and "the server responded with a status of" not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        for each in self._contexts:
            each.close()


@contextmanager
def listening(settings: Settings, ledger: Ledger) -> Iterator[str]:
    """The address of the listener, as `mlc serve` makes it."""
    tally = Tally(settings.web.tell_seconds)
    app = build(settings, ledger, lambda: list(flows_on(settings).values()))
    place, running = bound_socket(0), server(app, settings.web, tally, believes_proxies=False)
    thread = threading.Thread(target=running.run, args=([place],), daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}{settings.review.root_path if settings.review else ''}"
    finally:
        running.should_exit = True
        thread.join(15)
        place.close()


Serving = Callable[..., Served]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients are made with them, for what they know of values; none of them calls anybody."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def serving(chromium: Any) -> Iterator[Serving]:
    """Serve a ledger with settings; at the end no browser has complained of a script, nor of the policy."""
    with ExitStack() as open_:
        made: list[Served] = []

        def start(ledger: Ledger, settings: Settings) -> Served:
            address = open_.enter_context(listening(settings, ledger))
            made.append(Served(address, ledger, chromium))
            return made[-1]

        yield start
        for each in made:
            each.close()
    assert [line for each in made for line in each.complaints] == []


@pytest.fixture
def served(serving: Serving, ledger: Ledger) -> Callable[..., Served]:
    """As `serving`, of the ledger of the review tests."""

    def start(policies: dict[str, Any] | None = None, **review: Any) -> Served:
        return serving(ledger, settings_with(policies, **review))

    return start


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, serving: Serving, migrated: Path) -> Iterator[Callable[..., Served]]:
    """As `served`, on each database."""
    from mlc_dagster_tests.conftest import copied

    url = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    with Ledger.open(copied(migrated, url)) as opened:

        def start(policies: dict[str, Any] | None = None, **review: Any) -> Served:
            return serving(opened, settings_with(policies, **review))

        yield start


def text(page: Any) -> str:
    """What a person reads, blanks made one."""
    return re.sub(r"\s+", " ", page.locator("body").inner_text())


def csrf(page: Any) -> str:
    """The token of the forms of this session."""
    found: str = page.locator("input[name=csrf]").first.get_attribute("value")
    return found


def forged(page: Any, path: str, **fields: str) -> Any:
    """A form that the page does not have, sent with its cookie: what an attacker or a script could send."""
    return page.request.post(path, form=fields, max_redirects=0)
