"""An export has the totals of the list that its link stood on, or says how many came and went meanwhile."""

import io
import re
import zipfile
from html import unescape

from mlc_dagster_tests.web.review.conftest import FLOW, RUN, hold


def link(client, path, name="export.csv"):
    [found] = re.findall(rf'href="(/{name}[^"]*)"', client.get(path).text)
    return unescape(found)


def test_an_export_of_what_the_list_showed_has_no_more_to_say(ledger, signed):
    for number in range(60):
        hold(ledger, f"P{number}", amount=f"{number}.015", currency_code="KWD")
    client = signed()
    where = link(client, "/items?company=20")
    lines = client.get(where).content.decode("utf-8-sig").splitlines()
    assert len(lines) == 61 and "meanwhile" not in lines[-1]
    assert len(client.get("/export.csv?company=20").content.splitlines()) == 61, "by a link of its own, too"


def test_an_export_says_what_came_and_went_since_its_list(ledger, signed):
    for number in range(4):
        hold(ledger, f"P{number}")
    client = signed()
    where, sheet = link(client, "/items"), link(client, "/items", "export.xlsx")
    ledger.close_holds(FLOW, ["P0", "P1"], "delivered", run=RUN)
    hold(ledger, "P9", amount="7.00")
    last = client.get(where).content.decode("utf-8-sig").splitlines()[-1]
    assert "had 4 items, and this has 3 (207.00 SEK): 1 came and 2 went meanwhile." in last
    book = zipfile.ZipFile(io.BytesIO(client.get(sheet).content))
    assert any(b"1 came and 2 went meanwhile" in book.read(name) for name in book.namelist())


def test_an_amount_that_changed_is_told_though_as_many_are_there(ledger, signed):
    hold(ledger, "P1")
    client = signed()
    where = link(client, "/items")
    hold(ledger, "P1", amount="100.01")
    last = client.get(where).content.decode("utf-8-sig").splitlines()[-1]
    assert "this has 1 (100.01 SEK): 0 came and 0 went meanwhile; amounts have changed" in last


def test_a_link_that_somebody_wrote_himself_says_no_less(ledger, signed):
    hold(ledger, "P1")
    client = signed()
    for query in ("at=yesterday&listed=1", "at=2026-11-01&listed=1 SEK=100", "listed=7", "at=2026-11-01T00:00:00Z"):
        text = client.get(f"/export.csv?{query}").content.decode("utf-8-sig")
        assert text.count("P1,") == 1 and "meanwhile" not in text
