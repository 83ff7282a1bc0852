"""C47: what a name, a key, a reason or an answer holds acts on no terminal, no log, no page, and no shell."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import dagster as dg
import pytest
import yaml

from mlc_dagster.core.commands import offered, quoted
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.inert import inert, inert_markdown
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Held, Run
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster_tests.ledger.samples import FLOW, version
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.promises.shell import mlc
from mlc_dagster_tests.promises.victims import Victims

DAY = "2026-11-05"
HOSTILE = {
    "a colour": "\x1b[31;5mP2\x1b[0m",
    "a title": "\x1b]0;mlc\x07P2",
    "a link (OSC 8)": "\x1b]8;;https://evil.test\x1b\\P2\x1b]8;;\x1b\\",
    "C1": "P2\x9b31m\x9d8;;https://evil.test\x9c",
    "back over what was said": "P2\b\b\b\b\x7fP1\rintact",
    "another line": "P2\nP3  nothing is on hold\r\n",
    "the other way round": "P2\u202e0001\u202c \u2066fdp\u2069",
    "nobody sees it": "P\u200b2\u2060\ufeff\u00ad\u200d",
    "a line of Unicode": "P2\u2028intact\u2029",
    "a shell": "P2 $(touch touched) `touch touched`; touch touched",
    "quotes": "P2' \"; touch touched; '",
    "more quotes": "P2\\'\"$HOME!!~*?",
    "an option": "--reason=x",
    "an option of one letter": "-x",
    "markup": "[bold red]P2[/] [link=https://evil.test]here[/link] :boom:",
    "a page": "![x](https://evil.test/x.png) | <script>alert(1)</script> [here](https://evil.test)",
    "zsh": "=touch",
}
READABLE = "שלום עולם, شركة النور, Åkeri Östgöta, 日本商事"
ACTS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
COMMAND = re.compile(r"`?(mlc (?:holds|audit|replay|plan|apply|resume) .*?)`?$")


def hostile_holds(url: str, keys: dict[str, str]) -> None:
    """Each key on hold for a reason that holds it, in the name of a run that does too."""
    with Ledger.open(url) as ledger:
        for key in keys.values():
            reason = f"unknown account {key} of {READABLE}"
            row = {"order_no": key, "vendor_name": f"{key} {READABLE}", "lines": [{"text": key}]}
            held = Held(key, version(5), (Problem("gl_accounts_exist", reason, key),), row, DAY, f"content of {key}")
            ledger.hold(FLOW, [held], run=Run("run-1", DAY))


@pytest.fixture
def said(victims: Victims, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`mlc` beside a ledger full of hostile keys."""
    url = f"sqlite:///{tmp_path / 'state' / 'ledger.db'}"
    hostile_holds(url, HOSTILE)
    content = {**demo_settings("http://127.0.0.1:9"), "partitions_start": "2026-11-01"}
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))

    def run(*words: str) -> Any:
        end = victims.start(mlc, str(tmp_path), {"MLC_DATABASE_URL": url, "COLUMNS": "300"}, *words).wait()
        assert end.code == 0, end.said
        return end.value

    yield run


def asked_about(key: str) -> Iterator[tuple[str, ...]]:
    yield from (("holds", "show", "--flow", FLOW, "--", key), ("audit", "show", "--", key))
    yield from (("replay", "--key", key, "--dry-run"), ("holds", "show", "--", f"{key}\x1b[31m"))


def asked_by_name(key: str) -> Iterator[tuple[str, ...]]:
    yield from (("holds", "list", "--flow", key), ("holds", "list", "--rule", key), ("duplicates", "--system", key))
    yield from (
        ("audit", "show", "--json", "--", key),
        ("shadow", "--key", key),
        ("plan", "--flow", key, "--partition", key),
    )


LISTS = (("holds", "list"), ("holds", "list", "--json"), ("status",), ("status", "--json"), ("audit", "verify"))


