"""The YAML that mlc.yaml is written in: names, texts and lists. What is more is refused before it is unfolded."""

from __future__ import annotations

from typing import Any

import yaml

DEEPEST = 40  # sections in one another; mlc.yaml has seven
MOST = 50_000  # values, each alias counted as often as it stands
STANDARD = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool")
KINDS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:null")


class NotPlain(yaml.MarkedYAMLError):
    """YAML, but none that settings are written in. `problem` is a sentence of ours."""


class Reader(yaml.BaseLoader):
    """It makes text only: 0010 stays a company code, NO stays a country. Raises NotPlain, and yaml.YAMLError."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._made = 0
        self._sizes: dict[int, int] = {}  # by id of a node: the values in it, aliases unfolded

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        self._check(event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None:
            self._count(node, event)
        return node

    def _check(self, event: yaml.Event) -> None:
        self._made += 1
        if self._made > MOST:
            _refuse(event, f"more than {MOST:,} values; settings have some thousands")
        if self._depth > DEEPEST:
            _refuse(event, f"more than {DEEPEST} sections or lists in one another; settings have a few")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", *STANDARD, *KINDS):
            _refuse(event, "a tag (!...) stands before the value; settings are plain, and secrets stand elsewhere")

    def _count(self, node: yaml.Node, event: yaml.Event) -> None:
        """Raises NotPlain where a few aliases stand for more values than a machine has room for."""
        if id(node) not in self._sizes:
            self._sizes[id(node)] = 1 + sum(self._sizes.get(id(each), 1) for each in _children(node, event))
        if self._sizes[id(node)] > MOST:
            _refuse(event, f"anchors (&) and aliases (*) unfold to more than {MOST:,} values here; write them out")


def _children(node: yaml.Node, event: yaml.Event) -> list[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return []
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            _refuse(key, "a name is a word, not a list or a section; put what has braces or brackets in quotes")
        if key.value == "<<" and not key.style:
            _refuse(key, "a merge (<<) is not read; write out the settings that it stands for")
    return [each for pair in node.value for each in pair]


def _refuse(where: yaml.Event | yaml.Node, words: str) -> None:
    mark: Any = where.start_mark
    raise NotPlain(problem=words, problem_mark=mark)
