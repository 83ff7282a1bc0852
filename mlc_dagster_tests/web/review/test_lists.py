"""What people do with lists: tags, filters that they keep, how a cause moves."""

from datetime import timedelta

from sqlalchemy import update

from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.tables import holds
from mlc_dagster_tests.web.review.conftest import FLOW, INVOICES, RUN, act, form, hold, path_of


def test_tags_are_put_on_found_by_and_taken_away(ledger, signed):
    for key in ("P1", "P2", "P3"):
        hold(ledger, key)
    ledger.differences.see(FLOW, [Found("P1", "taken_back", amount="5", currency="SEK")])
    client = signed()
    assert act(client, path_of("P1"), "tag", tag="Urgent,  asked   supply").status_code == 303
    assert [one.tags for one in ledger.open_items.of(FLOW, "P1")] == [("asked supply", "urgent")] * 2
    text = client.get("/items?tag=urgent").text
    assert "P1" in text and "P2" not in text and "2 items" in text
    assert client.get("/items?tag=urg").text.count("data-row") == 0, "a tag, not a part of one"
    csrf = form(client, path_of("P1"), "note")["csrf"]
    ids = [f"h{one.id}" for one in ledger.open_holds() if one.key != "P1"]
    sent = {"csrf": csrf, "item": ids, "action": "tag", "tag": "urgent"}
    assert client.post("/items", data=sent).status_code == 303
    assert "4 items" in client.get("/items?tag=urgent").text
    assert act(client, path_of("P1"), "untag", tag="asked supply").status_code == 303
    assert ledger.tags.all() == ["urgent"]
    for bad in ("", ",", "x" * 41, "a,b,c,d,e,f"):
        assert act(client, path_of("P1"), "tag", tag=bad).status_code == 422
    hold(ledger, "P2", amount="77.00")
    assert {one.tags for one in ledger.open_items.of(FLOW, "P2")} == {("urgent",)}, "it is the same hold"


def test_a_reader_tags_nothing(ledger, signed):
    hold(ledger, "P1")
    csrf = signed("clerk").get("/me").text.partition('name="csrf" value="')[2].partition('"')[0]
    reader = signed("reader")
    csrf = reader.get("/me").text.partition('name="csrf" value="')[2].partition('"')[0]
    sent = {"csrf": csrf, "once": "a" * 32, "action": "tag", "tag": "mine"}
    assert reader.post(path_of("P1"), data=sent).status_code == 403
    assert ledger.tags.all() == []


def test_a_filter_is_kept_for_the_person_who_named_it_alone(ledger, signed):
    hold(ledger, "P1")
    kari = signed("kari")
    csrf = kari.get("/me").text.partition('name="csrf" value="')[2].partition('"')[0]
    keep = {"csrf": csrf, "list": "/items", "name": "mine of  20", "query": "company=20&owner=nobody&unknown=1"}
    answer = kari.post("/filters", data=keep)
    assert answer.status_code == 303 and answer.headers["location"] == "/items?company=20&owner=nobody"
    text = kari.get("/").text
    assert '<a href="/?company=20&amp;owner=nobody">mine of 20</a>' in text
    assert "mine of 20" not in signed("ola").get("/").text
    assert kari.post("/filters", data={**keep, "query": "age=x"}).status_code == 422
    assert kari.post("/filters", data={**keep, "name": " "}).status_code == 422
    for number in range(29):
        assert kari.post("/filters", data={**keep, "name": f"f{number}"}).status_code == 303
    assert kari.post("/filters", data={**keep, "name": "one too many"}).status_code == 409
    assert kari.post("/filters", data={"csrf": csrf, "name": "mine of 20", "action": "remove"}).status_code == 303
    assert "mine of 20" not in kari.get("/me").text


def test_a_cause_says_how_it_moved_since_yesterday(ledger, signed):
    for number in range(6):
        hold(ledger, f"P{number}")
    hold(ledger, "I1", flow=INVOICES)
    old = ledger.looks.now() - timedelta(days=3)
    with ledger._database.writing() as connection:
        connection.execute(update(holds).where(holds.c.key.in_(["P0", "P1", "P2"])).values(opened_at=old))
    ledger.close_holds(FLOW, ["P0", "P1"], "delivered", run=RUN)
    client = signed()
    assert '<td data-name="Since yesterday">+4, -2</td>' in client.get("/").text, "in both flows"
    assert '<td data-name="Since yesterday">+3, -2</td>' in client.get(f"/?flow={FLOW}").text
    assert "Since yesterday" in client.get("/?company=20").text and "+4, -2" in client.get("/?company=20").text
    with ledger._database.writing() as connection:
        connection.execute(update(holds).values(opened_at=old))
        connection.execute(update(holds).where(holds.c.closed_at.is_not(None)).values(closed_at=old))
    assert '<td data-name="Since yesterday">as it was</td>' in client.get("/").text