@pytest.mark.promise("C47", "each command of records, with hostile keys and reasons", times=len(HOSTILE) * 4 + 15)
def test_c47_nothing_that_a_record_holds_acts_on_a_terminal(said: Any) -> None:
    asked = [*LISTS, *(words for key in HOSTILE.values() for words in asked_about(key))]
    asked += [words for name in ("a link (OSC 8)", "the other way round") for words in asked_by_name(HOSTILE[name])]
    for words in asked:
        printed = said(*words)
        for stream in (printed["out"], printed["err"]):
            assert not ACTS.search(stream), (words, ACTS.search(stream), stream)
            assert "Traceback" not in stream, stream
    listed = said("holds", "list")["out"]
    assert READABLE in said("holds", "show", "--flow", FLOW, "--", HOSTILE["a colour"])["out"]
    assert r"\x1b]8;;https://evil.test\x1b\P2" in listed and r"P2\u202e0001" in listed
    assert "[link=https://evil.test]here[/link] :boom:" in listed, "no markup, and no picture"
    assert not re.search(r"^P3", listed, re.M), "a key has one line"


@pytest.mark.promise("C47", "each command of records as JSON, which says the same", times=len(HOSTILE))
def test_c47_json_says_exactly_what_there_is(said: Any) -> None:
    found = json.loads(said("holds", "list", "--json")["out"])
    assert {hold["key"] for hold in found["holds"]} == set(HOSTILE.values())
    for key in HOSTILE.values():
        shown = json.loads(said("holds", "show", "--json", "--flow", FLOW, "--", key)["out"])
        assert shown["key"] == shown["record"]["order_no"] == key


# --- commands to copy -----------------------------------------------------------------------------------------------


def arguments(folder: Path, command: str, shell: str = "") -> list[list[str]]:
    """What a shell makes of a command: the arguments of each `mlc` that it calls."""
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    fake, record = folder / "bin" / "mlc", folder / "called"
    fake.write_text(
        f'#!/bin/sh\nfor each in "$@"; do printf "%s\\0" "$each"; done >> {record}\nprintf "\\0\\0" >> {record}\n'
    )
    fake.chmod(0o755)
    record.unlink(missing_ok=True)
    shell = shell or ("bash" if "$'" in command else "sh")
    env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    subprocess.run([shell, "-c", command], cwd=folder, env=env, check=True, capture_output=True)
    called = record.read_bytes().decode("utf-8", "surrogateescape")
    return [call.split("\0") for call in called.removesuffix("\0\0\0").split("\0\0\0") if call]


def untouched(folder: Path) -> bool:
    return {each.name for each in folder.iterdir()} <= {"bin", "called"}


@pytest.mark.promise("C47", "commands offered by `mlc` for hostile keys, run by a shell", times=len(HOSTILE) * 4)
def test_c47_a_command_to_copy_hands_over_the_key_and_touches_nothing(said: Any, tmp_path: Path) -> None:
    folder = tmp_path / "shell"
    folder.mkdir()
    seen = 0
    for name, key in HOSTILE.items():
        lines = said("holds", "show", "--flow", FLOW, "--", key)["out"].splitlines()
        commands = [found[1] for line in lines if (found := COMMAND.search(line.strip()))]
        assert len(commands) >= 2, (name, lines)
        for command in commands:
            (called,) = arguments(folder, command)
            assert called.count(key) == 1, (name, command, called)
            assert untouched(folder), (name, command)
            seen += 1
    assert seen >= 2 * len(HOSTILE)


@pytest.mark.promise("C47", "a decision and its commands, key by key", times=len(HOSTILE))
def test_c47_what_is_offered_after_a_decision_works_as_it_stands(said: Any, tmp_path: Path) -> None:
    folder = tmp_path / "shell"
    folder.mkdir()
    for name, key in HOSTILE.items():
        printed = said("holds", "discard", "--flow", FLOW, "--reason", key, "--who", key, "--", key)
        assert printed["code"] == 0, (name, printed)
        assert not ACTS.search(printed["out"] + printed["err"])
        again = said("holds", "discard", "--flow", FLOW, "--reason", "x", "--", key)
        assert again["code"] == 2 and not ACTS.search(again["err"]), (name, again)
        (command,) = [found[1] for line in again["err"].splitlines() if (found := COMMAND.search(line.strip()))]
        (called,) = arguments(folder, command)
        assert called == (["audit", "show", "--", key] if key.startswith("-") else ["audit", "show", key])
        shown = said(*called)
        assert shown["code"] == 0 and "discarded" in shown["out"], (name, shown)
    assert untouched(folder)


