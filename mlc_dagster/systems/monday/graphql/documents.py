"""The GraphQL documents that are sent to monday.com. A test holds each against monday's own schema."""

from __future__ import annotations

from collections.abc import Sequence

COMPLEXITY = "complexity { before after query reset_in_x_seconds }"

WHO = "query { me { id name email } version { kind value } }"

ACCOUNT = "query { account { id name } }"

BOARDS = (
    "query ($ids: [ID!]) { boards(ids: $ids, limit: 100, state: all) "
    "{ id name state hierarchy_type items_count items_limit columns { id title type archived settings } } "
    f"{COMPLEXITY} }}"
)

BOARDS_THERE = (
    "query ($page: Int) { boards(limit: 100, page: $page) { id name state hierarchy_type "
    f"columns {{ id title type archived settings }} }} {COMPLEXITY} }}"
)
"""All that the token may see, a hundred at a time."""

_ITEM = "id name column_values(ids: $columns) { id text ... on BoardRelationValue { linked_item_ids } }"

ITEMS_BY_KEY = (
    "query ($board: ID!, $key: String!, $keys: [String]!, $columns: [String!]) { "
    "items_page_by_column_values(board_id: $board, limit: 500, columns: [{column_id: $key, column_values: $keys}]) "
    f"{{ cursor items {{ {_ITEM} }} }} {COMPLEXITY} }}"
)
"""Text is matched whole, and in any case: the caller compares byte by byte."""

NEXT_ITEMS = (
    "query ($cursor: String!, $columns: [String!]) { next_items_page(cursor: $cursor, limit: 500) "
    f"{{ cursor items {{ {_ITEM} }} }} {COMPLEXITY} }}"
)

ITEMS_BY_ID = (
    f"query ($ids: [ID!], $columns: [String!]) {{ items(ids: $ids, limit: 100) {{ {_ITEM} state }} {COMPLEXITY} }}"
)

WHEREABOUTS = (
    "query ($ids: [ID!]) { items(ids: $ids, limit: 100, exclude_nonactive: false) { id state board { id name } } "
    f"{COMPLEXITY} }}"
)
"""Of items that a change does not find; also archived and deleted ones."""

READ_BACK = (
    "query ($ids: [ID!], $columns: [String!]) { items(ids: $ids, limit: 100, exclude_nonactive: false) "
    f"{{ {_ITEM} state url board {{ id name }} }} {COMPLEXITY} }}"
)
"""Of delivered items, wherever they are; also archived and deleted ones."""

ACTIVITY = (
    "query ($boards: [ID!], $limit: Int, $page: Int) { boards(ids: $boards, limit: 1, state: all) "
    f"{{ id activity_logs(limit: $limit, page: $page) {{ event data }} }} {COMPLEXITY} }}"
)
"""What happened on a board, the newest first: of what was put away its items alone are told, in no list."""

ITEM_TEXTS = "query ($ids: [ID!]) { items(ids: $ids, limit: 100) { id name column_values { id text } } }"
"""With every column that it has."""

_CARRIED = "id name created_at updated_at url column_values(ids: $columns) { id text }"

NEWEST_ITEMS = (
    "query ($boards: [ID!], $columns: [String!]) { boards(ids: $boards, limit: 100) { id items_page(limit: 500, "
    'query_params: {order_by: [{column_id: "__last_updated__", direction: desc}]}) '
    f"{{ cursor items {{ {_CARRIED} }} }} }} {COMPLEXITY} }}"
)
"""The newest first, of several boards. No board needs a column for it (changelog: sort items_page by last updated)."""

MORE_NEWEST_ITEMS = (
    "query ($cursor: String!, $columns: [String!]) { next_items_page(cursor: $cursor, limit: 500) "
    f"{{ cursor items {{ {_CARRIED} }} }} {COMPLEXITY} }}"
)


def items_by_keys(looks: int) -> str:
    """Items of so many boards by their keys, in one request: variables $b0, $k0, $v0, ...; aliases i0, i1, ..."""
    head = _head("$columns: [String!]", ["$b{}: ID!, $k{}: String!, $v{}: [String]!"], looks)
    call = (
        "i{0}: items_page_by_column_values(board_id: $b{0}, limit: 500, "
        "columns: [{{column_id: $k{0}, column_values: $v{0}}}]) {{ cursor items {{ "
        + _CARRIED.replace("{", "{{").replace("}", "}}")
        + " }} }}"
    )
    return f"query ({head}) {{ {' '.join(call.format(number) for number in range(looks))} {COMPLEXITY} }}"


_KEPT = " {{ id column_values(ids: $c) {{ id text ... on BoardRelationValue {{ linked_item_ids }} }} }}"
"""What monday kept of a write: a 200 and an id alone prove nothing."""


def creates(writes: int, *, group: bool = False) -> str:
    """A mutation that makes so many items: variables $b, $l, $c, $n0, $v0, ...; aliases i0, i1, ..."""
    head = _head(
        "$b: ID!, $l: Boolean, $c: [String!]", ["$n{}: String!, $v{}: JSON"], writes, "$g: String" if group else ""
    )
    where = "board_id: $b, group_id: $g" if group else "board_id: $b"
    call = (
        "i{0}: create_item(" + where + ", item_name: $n{0}, column_values: $v{0}, create_labels_if_missing: $l)" + _KEPT
    )
    return _mutation(head, call, writes)


def changes(writes: int) -> str:
    """A mutation that changes so many items: variables $b, $l, $c, $i0, $v0, ...; aliases i0, i1, ..."""
    head = _head("$b: ID!, $l: Boolean, $c: [String!]", ["$i{}: ID!, $v{}: JSON!"], writes)
    call = (
        "i{0}: change_multiple_column_values(board_id: $b, item_id: $i{0}, column_values: $v{0}, "
        "create_labels_if_missing: $l)" + _KEPT
    )
    return _mutation(head, call, writes)


def columns(writes: int) -> str:
    """A mutation that makes so many columns: variables $b, $t0, $k0, $d0, ...; aliases i0, i1, ..."""
    head = _head("$b: ID!", ["$t{}: String!, $k{}: ColumnType!, $d{}: JSON"], writes)
    call = "i{0}: create_column(board_id: $b, title: $t{0}, column_type: $k{0}, defaults: $d{0}) {{ id title type }}"
    return _mutation(head, call, writes)


def _head(shared: str, each: Sequence[str], writes: int, more: str = "") -> str:
    own = [text.replace("{}", str(number)) for number in range(writes) for text in each]
    return ", ".join([shared, *([more] if more else []), *own])


def _mutation(head: str, call: str, writes: int) -> str:
    return f"mutation ({head}) {{ {' '.join(call.format(number) for number in range(writes))} {COMPLEXITY} }}"
