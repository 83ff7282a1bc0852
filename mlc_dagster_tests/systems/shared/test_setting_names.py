"""On a connection of its own name, messages name that connection's settings and secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured, RecordRejected
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.monday.records import INVOICES
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.shared.findings import budget
from mlc_dagster.systems.shared.setting_names import ConnectionClient, names_of
from mlc_dagster_tests.systems.monday.samples import drafts, facts

RENAME = names_of("monday", "monday_us", ("boards", "create_columns"), {"MONDAY_TOKEN": "MONDAY_US_TOKEN"})


@pytest.mark.parametrize(
    "said, told",
    [
        (
            "correct monday.boards, or set monday.create_columns.",
            "correct monday_us.boards, or set monday_us.create_columns.",
        ),
        ("monday.boards.suppliers.board is 7", "monday_us.boards.suppliers.board is 7"),
        ("monday.com has no board 7", "monday.com has no board 7"),
        ("https://api.monday.com/v2 and not.monday.boards", "https://api.monday.com/v2 and not.monday.boards"),
        ("Check MONDAY_TOKEN, not MONDAY_TOKENS", "Check MONDAY_US_TOKEN, not MONDAY_TOKENS"),
    ],
)
def test_settings_and_secrets_are_renamed_and_nothing_that_looks_like_them(said: str, told: str) -> None:
    assert RENAME(said) == told


class Client:
    """Refuses one draft, then has no board."""

    requests = 3

    def save(self, drafts: list[Draft]) -> Iterator[Outcome]:
        yield Saved(drafts[0], "7", "created")
        yield Refused(drafts[1], "set monday.create_columns")
        raise Misconfigured("no board", cure="Correct monday.boards.")

    def one(self) -> None:
        raise RecordRejected("monday.boards is wrong", status=404)


def test_what_a_client_refuses_and_raises_is_told_by_the_connections_names() -> None:
    client, drafts = ConnectionClient(Client(), RENAME), [Draft("a", None), Draft("b", None)]
    assert client.requests == 3
    outcomes = client.save(drafts)
    assert next(outcomes) == Saved(drafts[0], "7", "created")
    assert next(outcomes) == Refused(drafts[1], "set monday_us.create_columns")
    with pytest.raises(Misconfigured) as error:
        next(outcomes)
    assert error.value.cure == "Correct monday_us.boards." and str(error.value).endswith("Correct monday_us.boards.")
    with pytest.raises(RecordRejected) as refused:
        client.one()
    assert refused.value.message == "monday_us.boards is wrong" and refused.value.status == 404


def test_a_board_that_is_not_there_is_told_by_the_setting_of_the_connection() -> None:
    monday = systems()["monday"]
    boards = {"invoices": {"board": "404"}}
    with Sandbox(seed="empty", today=date(2026, 11, 20)) as box:
        section = monday.settings.model_validate({"base_url": f"{box.url}/monday", "boards": boards})
        items = drafts([7], facts(options=section.options()))
        for name in ("monday", "monday_us"):
            client = monday.client(section, {f"{name.upper()}_TOKEN": "sandbox-monday-token"}, budget, name)
            with pytest.raises(Misconfigured, match="no board 404") as error:
                list(client.save(INVOICES, items))
            assert error.value.cure and f"Correct {name}.boards in mlc.yaml" in error.value.cure


def test_a_token_that_is_refused_is_named_as_it_is_called_here() -> None:
    monday = systems()["monday"]
    with Sandbox(seed="empty", today=date(2026, 11, 20)) as box:
        section = monday.settings.model_validate({"base_url": f"{box.url}/monday"})
        for connection, name in (
            ("monday", "MONDAY_TOKEN"),
            ("monday_us", "MONDAY_US_TOKEN"),
            ("monday", "A_MONDAY_TOKEN"),
        ):
            client = monday.client(section, {name: "another-token"}, budget, connection)
            with pytest.raises(AccessDenied) as error:
                client.who()
            assert error.value.cure and f" {name}" in error.value.cure
