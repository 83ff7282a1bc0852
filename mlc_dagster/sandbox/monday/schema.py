"""The part of monday.com's schema that the sandbox serves. A test holds it against the official one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from math import inf
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema

from mlc_dagster.sandbox.limits import whole_seconds
from mlc_dagster.sandbox.monday.boards import Boards, RefusedError, shown
from mlc_dagster.sandbox.monday.partial_answers import Gate

SDL = """
scalar JSON
scalar Date
enum ColumnType { text long_text numbers date status dropdown email board_relation checkbox formula }
enum State { active archived deleted all }
enum BoardHierarchy { classic multi_level }
enum VersionKind { current }

type Complexity { before: Int! after: Int! query: Int! reset_in_x_seconds: Int! }
type Account { id: ID! name: String! }
type User { id: ID! name: String! email: String! }
type Version { kind: VersionKind! value: String! }
type Column { id: ID! title: String! type: ColumnType! archived: Boolean! settings: JSON }
type Board {
  id: ID! name: String! state: State! hierarchy_type: BoardHierarchy items_count: Int items_limit: Int
  columns: [Column]
  items_page(limit: Int! = 25, cursor: String, query_params: ItemsQuery): ItemsResponse!
  activity_logs(limit: Int = 25, page: Int = 1): [ActivityLogType]
}
type ActivityLogType {
  id: String! event: String! entity: String! data: String! created_at: String! account_id: String! user_id: String!
}
interface ColumnValue { id: ID! text: String type: ColumnType! }
type PlainValue implements ColumnValue { id: ID! text: String type: ColumnType! }
type BoardRelationValue implements ColumnValue { id: ID! text: String type: ColumnType! linked_item_ids: [ID!]! }
type Item {
  id: ID! name: String! state: State created_at: Date updated_at: Date url: String! board: Board
  column_values(ids: [String!]): [ColumnValue!]!
}
type ItemsResponse { cursor: String items: [Item!]! }
enum ItemsOrderByDirection { asc desc }
input ItemsQueryOrderBy { column_id: String! direction: ItemsOrderByDirection = asc }
input ItemsQuery { order_by: [ItemsQueryOrderBy!] }
input ItemsPageByColumnValuesQuery { column_id: String! column_values: [String]! }

