"""Profiles: chosen by name, several at once, and a name that there is not is one sentence."""

from dataclasses import dataclass

import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.sandbox import app
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.profiles import Profile, chosen, listed
from mlc_dagster.sandbox.registry import nearest, parts


@dataclass(frozen=True)
class Traits:
    count: bool = True
    seconds: float = 60
    order: str = "bytes"


USUAL = {
    "ifs": (
        Traits(),
        {
            "pages": Profile("One with pages.", {"count": False}, {"catalogue": "cloud"}),
            "slow": Profile("One that is slow.", {"seconds": 9.0}),
            "other": Profile("Another one.", {"count": True}),
        },
    ),
    "airbase": (None, {}),
}


def test_a_profile_changes_its_traits_and_what_mlc_yaml_says_and_leaves_other_systems() -> None:
    choices = chosen(["ifs.pages"], USUAL)
    assert choices["ifs"].traits == Traits(count=False)
    assert choices["ifs"].settings == {"catalogue": "cloud"}
    assert choices["airbase"].traits is None


def test_profiles_of_one_system_that_change_different_traits_stand_together() -> None:
    assert chosen(["ifs.pages", "ifs.slow"], USUAL)["ifs"].traits == Traits(count=False, seconds=9.0)


def test_two_profiles_that_change_the_same_trait_are_refused_by_name() -> None:
    with pytest.raises(Misconfigured, match=r"the profiles ifs\.pages and ifs\.other both say what count is"):
        chosen(["ifs.pages", "ifs.other"], USUAL)


def test_a_single_trait_counts_over_a_profile_wherever_it_stands() -> None:
    traits = chosen(["ifs.count=true", "ifs.pages", "ifs.seconds=2.5", "ifs.order=language"], USUAL)["ifs"].traits
    assert traits == Traits(count=True, seconds=2.5, order="language")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ifs.page", r"no profile ifs\.page; nearest: ifs\.pages"),
        ("pages", r"no profile pages; nearest: ifs\.pages"),
        ("ifs.cuont=false", r"ifs\.cuont=false, and no such trait; nearest: count"),
        ("ifs.seconds=soon", r"ifs\.seconds=soon; expected a number such as 60"),
        ("airbase.recorded=1", r"no such trait"),
    ],
)
def test_a_wrong_name_is_one_sentence_with_near_names(name: str, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        chosen([name], USUAL)


def test_the_list_has_a_line_for_each_profile_with_what_it_stands_for() -> None:
    assert listed(USUAL).splitlines()[0].split("  ") == ["ifs.pages", "One with pages."]


@pytest.mark.parametrize("name", [f"{part.name}.{each}" for part in parts().values() for each in part.profiles])
def test_every_profile_can_be_served_and_says_whom_it_stands_for(name: str) -> None:
    system, _, profile = name.partition(".")
    assert len(parts()[system].profiles[profile].stands_for.split()) > 3
    box = Sandbox(profiles=(name,))
    assert box.profiles == (name,)


def test_the_nearest_to_what_is_recorded_are_profiles_or_traits_that_there_are() -> None:
    box = Sandbox(profiles=nearest())
    found = (box.tenant.view, box.airbase.traits.blank_tags, box.cin7.traits.tax_method)
    assert found == ("own-services", True, "Total") and box.hubspot.traits.search_lags


@pytest.mark.parametrize("name", [f"{part.name}.{each}" for part in parts().values() for each in part.profiles])
def test_what_a_profile_stands_for_is_one_sentence(name: str) -> None:
    system, _, profile = name.partition(".")
    said = parts()[system].profiles[profile].stands_for
    assert said[0].isupper() and said.endswith(".") and "\n" not in said


def test_the_command_lists_the_profiles_and_refuses_a_wrong_one() -> None:
    said = CliRunner().invoke(app, ["--profiles"])
    assert said.exit_code == 0 and "ifs.seed" in said.output
    said = CliRunner().invoke(app, ["--profile", "ifs.sede", "--port", "0"])
    assert said.exit_code == 1 and "nearest: ifs.seed" in said.output


def test_a_trait_by_name_is_the_tenants() -> None:
    assert Sandbox(profiles=("ifs.count=false",)).tenant.count is False
