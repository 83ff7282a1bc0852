"""A member that stands twice is told, wherever it stands; what is merely uneven is read as it is."""

from __future__ import annotations

import json

import pytest

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.odata.json_pages import PageDecoder
from mlc_dagster.systems.ifs.odata.strict_json import document_of, may_repeat, repeats

ORDERS = PageDecoder.of(ifs.PURCHASE_ORDERS, expand=True)
LINE = '{"OrderNo":"P%d","LineNo":"%d","ReleaseNo":"1","Description":"a \\"quoted\\": text"%s}'


def page(*extra: str, lines: int = 2, of_line: str = "") -> bytes:
    """Orders P0, P1, ...; what is given stands at the end of each."""
    rows = []
    for number, more in enumerate(extra):
        nested = ",".join(LINE % (number, line, of_line if line == 1 else "") for line in range(lines))
        rows.append(
            f'{{"@odata.etag":"W/1","OrderNo":"P{number}","Notes":"\\":","PurchaseOrderLines":[{nested}]{more}}}'
        )
    return f'{{"@odata.context":"x","value":[{",".join(rows)}],"@odata.count":{len(rows)}}}'.encode()


def unreadable(content: bytes) -> list[str | None]:
    return [
        row["unreadable"] and json.loads(row["unreadable"])["reason"] for row in rows_of(ORDERS.decode(content).batch)
    ]


def test_an_even_page_is_not_read_twice_whatever_stands_in_its_texts() -> None:
    content = page("", "", "")
    assert not may_repeat(content, 3, 6, "PurchaseOrderLines")
    assert unreadable(content) == [None, None, None]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_with_a_member_twice_is_told_and_the_others_are_read(place: int) -> None:
    extra = ["", "", ""]
    extra[place] = ',"Notes":"other"'
    reasons = unreadable(page(*extra))
    assert [reason is None for reason in reasons] == [number != place for number in range(3)]
    assert "Notes: stands twice" in str(reasons[place])


def test_a_member_twice_in_a_line_makes_its_document_unreadable() -> None:
    (reason,) = unreadable(page("", of_line=',"Description":"b"'))
    assert "Description: stands twice" in str(reason)


def test_rows_of_uneven_length_are_read_as_they_are() -> None:
    content = page("", ',"Contract":"S1"', "")
    assert may_repeat(content, 3, 6, "PurchaseOrderLines") and not repeats(content)
    assert unreadable(content) == [None, None, None]
    assert [row["contract"] for row in rows_of(ORDERS.decode(content).batch)] == [None, "S1", None]


def test_nan_and_depth_without_end_are_no_documents() -> None:
    with pytest.raises(ValueError, match="NaN is not JSON"):
        document_of(b'{"value":[NaN]}')
    with pytest.raises(ValueError, match="nested too deeply"):
        document_of(b"[" * 500_000)
