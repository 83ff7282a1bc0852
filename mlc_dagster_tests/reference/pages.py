"""Which pages there are, and what makes each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlc_dagster import shipped
from mlc_dagster.web.review.catalogue.translations import TEMPLATE, template
from mlc_dagster.web.review.sentences import KINDS, RULES, UNKNOWN
from mlc_dagster_tests.reference import commands_page, runbook_page, settings_page

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "settings.md": settings_page.page,
    DOCS / "commands.md": commands_page.page,
    DOCS / "runbook.md": runbook_page.page,
    TEMPLATE: lambda: template({**RULES, **KINDS, "unknown": UNKNOWN}),
    **{Path(shipped.__file__).parent / name: (ROOT / name).read_text for name in shipped.NAMES},
}
