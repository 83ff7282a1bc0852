"""`mlc.yaml` and the environment become typed, frozen settings. A mistake is named with its path in the file.

Every scalar of the file is read as text first: `0010` stays a company code, `NO` stays a country. What a system adds to
the file is handed in as `Sections`: the settings know no system by themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlc_dagster.settings import document, sentences
from mlc_dagster.settings.document import Document, misconfigured
from mlc_dagster.settings.environment import DEMO_FOLDER, Environment, environment, is_chosen
from mlc_dagster.settings.mistakes import Mistake
from mlc_dagster.settings.model import Settings
from mlc_dagster.settings.sections import Sections, mistakes_of, model_for

__all__ = [
    "DEMO_FOLDER",
    "Environment",
    "Sections",
    "Settings",
    "environment",
    "is_chosen",
    "json_schema",
    "load",
    "parse",
    "settled",
]


def load(path: Path, sections: Sections) -> Settings:
    """The settings in a file. Raises Misconfigured, with one line for each mistake."""
    return settled(document.read(path), sections)


def parse(content: Any, where: str, sections: Sections) -> Settings:
    """Settings from parsed YAML; `where` names the file in messages."""
    return settled(Document(where, content), sections)


def settled(text: Document, sections: Sections, also: Iterable[Mistake] = ()) -> Settings:
    """The settings of a document. Raises Misconfigured with all mistakes: its own, and those that others found."""
    model = model_for(text.content, sections)
    wrong = [*text.mistakes, *mistakes_of(text.content, sections), *also]
    try:
        found = model.model_validate(text.content)
    except ValidationError as error:
        raise misconfigured(text, [*wrong, *sentences.mistakes_in(error, model)]) from None
    if wrong:
        raise misconfigured(text, wrong)
    return found


def json_schema(sections: Sections) -> str:
    """The JSON schema of mlc.yaml, for editors."""
    return json.dumps(model_for({}, sections).model_json_schema(), indent=2)
