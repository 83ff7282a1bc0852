"""Where a tenant serves a set: the address of its surface, where that is another than the connection's."""

from __future__ import annotations

from dataclasses import replace

from mlc_dagster.core.vocabulary import EntitySet


def addressed(entity: EntitySet, base_url: str, usual: str) -> EntitySet:
    """The set with absolute addresses for surfaces (paths, as mlc.yaml gives them); none for the connection's `usual`.

    Lines, children and parts without a surface are at that of the set itself.
    """

    def address(surface: str) -> str:
        return f"{base_url}{surface}" if surface and surface != usual else ""

    def below(surface: str) -> str:
        """Of what belongs to the set: empty is the set's own."""
        own = entity.surface or usual
        return f"{base_url}{surface}" if surface and surface != own else ""

    return replace(
        entity,
        surface=address(entity.surface),
        lines=entity.lines and replace(entity.lines, surface=below(entity.lines.surface)),
        beside=entity.beside and replace(entity.beside, surface=f"{base_url}{entity.beside.surface or usual}"),
        children=tuple(replace(each, surface=below(each.surface)) for each in entity.children),
        sources=tuple(replace(each, surface=below(each.surface)) for each in entity.sources),
    )
