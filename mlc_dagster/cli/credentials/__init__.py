"""`mlc credentials`: secrets in the vault. A value is typed unseen or piped in, and never shown."""

from mlc_dagster.cli.shared.command_table import Command, group

app = group(
    __name__,
    "Secrets, sealed in the ledger's database with MLC_MASTER_KEY. The environment wins over the vault.",
    Command("set", "Seal the value of NAME. It is asked for, unseen; or piped in: `mlc credentials set NAME < file`."),
    Command("list", "Which secrets are in the vault, which are in the environment, and which nobody has."),
    Command("rotate", "Seal every secret anew with the first key in MLC_MASTER_KEY; then the others can be taken out."),
    Command("remove", "Take a secret out of the vault."),
)
