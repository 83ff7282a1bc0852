"""`mlc`: the table of its commands. Each is a module beside this one, or a folder of modules; none is imported here."""

from __future__ import annotations

import os
import sys

from mlc_dagster.cli.shared.command_table import Command, group
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.terminal import Terminal, paragraph, say_json

RECORDS = "records"
"""The folder of the commands about single records after they were delivered."""

COMMANDS = (
    Command(
        "demo",
        "Move everything from a sandbox ERP to the sandbox SaaS through real Dagster runs, twice, and show what moved.",
    ),
    Command(
        "init",
        "Ask what to connect, sign in to it, look at what is there, and write mlc.yaml and .env. Changes no system.",
    ),
    Command("ui", "Open Dagster's UI on the demo, or on your own mlc.yaml where there is one."),
    Command("sandbox", "Serve IFS Cloud and the SaaS beside it on one local port."),
    Command(
        "replay",
        "Prepare and load stored rows once more; what the target has costs no request. Exit 1 where a run failed.",
        of_records=True,
    ),
    Command(
        "coverage",
        "Read real records and say what is not mapped yet: how many it would hold, and what they come to.",
    ),
    Command("try", "One record from its source to its target, every step shown; sent if you say yes."),
    Command(
        "plan",
        "Say what a load of the stored rows would do, field by field. Writes nothing, anywhere.",
        of_records=True,
    ),
    Command(
        "apply",
        "Prepare and load as planned; exit 3, and nothing is written, where records or ledger have moved since.",
        of_records=True,
    ),
    Command("duplicates", "Look whether a target holds one of our documents twice. Reads only.", of_records=True),
    Command(
        "reconcile",
        "Compare what was delivered with what the targets show of it, to the cent. Writes to no target.",
        of_records=True,
        room=RECORDS,
    ),
    Command(
        "accept",
        "The target is right: its values are what is agreed from now on.",
        of_records=True,
        room=RECORDS,
    ),
    Command(
        "restore",
        "Ours is right: send what was delivered again, as it was then.",
        of_records=True,
        room=RECORDS,
    ),
    Command(
        "recreate",
        "Make again what people deleted or voided in the target, from what was delivered.",
        of_records=True,
        room=RECORDS,
    ),
    Command(
        "relink",
        "Say which record of the target a delivered one is: after a merge, or a copy by hand.",
        of_records=True,
        room=RECORDS,
    ),
    Command("forget", "What the target has of a record is none of ours any more.", of_records=True, room=RECORDS),
    Command(
        "pause",
        "Stop writing to a system: the batch in flight ends, and nothing is sent after it. Reading goes on.",
        of_records=True,
    ),
    Command("resume", "Let a system be written to again; what waited is loaded by itself.", of_records=True),
    Command("retry", "Let what failed be tried again at once: its cause is mended.", of_records=True),
    Command(
        "shadow",
        "What would have been written where mlc.yaml says `mode: shadow`, field by field; each content once.",
        of_records=True,
    ),
    Command(
        "status",
        "What is on and what is paused; of each flow its last load, what is due, on hold and different, since when.",
        of_records=True,
    ),
    Command("flows", "List what moves: from where to where, whether mlc.yaml has it on, its rules."),
    Command("check", "Read mlc.yaml and name every mistake by its line and its path."),
    Command("schema", "Print the JSON schema of mlc.yaml, for editors."),
    Command(
        "ping", "Ask every connection that is on, at once, whether all is there. Exit 1 where something is missing."
    ),
    Command(
        "discover", "Ask a system what it has, and propose what mlc.yaml could say of it. Reads only; changes nothing."
    ),
    Command(
        "serve", "Take in webhooks of the sources in web.sources, and serve the review page where `review` is set."
    ),
    Command("users", "Who may sign in to the review page: personal tokens, roles and companies."),
    Command(
        "credentials",
        "Secrets, sealed in the ledger's database with MLC_MASTER_KEY. The environment wins over the vault.",
    ),
    Command(
        "holds",
        "Records on hold: what, why, and what a person decides. Every decision stays in the trail, with who and why.",
        of_records=True,
    ),
    Command(
        "differences",
        "Delivered records whose two sides do not agree any more: open until they do, or until a person decides.",
        of_records=True,
    ),
    Command(
        "open",
        "What is open by cause, holds and differences together: how many, how much, since when, whose it is.",
        of_records=True,
    ),
    Command(
        "close",
        "The month end: what each company delivered, holds and has different, to the cent, and who signed for it.",
        of_records=True,
    ),
    Command("audit", "The trail: lines are added to it, never changed, never deleted.", of_records=True),
    Command(
        "diagnose",
        "Write one file to attach to a question: versions, settings, the shape of what systems answer, last errors.",
    ),
    Command("alerts", "Who is told of failed runs, and once a day of what is on hold: `alerts` in mlc.yaml."),
    Command("ledger", "The ledger: what was delivered, tried, held and read, in one database.", of_records=True),
)

app = group(
    "mlc_dagster.cli", "IFS Cloud and the SaaS beside it, kept in agreement by Dagster.", *COMMANDS, is_root=True
)

OF_RECORDS = frozenset(each.name for each in COMMANDS if each.of_records)


def _stand_in() -> None:
    """Where there is no mlc.yaml, the demo in .mlc-demo is meant."""
    from mlc_dagster import settings as settings_file

    folder = settings_file.DEMO_FOLDER
    if settings_file.is_chosen() or not folder.is_dir():
        return
    from mlc_dagster.demo.folder import absolute, is_demo
    from mlc_dagster.demo.place import Place

    if is_demo(folder):
        os.environ.update(Place(absolute(folder)).environment())
        Terminal(stderr=True).print(f"[dim]no mlc.yaml here: the demo in {folder}/[/]", highlight=False)


def main() -> None:
    """Our errors in their own words, without a traceback; exit 2."""
    try:
        if sys.argv[1:2] and sys.argv[1] in OF_RECORDS:
            _stand_in()
        app()
    except MlcError as error:
        if "--json" in sys.argv:
            say_json({"error": type(error).__name__, "message": error.message, "cure": error.cure or None})
            sys.exit(2)
        err = Terminal(stderr=True)
        err.print(f"[red]{type(error).__name__}[/] {paragraph(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
