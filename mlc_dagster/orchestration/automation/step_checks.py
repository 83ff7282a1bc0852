"""The checks that a step makes itself: a run that names its assets names them too, and no others.

Without them Dagster refuses to launch it, since a step's checks cannot be left out; with all checks of these assets it
would write down of those that other steps make that they were skipped.
"""

from collections.abc import Collection
from typing import Any

import dagster as dg

Graph = Any  # dagster._core.definitions.assets.graph.AssetGraph; Dagster exports no name for it


def made_by_the_steps(graph: Graph, assets: Collection[dg.AssetKey]) -> set[dg.AssetCheckKey]:
    """Of these assets, the checks that are made by the steps that make the assets."""
    wanted = [key for key in graph.asset_check_keys if key.asset_key in assets]
    return {key for key in wanted if key.asset_key in graph.get_execution_set_asset_and_check_keys(key)}


def with_checks(request: dg.RunRequest, location: dg.RepositoryDefinition | None) -> dg.RunRequest:
    """The request, which names some assets, as it can be launched. `location` as a tick's context has it."""
    if location is None:  # no daemon ticks without one
        return request
    keys = made_by_the_steps(location.asset_graph, set(request.asset_selection or ()))
    return dg.RunRequest(
        run_key=request.run_key,
        job_name=request.job_name,
        partition_key=request.partition_key,
        asset_selection=request.asset_selection,
        asset_check_keys=sorted(keys),
        tags=request.tags,
    )
