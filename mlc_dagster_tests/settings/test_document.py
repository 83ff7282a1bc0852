"""A file that cannot be read, or is no settings, is one sentence; what can be read is judged as a whole, by line."""

from __future__ import annotations

import os
import re
import time
import tracemalloc
from pathlib import Path

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.systems import configuration as settings

MARKED = "hunter2-marked"


def refusal(path: Path) -> str:
    with pytest.raises(Misconfigured) as caught:
        settings.load(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "text, said",
    [
        ('a: 1\nb: "x\nc: 2\n', "line 2: a quote is opened here and not closed"),
        ("a: 1\nb: [1, 2\nc: 3\n", "line 2: a bracket [ is opened here and not closed"),
        ("a: [1,", "line 2, column 1: the file ends here, and a bracket"),
        ("a: {b: 1\n", "line 1: a brace { is opened here and not closed"),
        ("a:\n\tb: 1\n", "line 2, column 1: a tab stands here; YAML is indented by spaces"),
        ("a: b: c\n", "line 1, column 5: a colon where none is expected"),
        ("a:\n  b: 1\n c: 2\n", "line 3, column 2: it is indented further, or less, than the lines beside it"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: a second document begins here"),
        ("a: *b\n", "line 1, column 4: an alias"),
        ('a: "\\q"\n', "line 1, column 6: a backslash in double quotes"),
        ("a: @b\n", "line 1, column 4: a character that no value begins with"),
        ("a: 1\nb: \x07\n", "line 2: a character that no text has (U+0007)"),
        ("? [a]\n: 1\n", "line 1, column 3: a name is a word"),
        ("a: &a {b: *a}\n", "line 1, column 4: it refers to itself"),
    ],
)
def test_what_is_not_yaml_is_told_by_its_line_in_plain_words(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_text(f"{text}# {MARKED}\n")
    told = refusal(path)
    assert f"{path} is not YAML: {said}" in told and MARKED not in told and len(told.splitlines()) == 2


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "is empty"),
        (b"# only comments\n", "is empty"),
        (b"{}\n", "is empty"),
        (b"- a\n- b\n", "is a list; expected names with values"),
        (b"companies\n", "is a text; expected names with values"),
        (b"a: 1\nb: \xe5\n", "is not UTF-8 text, in line 2"),
        ("companies: {}".encode("utf-16"), "is not UTF-8 text, in line 1 (it looks like UTF-16)"),
    ],
)
def test_what_is_no_settings_is_told_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_bytes(content)
    assert f"{path} {said}" in refusal(path)