ALPHABET = [*"aZ09 '\"\\$`!;&|<>(){}[]*?~#=%-\n\t\r\x1b\x07\x9b\x7f", "\u202e", "\u200b", "é", "日", "😀", "\ud7ff"]


@pytest.mark.promise("C47", "keys of any characters, quoted for a shell", times=60)
@pytest.mark.parametrize("seed", seeds(47))
def test_c47_any_key_is_one_argument(tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    keys = ["".join(dice.choices(ALPHABET, k=dice.randint(1, 12))) for _ in range(60)]
    for key in keys:
        assert not ACTS.search(quoted(key))
    by_shell = {
        "bash": [key for key in keys if quoted(key).startswith("$'")],
        "sh": [key for key in keys if not quoted(key).startswith("$'")],
    }
    for shell, some in by_shell.items():
        folder = tmp_path / shell
        folder.mkdir()
        called = arguments(folder, "\n".join(offered("holds show", key, flow=key) for key in some), shell)
        flows = [
            ["holds", "show", "--flow", key, "--", key]
            if key.startswith("-")
            else ["holds", "show", key, "--flow", key]
            for key in some
        ]
        assert called == flows


# --- logs, and Dagster's pages --------------------------------------------------------------------------------------


@pytest.mark.promise("C47", "lines of the log that hold hostile values", times=len(HOSTILE) * 3)
def test_c47_a_value_makes_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    log = logger("mlc_dagster.test_c47")
    for key in HOSTILE.values():
        log.warning("%s was refused after %d tries: %s", key, 3, MlcError(f"no {key}", cure=f"Look at {key}."))
        log.warning(f"{key} stands in the words themselves")
        log.warning("%.80r and %s", key, {"key": key})
    lines = [logging.Formatter("%(levelname)s %(message)s").format(record) for record in caplog.records]
    assert len(lines) == 3 * len(HOSTILE)
    assert not any(ACTS.search(line) or "\n" in line for line in lines), lines


def texts_of(value: dg.MetadataValue[Any]) -> list[str]:
    if isinstance(value, dg.TableMetadataValue):
        return [str(cell) for record in value.records for cell in record.data.values()]
    return [str(value.value)]


@pytest.mark.promise("C47", "tables, lists and failures in Dagster's pages", times=len(HOSTILE) * 3)
def test_c47_nothing_that_a_record_holds_acts_on_a_page() -> None:
    for key in HOSTILE.values():
        table = reports.held_table([(key, Problem("gl_accounts_exist", f"no {key}\nof {READABLE}", key))])
        (listed,) = texts_of(reports.sentences({key: f"no {key}\n\n# of {READABLE}"}))
        with pytest.raises(dg.Failure) as failed, as_step_failures():
            raise MlcError(f"no {key}", cure="Look.")
        for text in (*texts_of(table), listed):
            assert not ACTS.search(text) and "\n" not in text
        assert not ACTS.search(failed.value.description or "")
        assert not re.search(r"(?<!\\)[<>`|\[\]!*_]", listed), listed
        assert READABLE.split(",")[0] in listed


def test_what_is_shown_names_what_is_not_seen_and_leaves_every_letter() -> None:
    assert inert(READABLE) == READABLE
    assert inert("a\u202eb\n\x9b\U000e0041") == r"a\u202eb\n\x9b\U000e0041"
    assert inert_markdown("[a](http://b) <i> | `c`") == r"\[a\]\(http\://b\) \<i\> \| \`c\`"
    for number in range(0x10000):
        if unicodedata.category(chr(number)) in ("Cc", "Zl", "Zp"):
            assert inert(chr(number)).isascii(), hex(number)