type Query {
  me: User
  account: Account
  version: Version!
  complexity: Complexity
  boards(ids: [ID!], limit: Int = 25, page: Int = 1, state: State = active): [Board]
  items(ids: [ID!], limit: Int = 25, exclude_nonactive: Boolean): [Item]
  items_page_by_column_values(
    board_id: ID!, columns: [ItemsPageByColumnValuesQuery!], cursor: String, limit: Int! = 25): ItemsResponse!
  next_items_page(cursor: String!, limit: Int! = 25): ItemsResponse!
}
type Mutation {
  complexity: Complexity
  create_item(
    board_id: ID!, item_name: String!, group_id: String, column_values: JSON, create_labels_if_missing: Boolean): Item
  change_multiple_column_values(
    board_id: ID!, item_id: ID, column_values: JSON!, create_labels_if_missing: Boolean): Item
  create_column(board_id: ID!, title: String!, column_type: ColumnType!, defaults: JSON): Column
}
"""


ORDERS = {"__creation_log__": "created_at", "__last_updated__": "updated_at"}
"""What a board is ordered by without a column for it."""


class Resolvers:
    """What each root field does. `complexity` is set for each request before it runs."""

    def __init__(self, boards: Boards, version: str) -> None:
        self._boards, self._version = boards, version
        self.told: dict[str, int] = {}
        self.changed: list[tuple[str, str]] = []  # (field, id of what it made or changed), of this request
        self.gate = Gate(None, None)  # of this request
        self.account_id, self.account_name = "9000001", "Sandbox"
        self.may_ask_account = True  # whether the token has the scope account:read
        self.shows_activity = True
        self.index_seconds = 0.0  # until what was made is found by its columns
        self.clock: Callable[[], float] = time.monotonic
        self._made_at: dict[str, float] = {}
        self._cursors: dict[str, list[str]] = {}

    def schema(self) -> GraphQLSchema:
        built = build_schema(SDL)
        for root in (built.query_type, built.mutation_type):
            for name, field in (root.fields if root else {}).items():
                field.resolve = self._refusing(getattr(self, f"on_{name}"))
        built.type_map["ColumnValue"].resolve_type = lambda value, *_: value["__typename"]  # type: ignore[attr-defined]
        built.type_map["Board"].fields["items_page"].resolve = self._items_page  # type: ignore[attr-defined]
        built.type_map["Board"].fields["activity_logs"].resolve = self._activity  # type: ignore[attr-defined]
        built.type_map["Item"].fields["board"].resolve = self._board_of  # type: ignore[attr-defined]
        built.type_map["Item"].fields["column_values"].resolve = self._column_values  # type: ignore[attr-defined]
        return built

    def _refusing(self, act: Any) -> Any:
        """A root field whose refusal is that alias's error alone."""

        def resolve(_: Any, __: GraphQLResolveInfo, **arguments: Any) -> Any:
            try:
                return act(**arguments)
            except RefusedError as refused:
                self.gate.failed()
                known = {"code": refused.code, "error_data": refused.detail, "status_code": refused.status}
                if refused.wait:
                    known["retry_in_seconds"] = int(whole_seconds(refused.wait))
                raise GraphQLError(str(refused), extensions=known) from None

        return resolve

    # --- reads ---

    def on_me(self) -> Any:
        return {"id": "1", "name": "Sandbox", "email": "sandbox@example.test"}

    def on_account(self) -> Any:
        if not self.may_ask_account:
            raise RefusedError("missingRequiredPermissions", "The token lacks the scope account:read")
        return {"id": self.account_id, "name": self.account_name}

    def on_version(self) -> Any:
        return {"kind": "current", "value": self._version}

    def on_complexity(self) -> Any:
        return self.told

    def on_boards(self, ids: list[str] | None = None, limit: int = 25, page: int = 1, state: str = "active") -> Any:
        boards = [{"state": "active", **board} for board in self._boards.boards.values()]
        found = [
            board
            for board in boards
            if (ids is None or board["id"] in ids) and (state == "all" or board["state"] == state)
        ]
        size = min(limit, 100)
        shown = found[(page - 1) * size : page * size]
        return [{**board, "items_count": 0, "items_limit": 10_000} for board in shown]

    def _board_of(self, item: dict[str, Any], _: GraphQLResolveInfo) -> Any:
        return {"state": "active", **self._boards.boards[item["board"]]}

    def on_items(self, ids: list[str] | None = None, limit: int = 25, exclude_nonactive: bool = False) -> Any:
        if len(ids or ()) > 100:
            raise RefusedError("InvalidArgumentException", "at most 100 ids")
        found = [self._boards.items[item] for item in ids or () if item in self._boards.items]
        return [item for item in found if item["state"] == "active" or not exclude_nonactive][:limit]

    def on_items_page_by_column_values(
        self, board_id: str, limit: int, columns: list[dict[str, Any]] | None = None, cursor: str | None = None
    ) -> Any:
        self._boards.board(board_id)
        wanted = {each["column_id"]: {str(v).casefold() for v in each["column_values"]} for each in columns or ()}
        found = [
            item["id"]
            for item in self._boards.items.values()
            if item["board"] == board_id
            and item["state"] == "active"
            and self.clock() - self._made_at.get(item["id"], -inf) >= self.index_seconds
            and all(str(item["values"].get(column, "")).casefold() in values for column, values in wanted.items())
        ]
        return self._page(found, limit)

    def _items_page(
        self,
        board: dict[str, Any],
        _: GraphQLResolveInfo,
        limit: int,
        cursor: str | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Any:
        """Active items; ordered by when they were made or changed, where that is asked for."""
        if cursor:
            return self.on_next_items_page(cursor, limit)
        items = [item for item in self._boards.items.values() if item["board"] == board["id"]]
        found = [item for item in items if item["state"] == "active"]
        for order in reversed((query_params or {}).get("order_by") or ()):
            if (name := ORDERS.get(order["column_id"])) and self._boards.heeds_order:
                found.sort(key=lambda item: item[name], reverse=order["direction"] == "desc")
        return self._page([item["id"] for item in found], limit)

    def _activity(self, board: dict[str, Any], _: GraphQLResolveInfo, limit: int = 25, page: int = 1) -> Any:
        """The newest first."""
        if not self.shows_activity:
            raise GraphQLError("The token lacks a scope", extensions={"code": "missingRequiredPermissions"})
        lines = [line for line in reversed(self._boards.activity) if line["board"] == board["id"]]
        told = {"entity": "pulse", "account_id": self.account_id, "user_id": "1"}
        return [{**line, **told} for line in lines[(page - 1) * limit : page * limit]]

    def on_next_items_page(self, cursor: str, limit: int) -> Any:
        if cursor not in self._cursors:
            raise RefusedError("CursorException", "the cursor is not known, or has expired")
        return self._page(self._cursors[cursor], limit)

    def _page(self, ids: list[str], limit: int) -> Any:
        size, cursor = min(limit, 500), None
        if len(ids) > size:
            cursor = f"cursor-{len(self._cursors)}"
            self._cursors[cursor] = ids[size:]
        return {"cursor": cursor, "items": [self._boards.items[each] for each in ids[:size]]}

    def _column_values(self, item: dict[str, Any], _: GraphQLResolveInfo, ids: list[str] | None = None) -> Any:
        columns = self._boards.boards[item["board"]]["columns"]
        return [_column_value(item, column) for column in columns if ids is None or column["id"] in ids]

    # --- writes ---

    def on_create_item(
        self,
        board_id: str,
        item_name: str,
        group_id: str | None = None,
        column_values: Any = "{}",
        create_labels_if_missing: bool = False,
    ) -> Any:
        self.gate.enter()
        made = self._boards.create_item(board_id, item_name, column_values, labels=create_labels_if_missing)
        self._made_at[made["id"]] = self.clock()
        self.changed.append(("create_item", made["id"]))
        return self.gate.leave(made)

    def on_change_multiple_column_values(
        self, board_id: str, column_values: Any, item_id: str = "", create_labels_if_missing: bool = False
    ) -> Any:
        self.gate.enter()
        made = self._boards.change_item(board_id, item_id, column_values, labels=create_labels_if_missing)
        self.changed.append(("change_multiple_column_values", made["id"]))
        return self.gate.leave(made)

    def on_create_column(self, board_id: str, title: str, column_type: str, defaults: Any = None) -> Any:
        made = self._boards.add_column(board_id, title, column_type, json.loads(defaults) if defaults else None)
        self.changed.append(("create_column", made["id"]))
        return made


def _column_value(item: dict[str, Any], column: dict[str, Any]) -> dict[str, Any]:
    value = item["values"].get(column["id"])
    relation = column["type"] == "board_relation"
    return {
        "__typename": "BoardRelationValue" if relation else "PlainValue",
        "id": column["id"],
        "type": column["type"],
        "text": shown(column, value),
        "linked_item_ids": value or [],
    }