def test_a_folder_and_a_file_that_is_not_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"{tmp_path} is a folder" in refusal(tmp_path)
    monkeypatch.chdir(tmp_path)
    told = refusal(Path("mlc.yaml"))
    assert f"no mlc.yaml in {tmp_path}" in told and "mlc.example.yaml" in told


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    path = tmp_path / "mlc.yaml"
    path.write_text("companies: {}")
    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read everything
    assert f"{path} cannot be read: Permission denied" in refusal(path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "mlc.yaml"
    address = "https://tenant.ifs.test"
    text = f"companies: {{0010: {{currency: SEK}}}}\nifs: {{base_url: '{address}', token_url: '{address}/token'}}\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert list(settings.load(path).companies) == ["0010"]


MANY = """\
companies:
  0010: {currency: kr}
  0010:
    currency: SEK
    decimls: 2
ifs:
  base_url: https://tenant.ifs.test
  in_flight: 99
cin7:
  calls_per_minute: [60]
policies: {}
policies:
  gl_policy: stop
hubspot: {company_code: "0030"}
"""


def test_all_mistakes_are_told_at_once_each_with_its_line_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_text(MANY)
    told = refusal(path)
    assert f"{path} has 8 mistakes:" in told
    found = re.findall(r"line (\d+), ([^:]+): ", told)
    assert found == [
        ("3", "companies.0010"),
        ("5", "companies.0010.decimls"),
        ("6", "ifs.token_url"),
        ("8", "ifs.in_flight"),
        ("10", "cin7.calls_per_minute"),
        ("12", "policies"),
        ("13", "policies.gl_policy"),
        ("14", "hubspot.company_code"),
    ]
    assert "'0010' stands twice: in line 2 too" in told


# --- YAML that is more than settings ----------------------------------------------------------------------------------

GOOD = """\
companies: {{0010: {{currency: SEK}}}}
ifs: {{base_url: 'https://tenant.ifs.test', token_url: 'https://tenant.ifs.test/token'}}
{more}
"""
LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
NAMES = "a0: &a0 {x: y}\n" + "".join(
    f"a{n}: &a{n} {{{', '.join(f'k{each}: *a{n - 1}' for each in range(9))}}}\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    "text, said",
    [
        (LAUGHS, "line 6, column 5: anchors (&) and aliases (*) unfold to more than 50,000 values here"),
        (NAMES, "column 5: anchors (&) and aliases (*) unfold to more than 50,000 values here"),
        ("a: " + "[" * 10_000, "line 1, column 44: more than 40 sections or lists in one another"),
        ("a: " + "{a: " * 10_000, "more than 40 sections or lists in one another"),
        ("- " * 10_000 + "a", "more than 40 sections or lists in one another"),
        ("".join(f"{' ' * n}a:\n" for n in range(1_000)), "line 41, column 41: more than 40 sections"),
        ("[" * 1_000_000, "more than 40 sections or lists in one another"),
        ("a: [" + "b, " * 150_000 + "b]", "more than 50,000 values"),
        ("a: 1\n? {b: c}\n: d\n", "line 2, column 3: a name is a word, not a list or a section"),
        ("a: 1\n? [b, c]\n: d\n", "line 2, column 3: a name is a word"),
        ("a: &a {b: c}\nd:\n  <<: *a\n", "line 3, column 3: a merge (<<) is not read; write out the settings"),
        ("a: 1\nb: !secret token\n", "line 2, column 4: a tag (!...) stands before the value"),
        ("a: !!python/object/apply:os.system [touch x]\n", "line 1, column 4: a tag (!...) stands before the value"),
        ("a: 1\nb: \x00\n", "line 2: a character that no text has (U+0000)"),
        ("a: 1\nb: \x1b[31m\n", "line 2: a character that no text has (U+001B)"),
        ("%YAML 9.9\n---\na: 1\n", "line 1"),
        ("a: &x *x\n", "line 1"),
    ],
)
def test_yaml_that_is_more_than_settings_is_one_sentence_in_little_time_and_memory(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_text(text)
    tracemalloc.start()
    began = time.process_time()
    told = refusal(path)
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert f"{path} is not YAML: " in told and said in told and len(told.splitlines()) == 2, told
    assert spent < 60 and peak < 400e6, f"{spent:.1f} s, {peak / 1e6:.0f} MB"


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_bytes(b"a: b\n")
    os.truncate(path, 50 * 2**30)
    assert "has more than 1,024 KiB; settings have a few" in refusal(path)
    assert "has more than 1,024 KiB" in refusal(Path("/dev/zero"))


def test_anchors_of_a_few_values_and_every_way_to_say_yes_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mlc.yaml"
    more = "cin7: {payment_terms: &terms {'30': 30 days}, suppliers_into_ifs: YES}\n"
    more += "airbase: {payment_terms: *terms, vendors_into_ifs: 'off', create_suppliers_in_ifs: no}\n"
    more += "hubspot: {gl_accounts: {2026-11-03: 'on', NO: 0010, ~: a, 1.0: b, !!str 5: !!str 6}, deals: on}"
    path.write_text(GOOD.format(more=more))
    found = settings.load(path)
    assert found.airbase and found.cin7 and found.hubspot
    assert found.airbase.payment_terms == found.cin7.payment_terms == {"30": "30 days"}
    assert found.hubspot.gl_accounts == {"2026-11-03": "on", "NO": "0010", "~": "a", "1.0": "b", "5": "6"}
    assert found.cin7.suppliers_into_ifs and found.hubspot.deals
    assert not (found.airbase.vendors_into_ifs or found.airbase.create_suppliers_in_ifs)


@pytest.mark.parametrize("word", ["maybe", "2", "ja", "2026-11-03", "[]", "''"])
def test_what_says_neither_yes_nor_no_is_told(tmp_path: Path, word: str) -> None:
    path = tmp_path / "mlc.yaml"
    path.write_text(GOOD.format(more=f"hubspot: {{deals: {word}}}"))
    assert "line 3, hubspot.deals: found" in refusal(path) and "expected true or false" in refusal(path)
