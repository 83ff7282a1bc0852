"""What other systems wrote is text and nothing else: in page, title, mail, CSV and XLSX. Section 12, 9."""

import io
import xml.etree.ElementTree as ET
import zipfile

import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger.entries import Held
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster_tests.web.review.browser.conftest import text
from mlc_dagster_tests.web.review.conftest import FLOW, RUN

pytestmark = pytest.mark.slow
HOSTILE = [
    "<script>document.body.id='taken'</script>",
    '"><img src=x onerror="document.body.id=\'taken\'">',
    "evil\u202egnp.exe",
    "n" * 1_000_000,
    '=HYPERLINK("https://evil.example","pay")',
    "a/b % ? # \n&;'",
    "{{ 7 * 7 }}",
    "\x1b[31m\x07",
    "javascript:alert(1)",
]
ACTS = "() => document.querySelectorAll('img, main script, iframe, object, embed, [onerror], [onclick]').length"

LEAVES = "() => [...document.links].filter(each => each.origin !== location.origin).map(each => each.href)"


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_inert_wherever_it_is_shown(served, ledger, name):
    key = name[:200]
    problem = Problem("gl_accounts_exist", f"unknown account {name}", name[:500])
    row = {"company": "20", "vendor_no": name, "gross_amount": "1", "currency_code": "SEK", "lines": [{"text": name}]}
    ledger.hold(FLOW, [Held(key, "", (problem,), row, "2026-11-05", "c")], run=RUN)
    ledger.differences.see(FLOW, [Found(f"d{key}", "edited_in_the_target", name[:100], name[:500], name[:500])])
    ledger.notes.add(FLOW, key, "kari", name[:2_000])
    at = served()
    page = at.sign_in()
    asked = [link["link"] for link in items(page, at)]
    marks = {link["cause"] for link in items(page, at)}
    for path in ("/", "/items", *asked, "/decisions", *(f"/cause/{mark}" for mark in marks), "/approvals"):
        assert page.goto(at.address + path).status == 200, path
        assert page.evaluate(ACTS) == 0 and not page.locator("#taken").count()
        assert "\u202e" not in page.content() and "\u202e" not in page.title() and " 49 " not in text(page)
        assert page.evaluate(LEAVES) == [], path
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
    page.goto(at.address + "/")
    request = page.locator("details.request textarea").first.input_value()
    assert "\u202e" not in request and "\x1b" not in request
    expect_plain_csv(page.request.get(at.address + "/export.csv").body())
    expect_plain_workbook(page.request.get(at.address + "/export.xlsx").body(), 2)


def items(page, at):
    return page.request.get(at.address + "/items", headers={"accept": "application/json"}).json()["items"]


def expect_plain_csv(body):
    import csv

    rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert len(rows) == 3
    for cell in (cell for row in rows for cell in row):
        is_number = cell.lstrip("-").replace(".", "", 1).isdecimal()
        assert is_number or cell.lstrip(" ")[:1] not in set("=+-@\t\r\n"), cell[:80]


def expect_plain_workbook(body, number):
    """Texts are inline strings, and none is a formula; the archive is whole and each part of it is XML."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        parts = {name: ET.fromstring(archive.read(name)) for name in archive.namelist()}
    sheet, main = parts["xl/worksheets/sheet1.xml"], "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    assert not sheet.findall(f".//{main}f"), "a formula"
    rows = sheet.findall(f".//{main}row")
    assert len(rows) == number + 1
    assert {cell.get("t") for cell in rows[1].findall(f"{main}c")} <= {"inlineStr", None}
    assert sheet.find(f".//{main}pane").get("state") == "frozen"
    about = "".join(parts["xl/worksheets/sheet2.xml"].itertext())
    assert "kari" in about and "end of the trail" in about
