"""A spreadsheet as a stream: each sheet's first row is frozen, a number is a number, all else is text. Pure."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from mlc_dagster.core.inert import inert_lines

Cell = str | int | Decimal
LONGEST = 32_767  # signs of a cell
DIGITS = 15  # of a number, as spreadsheets keep it; one with more is text, so that none is lost
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class _Sink:
    """What the archive wrote since it was asked last; it cannot go back in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def workbook(sheets: Mapping[str, Iterable[Sequence[Cell]]]) -> Iterator[bytes]:
    """Name -> rows, the first of which are the names of the columns."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for name, text in _frame(list(sheets)).items():
            archive.writestr(name, HEAD + text)
        for number, rows in enumerate(sheets.values(), 1):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w") as sheet:
                for text in _sheet(rows):
                    sheet.write(text.encode())
                    yield sink.taken()
    yield sink.taken()


def _sheet(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    view = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft"'
    yield f'{HEAD}<worksheet xmlns="{MAIN}">{view} state="frozen"/></sheetView></sheetViews><sheetData>'
    for row in rows:
        yield f"<row>{''.join(map(_cell, row))}</row>"
    yield "</sheetData></worksheet>"


def _cell(value: Cell) -> str:
    if not isinstance(value, str) and len(Decimal(value).as_tuple().digits) <= DIGITS:
        return f"<c><v>{value:f}</v></c>"
    text = inert_lines(str(value))[:LONGEST].encode("utf-8", "backslashreplace").decode()
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def _frame(names: Sequence[str]) -> dict[str, str]:
    """What a spreadsheet asks for beside its sheets."""
    numbers = range(1, len(names) + 1)
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{each}.xml" ContentType="{KIND}.worksheet+xml"/>' for each in numbers
    )
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{each}" r:id="rId{each}"/>'
        for each, name in zip(numbers, names, strict=True)
    )
    leads = "".join(
        f'<Relationship Id="rId{each}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{each}.xml"/>'
        for each in numbers
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{KIND}.sheet.main+xml"/>{parts}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{leads}</Relationships>',
    }
