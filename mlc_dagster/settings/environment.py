"""Where things are: the settings, the stored rows, the ledger."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import load_dotenv
from pydantic_settings import BaseSettings, SettingsConfigDict

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.settings.tenant import tenant_of

DEMO_FOLDER = Path(".mlc-demo")
"""Where the demo keeps its state: apart from what is real."""


class Environment(BaseSettings):
    """Where things are, from the environment. Secrets are read where they are used, never here."""

    model_config = SettingsConfigDict(env_prefix="MLC_", env_ignore_empty=True, extra="ignore", frozen=True)

    config: Path = Path("mlc.yaml")
    storage: str = ".mlc/storage"
    database_url: str = "sqlite:///.mlc/ledger.db"

    @property
    def tenant(self) -> str:
        """Whose records of the ledger and of the storage are meant, as the settings name it. Raises Misconfigured."""
        return tenant_of(self.config)


def environment() -> Environment:
    """The environment, with .env where it says nothing; what it leaves out is set, for those that read it by name.

    Raises Misconfigured where MLC_CONFIG names no file: what is asked for is never the usual one in its stead.
    """
    load_dotenv(".env")
    found = Environment()
    if "config" in found.model_fields_set and not found.config.exists():
        raise Misconfigured(
            f"MLC_CONFIG names {found.config}, and there is no such file",
            cure="Correct it (in the environment or .env), or take it out: then mlc.yaml in this folder is meant.",
        )
    if not os.environ.get("MLC_DATABASE_URL"):
        os.environ["MLC_DATABASE_URL"] = found.database_url
    return found


def is_chosen() -> bool:
    """Whether the environment, .env or an mlc.yaml here says where things are."""
    load_dotenv(".env")
    config, database = (Environment.model_fields[name].default for name in ("config", "database_url"))
    elsewhere = os.environ.get("MLC_DATABASE_URL") not in (None, "", database)  # `environment` sets the usual one
    return bool(os.environ.get("MLC_CONFIG")) or elsewhere or config.is_file()
