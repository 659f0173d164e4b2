#!/usr/bin/env python3
"""Does the API simulator keep its word? check.py [path of apisim] [--name]

Everything the other tests lean on is tested here: that the world is a
function of its seed, that listings are complete, that all ways to a record
lead to the same record, that searches mean what the documentation says, that
faults happen and that breaches are counted - and only breaches.
"""

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from simlib import NOW, Sim, binary, run  # noqa: E402

RESOURCES = ["conversations", "messages", "contacts", "companies", "admins", "teams", "tags",
             "segments"]
SMALL = ("--contacts", 120, "--companies", 30, "--conversations", 150)
ALL = {"field": "updated_at", "operator": ">", "value": 0}


def expect(answer, status, code=None):
    assert answer.status == status, (answer.status, answer.body[:300])
    if code:
        assert answer.code == code, answer.body[:300]
        assert answer.json["type"] == "error.list" and answer.json["request_id"]


def without_parts(conversation):
    return {k: v for k, v in conversation.items() if k != "conversation_parts"}


def test_determinism():
    def snapshot(*options, mutate=False):
        with Sim(*SMALL, *options) as s:
            if mutate:
                s.mutate(count=200, seed=3)
            return [s.truth_bytes(r) for r in RESOURCES]

    first = snapshot("--seed", 5)
    assert all(first), "nothing in it"
    assert first == snapshot("--seed", 5)
    assert first != snapshot("--seed", 6)
    changed = snapshot("--seed", 5, mutate=True)
    assert changed != first and changed == snapshot("--seed", 5, mutate=True)


def test_paging_is_complete():
    with Sim("--contacts", 317, "--companies", 130, "--conversations", 211, "--rate", 0) as s:
        conversations, contacts = s.truth("conversations"), s.truth("contacts")
        assert len(conversations) == 211 and len(contacts) == 317
        for size in (None, 7, 60, 150):
            for path, key, truth in (("/conversations", "conversations", conversations),
                                     ("/contacts", "data", contacts)):
                got = s.walk(path, key, size)
                assert [len(got), {r["id"] for r in got}] == [len(truth), set(truth)], (path, size)
                for field, order in (("updated_at", "ascending"), ("updated_at", "descending"),
                                     ("created_at", "ascending"), ("id", "ascending"),
                                     ("id", "descending"), (None, None)):
                    got = s.walk(path + "/search", key, size,
                                 {"field": "id", "operator": "!=", "value": "1"},
                                 (field, order) if field else None)
                    assert {r["id"] for r in got} == set(truth), (path, size, field)
                    assert len(got) == len(truth)
                    if field:
                        keys = [r[field] for r in got]
                        if path == "/conversations" and field == "id":
                            keys = [int(k) for k in keys]
                        assert keys == sorted(keys, reverse=order == "descending"), (path, field)
        for field in ("last_seen_at", "signed_up_at"):
            got = s.walk("/contacts/search", "data", 20, ALL_CONTACTS, (field, "ascending"))
            keys = [r[field] or 0 for r in got]
            assert keys == sorted(keys) and len(got) == len(contacts)
        companies = s.truth("companies")
        assert 60 < len(companies) < 130, len(companies)
        for size in (15, 7, 60):
            assert {c["id"] for c in list_companies(s, size)} == set(companies)
        assert {c["id"] for c in scroll(s)} == set(companies)
        for name, key in (("admins", "admins"), ("teams", "teams"), ("tags", "data"),
                          ("segments", "segments")):
            got = s.get("/" + name).json[key]
            assert {r["id"]: r for r in got} == s.truth(name), name
        assert s.breaches() == {}, s.stats()["last_breaches"]


ALL_CONTACTS = {"field": "id", "operator": "!=", "value": "1"}


def list_companies(s, per_page, order="desc"):
    got, page = [], 1
    while True:
        d = s.post("/companies/list?per_page=%d&page=%d&order=%s" % (per_page, page, order)).json
        got += d["data"]
        assert "next" in d["pages"]
        if d["pages"]["next"] is None:
            assert len(got) == d["total_count"]
            return got
        assert ("page=%d" % (page + 1)) in d["pages"]["next"]
        page += 1


def scroll(s):
    got, param = [], None
    while True:
        a = s.get("/companies/scroll" + ("?scroll_param=" + param if param else ""))
        expect(a, 200)
        d = a.json
        assert d["pages"] is None and d["total_count"] is None
        if not d["data"]:
            return got
        got += d["data"]
        param = d["scroll_param"]


def test_all_ways_lead_to_the_same_record():
    with Sim("--contacts", 150, "--companies", 40, "--conversations", 120, "--rate", 0) as s:
        s.mutate(count=150, seed=2)
        conversations, messages = s.truth("conversations"), s.truth("messages")
        listed = {c["id"]: c for c in s.walk("/conversations", "conversations", 50)}
        found = {c["id"]: c for c in s.walk("/conversations/search", "conversations", 50, ALL,
                                            ("updated_at", "ascending"))}
        seen, kinds, authors, longest = set(), set(), set(), 0
        for i, doc in conversations.items():
            got = s.get("/conversations/" + i).json
            parts = got["conversation_parts"]["conversation_parts"]
            assert without_parts(got) == listed[i] == found[i] == doc
            assert messages["source:" + i] == got["source"]
            seen.add("source:" + i)
            longest = max(longest, len(parts))
            assert len(parts) <= 500 and got["conversation_parts"]["total_count"] == len(parts)
            for p in parts:
                assert messages[p["id"]] == p
                seen.add(p["id"])
                kinds.add(p["part_type"])
                authors.add(p["author"]["type"])
            if got["statistics"]:
                count = got["statistics"]["count_conversation_parts"]
                assert count == len(parts) or (len(parts) == 500 and count > 500)
            times = [p["created_at"] for p in parts]
            assert times == sorted(times) and got["updated_at"] >= got["created_at"]
            merged = any(link["type"] == "conversation" for link in got["linked_objects"]["data"])
            assert not times or ((merged or times[0] >= got["created_at"]) and
                                 max(p["updated_at"] for p in parts) <= got["updated_at"])
        assert seen == set(messages)
        assert {"user", "lead", "admin", "bot", "team"} <= authors, authors
        assert {"comment", "note", "assignment", "close", "snoozed"} <= kinds, kinds
        assert longest == 500, "a thread longer than what is served is expected"
        contacts = s.truth("contacts")
        for c in s.walk("/contacts", "data", 50):
            assert c == contacts[c["id"]] == s.get("/contacts/" + c["id"]).json
        for c in s.walk("/contacts/search", "data", 50, ALL_CONTACTS):
            assert c == contacts[c["id"]]
        companies = s.truth("companies")
        assert {c["id"]: c for c in list_companies(s, 20)} == companies
        assert {c["id"]: c for c in scroll(s)} == companies
        for i, doc in companies.items():
            assert s.get("/companies/" + i).json == doc
            one = s.get("/companies?company_id=" + doc["company_id"]).json["data"]
            assert one == [doc]
        for name in ("admins", "teams", "tags", "segments"):
            for i, doc in s.truth(name).items():
                assert s.get("/%s/%s" % (name, i)).json == doc
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_nested_lists_of_contacts():
    with Sim("--contacts", 400, "--companies", 60, "--rate", 0) as s:
        more = {"tags": 0, "notes": 0, "companies": 0}
        companies = s.truth("companies")
        for i, doc in s.truth("contacts").items():
            for name in more:
                nested = doc[name]
                assert nested["url"] == "/contacts/%s/%s" % (i, name)
                assert len(nested["data"]) == min(10, nested["total_count"])
                assert nested["has_more"] == (nested["total_count"] > 10)
                if not nested["has_more"]:
                    continue
                more[name] += 1
                full = s.get(nested["url"]).json["data"]
                assert len(full) == nested["total_count"]
                ids = [f["id"] for f in full]
                assert set(d["id"] for d in nested["data"]) <= set(ids)
                if name == "companies":
                    assert all(companies[f["id"]] == f for f in full)
                if name == "tags":
                    assert all(f["name"] and f["applied_at"] for f in full)
            assert len(s.get("/contacts/%s/segments" % i).json["data"]) <= 2
        assert all(more.values()), more
        assert s.breaches() == {}


def test_whole_lists_of_the_truth():
    with Sim("--contacts", 400, "--companies", 60, "--rate", 0) as s:
        c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=30)
        c.request("GET", "/_sim/truth/contacts?lists=whole")
        whole = [json.loads(line)["doc"] for line in c.getresponse().read().splitlines()]
        longer = 0
        for doc in whole:
            for name in ("tags", "notes", "companies"):
                nested = doc[name]
                assert nested["has_more"] is False and len(nested["data"]) == nested["total_count"]
                if nested["total_count"] > 10:
                    longer += 1
                    full = s.get(nested["url"]).json["data"]
                    assert [d["id"] for d in nested["data"]] == [d["id"] for d in full]
        assert longer > 3


def test_tickets_and_articles():
    with Sim("--tickets", 70, "--long-tickets", 1, "--articles", 30, "--rate", 0) as s:
        s.mutate(count=60, seed=3, kinds=["update_ticket", "new_ticket", "update_article", "new_article"])
        found = {t["id"]: t for t in s.walk("/tickets/search", "tickets", 20, ALL, ("updated_at", "ascending"))}
        truth, parts = s.truth("tickets"), s.truth("ticket_parts")
        assert found.keys() == truth.keys()
        seen = set()
        for i, doc in found.items():
            assert s.get("/tickets/" + i).json == doc
            own = doc.pop("ticket_parts")
            assert doc == truth[i] and own["total_count"] == len(own["ticket_parts"]) <= 500
            for p in own["ticket_parts"]:
                assert parts[p["id"]] == p
                seen.add(p["id"])
        assert seen == parts.keys() and len(parts) > 500
        old = s.get("/tickets/" + next(iter(found)), headers={"Intercom-Version": "2.15"}).json
        assert isinstance(old["admin_assignee_id"], str)
        gone = s.mutate(count=1, kinds=["delete_ticket"])["changes"][0]["id"]
        expect(s.get("/tickets/" + gone), 404, "ticket_not_found")
        assert gone not in s.truth("tickets")
        articles = s.truth("articles")
        shown = [a for n in range(1, -(-len(articles) // 5) + 1) for a in s.get("/articles?per_page=5&page=%d" % n).json["data"]]
        assert {a["id"]: a for a in shown} == articles and len(shown) == len(articles), (len(shown), len(articles))
        times = [a["updated_at"] for a in shown]
        assert times == sorted(times, reverse=True)
        for path, name in (("/ticket_types", "ticket_types"), ("/ticket_states", "ticket_states"),
                           ("/help_center/collections", "collections"),
                           ("/conversations/attributes", "conversation_attributes")):
            assert {str(d["id"]): d for d in s.get(path).json["data"]} == s.truth(name), path
        assert len(s.truth("data_attributes")) == len(s.get("/data_attributes?include_archived=true").json["data"])
        assert s.breaches() == {}, s.stats()["last_breaches"]
    with Sim("--articles", 40, "--unstable-ties", "--rate", 0) as s:
        s.advance(60)
        s.mutate(count=1, kinds=["touch_articles"])
        shown = [a["id"] for n in (1, 2, 3, 4) for a in s.get("/articles?per_page=10&page=%d" % n).json["data"]]
        assert len(shown) == 40 and len(set(shown)) == 37, shown


def test_shape_of_the_world():
    with Sim("--conversations", 3000, "--contacts", 500) as s:
        lines = s.truth_bytes("messages")
        conversations = s.truth("conversations")
        parts = [json.loads(line) for line in lines.splitlines()]
        parts = [p["doc"] for p in parts if not p["id"].startswith("source:")]
        mean = (len(lines) + len(s.truth_bytes("conversations"))) / len(conversations)
        assert 6000 < mean < 12500, mean
        assert 7 < len(parts) / len(conversations) < 13
        docs = list(conversations.values())
        assert NOW - 3 * 86400 < max(c["created_at"] for c in docs) <= NOW
        assert min(c["created_at"] for c in docs) < NOW - 390 * 86400
        busy = sum(8 <= datetime.utcfromtimestamp(c["created_at"]).hour < 18 for c in docs)
        assert busy > 0.6 * len(docs), busy
        assert all(int(c["id"]) > 2 ** 31 for c in docs)
        for name, least in (("statistics", 100), ("title", 500), ("conversation_rating", 1500),
                            ("teammates", 50), ("company", 1000)):
            missing = sum(c[name] is None for c in docs)
            assert least < missing < len(docs), (name, missing)
        assert sum(p["body"] is None for p in parts) > 1000
        assert sum(bool(p["attachments"]) for p in parts) > 500
        assert sum(p["redacted"] for p in parts) > 10
        assert len({p["body"] for p in parts if p["body"]}) > 0.8 * sum(
            bool(p["body"]) for p in parts)
        text = lines.decode()
        assert "\\ud83d" in text and "\U0001f44d" in text and "&amp;" in text
        assert all(p["id"].isdigit() for p in parts)
        for c in s.truth("contacts").values():
            assert len(c["id"]) == 24 and int(c["id"], 16)
            assert c["updated_at"] >= c["created_at"]


def ids_of(s, query, path="/conversations/search", key="conversations"):
    return {r["id"] for r in s.walk(path, key, 150, query, ("updated_at", "ascending"))}


def test_conversation_search():
    with Sim("--conversations", 400, "--rate", 0) as s:
        docs = s.truth("conversations")
        t = sorted(c["updated_at"] for c in docs.values())[200]

        def want(f):
            return {i for i, c in docs.items() if f(c)}

        def leaf(field, operator, value):
            return {"field": field, "operator": operator, "value": value}

        for op, f in ((">", lambda a: a > t), ("<", lambda a: a < t), (">=", lambda a: a >= t),
                      ("<=", lambda a: a <= t), ("=", lambda a: a == t), ("!=", lambda a: a != t)):
            for value in (t, str(t)):
                assert ids_of(s, leaf("updated_at", op, value)) == want(
                    lambda c: f(c["updated_at"])), op
            assert ids_of(s, leaf("created_at", op, t)) == want(lambda c: f(c["created_at"])), op
        for far in (t * 1000, 2 ** 62, 2 ** 63 - 1):
            assert ids_of(s, leaf("updated_at", ">", far)) == set()
            a = s.post("/contacts/search", {"query": leaf("updated_at", "=", far)})
            assert a.json["total_count"] == 0
        assert ids_of(s, leaf("state", "=", "open")) == want(lambda c: c["state"] == "open")
        assert ids_of(s, leaf("open", "=", True)) == want(lambda c: c["open"])
        assert ids_of(s, leaf("state", "IN", ["open", "snoozed"])) == want(lambda c: c["open"])
        assert ids_of(s, leaf("state", "NIN", ["open", "snoozed"])) == want(
            lambda c: not c["open"])
        some = sorted(docs)[3:9]
        assert ids_of(s, leaf("id", "IN", some)) == set(some)
        contact = docs[some[0]]["contacts"]["contacts"][0]["id"]
        assert ids_of(s, leaf("contact_ids", "=", contact)) == want(
            lambda c: contact in [x["id"] for x in c["contacts"]["contacts"]])
        tag = next(c["tags"]["tags"][0]["id"] for c in docs.values() if c["tags"]["tags"])
        assert ids_of(s, leaf("tag_ids", "=", tag)) == want(
            lambda c: tag in [x["id"] for x in c["tags"]["tags"]])
        assert ids_of(s, leaf("admin_assignee_id", "=", 0)) == want(
            lambda c: c["admin_assignee_id"] == 0)
        assert ids_of(s, leaf("statistics.count_conversation_parts", ">", 10)) == want(
            lambda c: c["statistics"] and c["statistics"]["count_conversation_parts"] > 10)
        assert ids_of(s, leaf("waiting_since", "=", None)) == want(
            lambda c: c["waiting_since"] is None)
        assert ids_of(s, leaf("source.author.type", "=", "lead")) == want(
            lambda c: c["source"]["author"]["type"] == "lead")
        assert ids_of(s, leaf("source.subject", "~", "invoice")) <= want(
            lambda c: c["source"]["type"] == "email")
        word = ids_of(s, leaf("source.body", "=", "invoice"))
        assert word and word <= want(lambda c: "invoice" in c["source"]["body"].lower())
        assert ids_of(s, leaf("source.body", "=", "an invoice")) == set()
        both = {"operator": "AND", "value": [
            {"operator": "OR", "value": [leaf("state", "=", "open"), leaf("state", "=", "closed")]},
            {"operator": "OR", "value": [leaf("updated_at", ">", t), leaf("updated_at", "=", t)]}]}
        assert ids_of(s, both) == want(lambda c: c["state"] in ("open", "closed") and
                                       c["updated_at"] >= t)
        apart = {"operator": "OR", "value": [leaf("updated_at", ">", t + 86400),
                                             leaf("updated_at", "<", t - 86400)]}
        assert ids_of(s, apart) == want(lambda c: abs(c["updated_at"] - t) > 86400)
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_refused_searches():
    with Sim(*SMALL) as s:
        deep = {"operator": "AND", "value": [{"operator": "OR", "value": [
            {"operator": "AND", "value": [ALL]}]}]}
        wide = {"operator": "AND", "value": [ALL] * 16}
        cases = [
            ("/conversations/search", {"query": deep}, 400, "parameter_invalid"),
            ("/conversations/search", {"query": wide}, 400, "parameter_invalid"),
            ("/conversations/search", {"query": {**ALL, "field": "nope"}}, 400, "invalid_field"),
            ("/conversations/search", {"query": {**ALL, "operator": "~"}}, 400, "parameter_invalid"),
            ("/conversations/search", {"query": {**ALL, "operator": "=>"}}, 400, "parameter_invalid"),
            ("/conversations/search", {"query": {**ALL, "value": "soon"}}, 400, "parameter_invalid"),
            ("/conversations/search", {"query": {**ALL, "value": [1]}}, 400, "parameter_invalid"),
            ("/conversations/search", {}, 400, "parameter_not_found"),
            ("/conversations/search", {"query": ALL, "sort": {"field": "state"}}, 400, "invalid_field"),
            ("/conversations/search", {"query": ALL, "pagination": {"per_page": 151}}, 400,
             "parameter_invalid"),
            ("/contacts/search", {"query": ALL, "sort": {"field": "created_at", "order": "desc"}},
             400, "invalid_sort_order"),
            ("/contacts/search", {"query": {"field": "tag_id", "operator": "IN", "value": ["1"]}},
             400, "parameter_invalid"),
        ]
        for op in ("!=", ">=", "<=", "IN", "NIN"):
            value = [NOW] if "IN" in op else NOW
            for field in ("updated_at", "custom_attributes.renewal_date"):
                cases.append(("/contacts/search",
                              {"query": {"field": field, "operator": op, "value": value}}, 400,
                              "parameter_invalid"))
        for path, body, status, code in cases:
            expect(s.post(path, body), status, code)
        expect(s.post("/conversations/search", b"{no"), 400, "parameter_invalid")
        wide["value"].pop()
        expect(s.post("/conversations/search", {"query": wide}), 200)
        expect(s.post("/contacts/search", {"query": ALL, "sort": {"field": "created_at",
               "order": "desc"}}, headers={"Intercom-Version": "2.15"}), 200)
        too_big = s.get("/contacts?per_page=151")
        expect(too_big, 400, "parameter_invalid")
        assert too_big.json["errors"][0]["message"] == "Per Page is too big"
        expect(s.get("/conversations/deleted?per_page=61"), 400, "parameter_invalid")
        expect(s.post("/companies/list?per_page=61"), 400, "parameter_invalid")
        expect(s.post("/companies/list?per_page=60&page=167"), 400, "bad_request")
        expect(s.get("/companies"), 400)
        expect(s.get("/contacts?per_page=0"), 400, "parameter_invalid")
        expect(s.get("/data_attributes?model=conversation"), 422, "parameter_invalid")


def local_day(t, zone_hours):
    return (t + zone_hours * 3600) // 86400


def test_contact_days():
    # All in October 2025: Los Angeles is 7 hours behind UTC.
    with Sim("--contacts", 2500, "--conversations", 1, "--days", 2, "--timezone",
             "America/Los_Angeles", "--rate", 0) as s:
        docs = s.truth("contacts")
        midnight = local_day(NOW - 86400, -7) * 86400 + 7 * 3600
        near = [c["updated_at"] for c in docs.values()
                if abs(c["updated_at"] - midnight) < 7200]
        assert len(near) > 20, "the test needs contacts around midnight"
        for value in (midnight - 1, midnight, midnight + 1, midnight + 43200, midnight + 86399):
            day = local_day(value, -7)
            for op, f in (("=", lambda d: d == day), (">", lambda d: d > day),
                          ("<", lambda d: d < day)):
                for field in ("updated_at", "created_at"):
                    got = ids_of(s, {"field": field, "operator": op, "value": value},
                                 "/contacts/search", "data")
                    want = {i for i, c in docs.items() if f(local_day(c[field], -7))}
                    assert got == want, (field, op, value, len(got), len(want))
        both = {"operator": "OR", "value": [
            {"field": "updated_at", "operator": "=", "value": midnight},
            {"field": "updated_at", "operator": ">", "value": midnight}]}
        assert ids_of(s, both, "/contacts/search", "data") == {
            i for i, c in docs.items() if c["updated_at"] >= midnight}
        assert s.breaches() == {}
    # The clocks go back in the night to 2 November 2025: a day of 25 hours.
    end = 1762153200 + 20 * 3600
    with Sim("--contacts", 1500, "--conversations", 1, "--days", 3, now=end) as s:
        docs = s.truth("contacts")
        start = 1762066800  # 2 November 00:00 in Los Angeles, still summer time
        got = ids_of(s, {"field": "created_at", "operator": "=", "value": start + 40000},
                     "/contacts/search", "data")
        assert got == {i for i, c in docs.items()
                       if start <= c["created_at"] < start + 25 * 3600} and got
    with Sim(*SMALL, "--timezone", "UTC") as s:
        docs = s.truth("contacts")
        got = ids_of(s, {"field": "updated_at", "operator": "=", "value": NOW},
                     "/contacts/search", "data")
        assert got == {i for i, c in docs.items() if c["updated_at"] // 86400 == NOW // 86400}


def test_contact_search():
    with Sim("--contacts", 500, "--rate", 0) as s:
        docs = s.truth("contacts")

        def check(field, op, value, f):
            got = ids_of(s, {"field": field, "operator": op, "value": value}, "/contacts/search",
                         "data")
            want = {i for i, c in docs.items() if f(c)}
            assert got == want, (field, op, len(got), len(want))
            assert got, field

        mail = next(c["email"] for c in docs.values() if c["email"])
        check("email", "=", mail, lambda c: c["email"] == mail)
        check("role", "=", "lead", lambda c: c["role"] == "lead")
        check("name", "=", None, lambda c: c["name"] is None)
        check("email", "$", "mail.example", lambda c: (c["email"] or "").endswith("mail.example"))
        check("custom_attributes.plan", "=", "Team",
              lambda c: c["custom_attributes"].get("plan") == "Team")
        check("custom_attributes.seats", ">=", 200,
              lambda c: c["custom_attributes"].get("seats", 0) >= 200)
        check("unsubscribed_from_emails", "=", True, lambda c: c["unsubscribed_from_emails"])
        check("location.city", "IN", ["Berlin", "Paris"],
              lambda c: c["location"]["city"] in ("Berlin", "Paris"))
        owner = next(c["owner_id"] for c in docs.values() if c["owner_id"])
        check("owner_id", "=", owner, lambda c: c["owner_id"] == owner)
        tag = next(c["tags"]["data"][0]["id"] for c in docs.values() if c["tags"]["data"])
        got = ids_of(s, {"field": "tag_id", "operator": "=", "value": tag}, "/contacts/search",
                     "data")
        assert got >= {i for i, c in docs.items() if tag in [x["id"] for x in c["tags"]["data"]]}


def test_versions():
    with Sim("--conversations", 200, "--contacts", 100) as s:
        def at(version, path):
            return s.get(path, headers={"Intercom-Version": version})

        docs = s.truth("conversations")
        nobody = next(i for i, c in docs.items() if c["admin_assignee_id"] == 0)
        assert s.get("/conversations/" + nobody).json["admin_assignee_id"] == 0
        old = at("2.14", "/conversations/" + nobody).json
        assert old["admin_assignee_id"] is None and "company" not in old and "channel" not in old
        assert old["priority"] in ("priority", "not_priority")
        middle = at("2.15", "/conversations/" + nobody).json
        assert "company" in middle and "sales_agent" not in middle
        owned = next(i for i, c in s.truth("contacts").items() if c["owner_id"])
        assert isinstance(at("2.15", "/contacts/" + owned).json["owner_id"], int)
        assert isinstance(s.get("/contacts/" + owned).json["owner_id"], str)
        for path in ("/conversations/deleted", "/conversations/attributes"):
            expect(at("2.15", path), 400, "intercom_version_invalid")
            expect(s.get(path), 200)
        expect(at("2.15", "/data_attributes?model=conversation"), 200)
        expect(at("2.9", "/me"), 400, "intercom_version_invalid")
        expect(at("Unstable", "/me"), 400, "intercom_version_invalid")
        assert "role" not in at("2.15", "/admins").json["admins"][0]
        assert at("2.15", "/me").headers["Intercom-Version"] == "2.15"
        assert s.get("/me", drop=("Intercom-Version",)).headers["Intercom-Version"] == "2.16"


def test_merged_conversations():
    with Sim("--conversations", 60, "--contacts", 50, "--companies", 5, "--rate", 0) as s:
        before, docs = s.parents("messages"), s.truth("messages")
        moved = renewed = 0
        for n in range(8):
            s.advance(10)
            secondary, primary = (c["id"] for c in s.mutate(count=1, seed=n, kinds=["merge_conversation"])["changes"])
            after, now = s.parents("messages"), s.truth("messages")
            had = [i for i, thread in before.items() if thread == secondary and not i.startswith("source")]
            left = s.get("/conversations/" + secondary).json
            assert [p["part_type"] for p in left["conversation_parts"]["conversation_parts"]] == ["close"], left
            assert left["state"] == "closed" and left["linked_objects"]["data"][-1]["id"] == primary
            held = s.get("/conversations/" + primary).json
            parts = held["conversation_parts"]["conversation_parts"]
            assert held["linked_objects"]["data"][-1]["id"] == secondary and held["updated_at"] == left["updated_at"] == s.now()
            assert len([p for p in parts if p["id"] not in before]) >= 1
            if had and had[0] in after:
                moved += len(had)
                assert all(after[i] == primary and now[i] == docs[i] for i in had)
            else:
                renewed += len(had)
                assert not any(i in after for i in had)
                bodies = [docs[i]["body"] for i in had]
                assert all(body in [p["body"] for p in parts] for body in bodies)
            before, docs = after, now
        assert moved and renewed, (moved, renewed)
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_merged_and_deleted():
    with Sim(*SMALL) as s:
        merged = [c for c in s.mutate(count=1, kinds=["merge_contact"])["changes"]]
        gone, kept = merged[0]["id"], merged[1]["id"]
        a = s.get("/contacts/" + gone)
        expect(a, 410, "contact_merged")
        assert a.headers["Link"] == '</contacts/%s>; rel="canonical"' % kept
        expect(s.get("/contacts/" + gone, headers={"Intercom-Version": "2.15"}), 404, "not_found")
        assert gone not in s.truth("contacts")
        history = s.get("/contacts/%s?include_merge_history=true" % kept).json["merge_history"]
        assert [h["source_contact_id"] for h in history] == [gone]
        deleted = s.mutate(count=1, kinds=["delete_contact"])["changes"][0]["id"]
        expect(s.get("/contacts/" + deleted), 404, "not_found")
        before = s.get("/conversations/deleted").json
        assert before["total_count"] == 3 and "metrics_retained" in before["conversations"][0]
        dead = s.mutate(count=1, kinds=["delete_conversation"])["changes"][0]["id"]
        after = s.get("/conversations/deleted").json
        assert after["conversations"][0] == {"type": "conversation", "id": dead,
            "metrics_retained": after["conversations"][0]["metrics_retained"], "deleted_at": NOW}
        expect(s.get("/conversations/" + dead), 404, "not_found")
        for d in after["conversations"]:
            expect(s.get("/conversations/" + d["id"]), 404)
        pages = [s.get("/conversations/deleted?per_page=2&page=%d&order=asc" % n).json
                 for n in (1, 2)]
        got = [d["id"] for p in pages for d in p["conversations"]]
        assert got == [d["id"] for d in reversed(after["conversations"])]
        assert "page=2" in pages[0]["pages"]["next"] and pages[1]["pages"]["next"] is None


def test_changes_can_be_followed():
    """A mirror kept by searches, the feed and full reads equals the truth."""
    for options, kwargs in (((), {}), ((), {"spread_s": 600})):
        with Sim("--conversations", 300, "--contacts", 200, "--companies", 60, "--rate", 0,
                 *options) as s:
            mirror = {r: s.truth(r) for r in RESOURCES}
            fetched, where = {}, s.parents("messages")
            for n in range(4):
                since = s.now()
                s.advance(700)
                done = s.mutate(count=120, seed=n, **kwargs)
                assert sum(done["done"].values()) == 120
                follow(s, mirror, fetched, where, since)
                assert where == s.parents("messages")
                for r in RESOURCES:
                    now = s.truth(r)
                    assert mirror[r].keys() == now.keys(), (r, mirror[r].keys() ^ now.keys())
                    for i in now:
                        assert mirror[r][i] == now[i], (r, i, mirror[r][i], now[i])
                s.advance(5)
            assert s.breaches() == {}, s.stats()["last_breaches"]


def follow(s, mirror, fetched, where, since):
    query = {"field": "updated_at", "operator": ">=", "value": since}
    threads = {}
    for i, thread in where.items():
        threads.setdefault(thread, set()).add(i)
    for c in s.walk("/conversations/search", "conversations", 50, query,
                    ("updated_at", "ascending")):
        if fetched.get(c["id"]) == c["updated_at"]:
            continue
        fetched[c["id"]] = c["updated_at"]
        full = s.get("/conversations/" + c["id"]).json
        mirror["conversations"][c["id"]] = without_parts(full)
        mirror["messages"]["source:" + c["id"]] = full["source"]
        parts = {p["id"]: p for p in full["conversation_parts"]["conversation_parts"]}
        # What is not shown is older than the newest 500, or was taken to another thread.
        for i in threads.get(c["id"], set()) - parts.keys():
            if where.get(i) == c["id"] and not i.startswith("source"):
                del mirror["messages"][i], where[i]
        mirror["messages"].update(parts)
        where.update(dict.fromkeys([*parts, "source:" + c["id"]], c["id"]))
    for d in s.get("/conversations/deleted?per_page=60").json["conversations"]:
        gone = mirror["conversations"].pop(d["id"], None)
        if gone:
            for i in [i for i, thread in where.items() if thread == d["id"]]:
                del mirror["messages"][i], where[i]
    day = {"operator": "OR", "value": [
        {"field": "updated_at", "operator": "=", "value": since},
        {"field": "updated_at", "operator": ">", "value": since}]}
    for c in s.walk("/contacts/search", "data", 50, day, ("updated_at", "ascending")):
        mirror["contacts"][c["id"]] = c
    mirror["companies"] = {c["id"]: c for c in scroll(s)}
    for name, key in (("admins", "admins"), ("teams", "teams"), ("tags", "data"),
                      ("segments", "segments")):
        mirror[name] = {r["id"]: r for r in s.get("/" + name).json[key]}


def test_kinds_of_change():
    kinds = ["reply", "note", "new_conversation", "state", "assign", "tag", "attribute", "redact",
             "rate", "read", "priority", "title", "delete_conversation", "merge_conversation",
             "new_contact", "update_contact", "update_company", "new_company", "rename_tag",
             "new_tag", "delete_tag", "rename_admin", "rename_team", "rename_segment",
             "new_segment", "delete_contact", "merge_contact", "update_hidden_company", "same_name",
             "convert_conversation"]
    with Sim(*SMALL) as s:
        s.advance(100)
        for kind in kinds:
            before = {r: s.truth_bytes(r) for r in RESOURCES}
            done = s.mutate(count=3, kinds=[kind], seed=4)
            assert done["done"] == {kind: 3}, done
            changed = [r for r in RESOURCES if s.truth_bytes(r) != before[r]]
            assert bool(changed) == (kind != "update_hidden_company"), (kind, changed)
        one = next(iter(s.truth("conversations")))
        done = s.mutate(count=5, conversation=one, kinds=["reply", "note"])
        assert {c["id"] for c in done["changes"]} == {one}
        assert s.truth("conversations")[one]["updated_at"] == s.now()
        before = len(s.get("/conversations/" + one).json["conversation_parts"]["conversation_parts"])
        s.mutate(count=600, conversation=one, kinds=["reply"])
        assert before < 500
        got = s.get("/conversations/" + one).json
        parts = got["conversation_parts"]["conversation_parts"]
        assert len(parts) == 500
        statistics = got["statistics"]
        assert not statistics or statistics["count_conversation_parts"] == before + 600
        status, _ = s.control("mutate", {"count": 1, "kinds": ["nonsense"]})
        assert status == 400
        status, _ = s.control("mutate", {"count": 1, "conversation": "17"})
        assert status == 400
        redact(s)


def redact(s):
    done = s.mutate(count=1, kinds=["redact"], seed=11)["changes"][0]
    c = s.get("/conversations/" + done["id"]).json
    assert c["updated_at"] == s.now()
    hidden = [p for p in c["conversation_parts"]["conversation_parts"] if p["redacted"]]
    assert hidden or c["source"]["redacted"]
    assert all(p["body"] is None and not p["attachments"] for p in hidden)
    with Sim(*SMALL, "--redact-silent") as t:
        before = t.truth("conversations")
        i = t.mutate(count=1, kinds=["redact"], seed=11)["changes"][0]["id"]
        assert t.truth("conversations")[i]["updated_at"] == before[i]["updated_at"]


def test_search_rate():
    with Sim(*SMALL, "--rate", 600, "--search-rate", 12, frozen=False) as s:
        s.control("clock", {"set": (s.now() // 10 + 1) * 10})
        asked = {"query": ALL}
        for path in ("/conversations/search", "/contacts/search"):
            expect(s.post(path, asked), 200)
        a = s.post("/conversations/search", asked)
        expect(a, 429, "rate_limit_exceeded")
        assert a.headers["X-Front-Tier"] == "search" and 0 < int(a.headers["Retry-After"]) <= 10
        assert a.headers["X-RateLimit-Remaining"] == "97", a.headers  # it is the searches' own limit
        time.sleep(0.2)
        a = s.get("/me")  # nobody else has to wait
        expect(a, 200)
        assert "X-Front-Tier" not in a.headers and s.breaches() == {}
        s.advance(10)
        expect(s.post("/conversations/search", asked), 200)


def test_rate_limit():
    with Sim(*SMALL, "--rate", 60, frozen=False) as s:
        s.control("clock", {"set": (s.now() // 10 + 1) * 10})
        reset = None
        for n in range(10):
            a = s.get("/me")
            expect(a, 200)
            assert a.headers["X-RateLimit-Limit"] == "10"
            assert a.headers["X-RateLimit-Remaining"] == str(9 - n)
            reset = int(a.headers["X-RateLimit-Reset"])
        assert reset % 10 == 0 and 0 < reset - s.now() <= 10
        assert s.breaches() == {}
        time.sleep(0.2)
        a = s.get("/me")
        expect(a, 429, "rate_limit_exceeded")
        assert a.json["errors"][0]["message"] == "Exceeded rate limit of 10 in 10_seconds"
        assert a.headers["X-RateLimit-Remaining"] == "0" and "Retry-After" not in a.headers
        assert s.breaches() == {"call_while_exhausted": 1}
        a = s.get("/me", headers={"Authorization": "Bearer wrong"})
        expect(a, 401, "unauthorized")
        assert "X-RateLimit-Limit" not in a.headers
        s.advance(10)
        a = s.get("/me")
        expect(a, 200)
        assert a.headers["X-RateLimit-Remaining"] == "9"
        assert s.stats()["rate_limited"] == 1 and s.stats()["peak_10s"] >= 12
    for rate, words in ((0, "1000000"), (10000, "1667"), (1000, "167"), (500, "83")):
        with Sim(*SMALL, "--rate", rate) as s:
            assert s.get("/me").headers["X-RateLimit-Limit"] == words, rate
    with Sim(*SMALL, "--rate", 60) as s:  # a window ends although the clock stands
        for n in range(10):
            a = s.get("/me")
        left = int(a.headers["X-RateLimit-Reset"]) - s.now()
        assert 0 < left <= 10
        s.restarted()
        time.sleep(left + 0.1)
        expect(s.get("/me"), 200)
        assert s.breaches() == {}


BREACHED = set()


def breach(s, kind, act):
    s.reset()
    act()
    got = s.breaches()
    assert got == {kind: got.get(kind)} and got[kind] >= 1, (kind, got, s.stats()["last_breaches"])
    BREACHED.add(kind)
    last = s.stats()["last_breaches"][-1]
    assert last["kind"] == kind and last["request"] and last["words"]


def test_breaches():
    with Sim("--conversations", 90, "--contacts", 90, "--companies", 60, "--scroll-page", 10,
             "--rate", 0) as s:
        search = {"query": ALL, "pagination": {"per_page": 10}}
        s.get("/me")
        assert s.breaches() == {}
        breach(s, "no_version", lambda: s.get("/me", drop=("Intercom-Version",)))
        breach(s, "bad_version", lambda: s.get("/me", headers={"Intercom-Version": "1.0"}))
        breach(s, "bad_version", lambda: s.get("/conversations/deleted",
                                               headers={"Intercom-Version": "2.14"}))
        breach(s, "no_accept", lambda: expect(s.get("/me", drop=("Accept",)), 406))
        breach(s, "bad_accept", lambda: expect(s.get("/me", headers={"Accept": "text/html"}), 406))
        breach(s, "no_user_agent", lambda: s.get("/me", drop=("User-Agent",)))
        breach(s, "no_token", lambda: expect(s.get("/me", drop=("Authorization",)), 401))
        breach(s, "unknown_path", lambda: expect(s.get("/nothing"), 404, "not_found"))
        breach(s, "unknown_path", lambda: expect(s.request("DELETE", "/me"), 404))
        breach(s, "no_content_type", lambda: expect(
            s.post("/conversations/search", search, drop=("Content-Type",)), 415))
        breach(s, "no_content_type", lambda: s.post("/conversations/search", search,
                                                    headers={"Content-Type": "text/plain"}))
        breach(s, "bad_json", lambda: expect(s.post("/conversations/search", b"[1]"), 400))
        breach(s, "per_page", lambda: s.get("/conversations?per_page=151"))
        breach(s, "per_page", lambda: s.post("/contacts/search", {
            "query": ALL, "pagination": {"per_page": 1000}}))
        breach(s, "unknown_parameter", lambda: s.get("/conversations?updated_after=5"))
        breach(s, "unknown_parameter", lambda: s.post("/conversations/search?starting_after=x",
                                                      search))
        for body in ({**search, "page": 2}, {"query": ALL, "pagination": {"page": 2}},
                     {"query": ALL, "sort": {"field": "id", "order": "ascending", "x": 1}}):
            breach(s, "unknown_body_member", lambda: s.post("/conversations/search", body))
        breach(s, "unknown_body_member", lambda: s.post("/conversations/search", {
            "query": {**ALL, "extra": 1}}))
        breach(s, "unknown_field", lambda: s.post("/conversations/search", {
            "query": {**ALL, "field": "parts.body"}}))
        breach(s, "unknown_operator", lambda: s.post("/contacts/search", {
            "query": {**ALL, "operator": ">="}}))
        for kind, query in (("too_many_filters", {"operator": "AND", "value": [ALL] * 16}),
                            ("too_many_filters", {"operator": "AND", "value": []}),
                            ("bad_query", {"operator": "AND", "value": ALL}),
                            ("bad_value", {**ALL, "value": "yesterday"}),
                            ("query_too_deep", {"operator": "OR", "value": [
                                {"operator": "OR", "value": [
                                    {"operator": "OR", "value": [ALL]}]}]})):
            breach(s, kind, lambda: expect(s.post("/conversations/search", {"query": query}), 400))
        breach(s, "empty_starting_after", lambda: expect(
            s.get("/conversations?starting_after="), 500))
        pages_and_cursors(s, search)
        threads(s)
        scrolls(s)
        connections(s)
        waits(s)
        unseen = set(s.stats()["breaches"]) - BREACHED - {"call_before_retry_after"}  # see waits()
        unseen -= {"token_to_foreign_host", "write_refused"}  # of Front, see front.py
        assert not unseen, unseen


def pages_and_cursors(s, search):
    def page(cursor, body=search):
        a = s.post("/conversations/search", {**body, "pagination": {
            "per_page": 10, **({"starting_after": cursor} if cursor else {})}})
        expect(a, 200)
        return a.json["pages"].get("next", {}).get("starting_after")

    two = page(None)
    three = page(two)
    four = page(three)
    assert s.stats() and two and three and four
    breach(s, "page_again", lambda: page(three))
    breach(s, "page_out_of_order", lambda: page(two))
    three, four = page(page(None)), None
    s.mutate(count=1, kinds=["new_tag"])
    s.reset()
    four = page(three)
    s.mutate(count=1, kinds=["new_tag"])
    page(three)  # something has changed meanwhile, so it may be asked again
    assert s.breaches() == {}, s.stats()["last_breaches"]
    other = {"query": {**ALL, "value": 5}}
    breach(s, "cursor_other_query", lambda: page(two, other))
    breach(s, "cursor_not_issued", lambda: expect(s.get("/conversations?starting_after=zzz"), 400,
                                                  "client_error"))
    forged = "WzEwMDAsMjAwOTYzODAwMDAwMDAwLDJd"  # [1000,200963800000000,2]
    s.reset()
    s.get("/conversations?starting_after=" + forged)
    assert list(s.breaches()) == ["cursor_not_issued"]
    breach(s, "cursor_not_issued", lambda: s.get("/contacts?starting_after=6762f0d01bb69f9f2193bb7d"))
    deleted = "/conversations/deleted?per_page=1&page=%d"
    breach(s, "page_out_of_order", lambda: (s.get(deleted % 1), s.get(deleted % 3)))
    breach(s, "page_again", lambda: (s.get(deleted % 1), s.get(deleted % 2), s.get(deleted % 2)))
    companies = "/companies/list?per_page=10&page=%d"
    breach(s, "page_out_of_order", lambda: (s.post(companies % 1), s.post(companies % 3)))
    s.reset()
    s.get("/conversations?per_page=10")
    s.get("/conversations?per_page=10")  # a new listing may begin at any time
    assert s.breaches() == {}
    # A client that was started again may go on with the cursor it has.
    two = page(None)
    three = page(two)
    s.restarted()
    s.reset()
    page(two)
    assert s.breaches() == {}
    # A spoiled page may be asked for again, and the next one is still right.
    two = page(None)
    s.fault({"kind": "bad_json", "route": "/conversations/search", "count": 1})
    s.post("/conversations/search", {**search, "pagination": {"per_page": 10,
                                                              "starting_after": two}})
    s.reset()
    three = page(two)
    page(three)
    assert s.breaches() == {}, s.stats()["last_breaches"]
    s.no_faults()


def threads(s):
    one, two, three = list(s.truth("conversations"))[:3]
    s.reset()
    s.get("/conversations/" + one)
    assert s.breaches() == {}
    breach(s, "refetched_unchanged", lambda: s.get("/conversations/" + one))
    s.advance(10)
    s.mutate(count=1, conversation=one, kinds=["reply"])
    s.reset()
    s.get("/conversations/" + one)
    s.get("/conversations/" + one)  # changed in this very second: it may be newer still
    s.advance(1)
    s.get("/conversations/" + one)
    assert s.breaches() == {}, s.stats()["last_breaches"]
    s.advance(1)
    s.get("/conversations/" + one)
    breach(s, "refetched_unchanged", lambda: s.get("/conversations/" + one))
    s.fault({"kind": "truncate", "route": "/conversations/" + two, "count": 1})
    s.reset()
    try:
        s.get("/conversations/" + two)
        assert False, "the answer was to be cut"
    except Exception:
        pass
    s.get("/conversations/" + two)
    assert s.breaches() == {}
    s.no_faults()
    s.restarted()
    s.reset()
    s.get("/conversations/" + two)
    assert s.breaches() == {}


def scrolls(s):
    s.reset()
    a = s.get("/companies/scroll")
    param = a.json["scroll_param"]
    assert len(a.json["data"]) == 10
    breach(s, "second_scroll", lambda: expect(s.get("/companies/scroll"), 400, "scroll_exists"))
    expect(s.get("/companies/scroll?scroll_param=nope"), 404, "not_found")
    s.advance(61)
    expect(s.get("/companies/scroll?scroll_param=" + param), 404, "not_found")
    s.reset()
    assert len(scroll(s)) == len(s.truth("companies"))
    assert len(scroll(s)) == len(s.truth("companies"))  # the end closed it
    s.fault({"kind": "bad_json", "route": "/companies/scroll", "count": 1, "after": 1})
    param = s.get("/companies/scroll").json["scroll_param"]
    s.get("/companies/scroll?scroll_param=" + param)
    expect(s.get("/companies/scroll"), 400, "scroll_exists")
    assert s.breaches() == {}, "beginning again after a fault is right"
    breach(s, "scroll_continued_after_fault",
           lambda: s.get("/companies/scroll?scroll_param=" + param))
    s.no_faults()
    s.advance(61)
    s.fault({"kind": "status", "status": 500, "route": "/companies/scroll", "count": 1, "after": 1})
    param = s.get("/companies/scroll").json["scroll_param"]
    expect(s.get("/companies/scroll?scroll_param=" + param), 500)
    expect(s.get("/companies/scroll"), 200)
    s.advance(61)
    s.no_faults()


def connections(s):
    def act():
        sockets = []
        for _ in range(9):
            c = socket.create_connection(("127.0.0.1", s.port), timeout=5)
            c.sendall(s.raw_get("/me").replace(b"Connection: close\r\n", b""))
            assert c.recv(100000).startswith(b"HTTP/1.1 200")
            sockets.append(c)
        for c in sockets:
            c.close()

    if s.connection:
        s.connection.close()
        s.connection = None
    time.sleep(0.05)
    breach(s, "too_many_connections", act)
    time.sleep(0.1)
    s.reset()
    s.get("/me")
    assert s.breaches() == {}


def waits(s):
    s.fault({"kind": "rate429", "retry_after": 3, "count": 1, "route": "/teams"})
    a = s.get("/teams")
    expect(a, 429, "rate_limit_exceeded")
    assert a.headers["Retry-After"] == "3" and a.headers["X-RateLimit-Remaining"] == "0"
    time.sleep(0.2)
    s.reset()
    s.get("/me")
    assert "call_before_retry_after" in s.breaches()
    s.advance(11)
    s.reset()
    s.get("/me")
    assert s.breaches() == {}
    s.fault({"kind": "rate429", "count": 1, "route": "/teams"})
    assert "Retry-After" not in s.get("/teams").headers
    s.get("/me")  # at once: cannot know yet
    time.sleep(0.2)
    breach(s, "call_while_exhausted", lambda: s.get("/me"))
    s.restarted()
    s.reset()
    s.get("/me")
    assert s.breaches() == {}
    s.advance(11)
    s.no_faults()


def test_what_the_client_cannot_know():
    """Answers that are on their way, or never arrived, oblige to nothing."""
    with Sim(*SMALL, "--latency-ms", 600, "--rate", 6, "--grace-ms", 50, frozen=False) as s:
        s.control("clock", {"set": (s.now() // 10 + 1) * 10})
        first = threading.Thread(target=lambda: s.raw(s.raw_get("/me")))
        first.start()
        time.sleep(0.3)  # the first has been counted, its answer is not sent yet
        assert s.raw(s.raw_get("/me")).startswith(b"HTTP/1.1 429")
        first.join()
        assert s.breaches() == {}, s.stats()["last_breaches"]
        time.sleep(0.1)
        s.raw(s.raw_get("/me"))
        assert list(s.breaches()) == ["call_while_exhausted"]
    with Sim(*SMALL, "--rate", 0) as s:
        one = next(iter(s.truth("conversations")))
        page = s.get("/conversations?per_page=5").json["pages"]["next"]["starting_after"]
        page = "/conversations?per_page=5&starting_after=" + page
        s.fault({"kind": "drip", "bytes_per_s": 500})
        for path in ("/conversations/" + one, page, "/companies/scroll"):
            c = socket.create_connection(("127.0.0.1", s.port), timeout=5)
            c.sendall(s.raw_get(path))
            assert c.recv(200).startswith(b"HTTP/1.1 200")
            c.close()
        time.sleep(0.3)
        s.no_faults()
        s.get("/conversations/" + one)
        s.get(s.get(page) and page.split("&")[0])
        s.get(page)
        expect(s.get("/companies/scroll"), 400, "scroll_exists")
        assert s.breaches() == {}, s.stats()["last_breaches"]


def fails(act):
    try:
        act()
    except Exception:
        return True
    return False


def not_json(answer):
    return fails(lambda: answer.json)


def test_faults():
    with Sim("--conversations", 60, "--companies", 40, "--rate", 0) as s:
        def once(kind, path="/conversations", **more):
            s.no_faults()
            s.fault({"kind": kind, "route": path.split("?")[0], "count": 1, **more})
            return path

        for status in (400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504):
            a = s.get(once("status", status=status))
            expect(a, status)
            assert a.json["type"] == "error.list"
            expect(s.get("/conversations"), 200)
        a = s.get(once("html200"))
        assert a.status == 200 and a.headers["Content-Type"].startswith("text/html")
        a = s.get(once("empty200"))
        assert a.status == 200 and a.body == b""
        a = s.get(once("error_list_200"))
        assert a.status == 200 and a.json["type"] == "error.list"
        assert fails(lambda: s.get(once("truncate")))
        assert fails(lambda: s.get(once("wrong_length", delta=50)))
        a = s.get(once("wrong_length", delta=-50))
        assert not_json(a)
        assert not_json(s.get(once("bad_json")))
        a = s.get(once("bad_utf8"))
        assert fails(lambda: a.body.decode()) and a.status == 200
        began = time.monotonic()
        expect(s.get(once("slow", delay_ms=400)), 200)
        assert 0.35 < time.monotonic() - began < 3
        began = time.monotonic()
        expect(s.get(once("drip", "/me", bytes_per_s=1000)), 200)
        assert 0.25 < time.monotonic() - began < 5
        assert fails(lambda: s.get(once("reset")))
        whole = s.get("/tags").json["data"]
        assert s.get(once("part_list", "/tags", every=3)).json["data"] == [t for i, t in enumerate(whole) if i % 3 != 2]
        short = s.post(once("part_list", "/companies/list?per_page=60"), {}).json
        assert len(short["data"]) == short["total_count"] < s.post("/companies/list?per_page=60", {}).json["total_count"]
        expect(s.get(once("rate429")), 429)
        s.restarted()
        expect(s.get(once("unauthorized")), 401)
        cursors(s, once)
        assert len(s.get(once("huge", size_mb=3)).body) == 3 << 20
        s.no_faults()
        s.fault({"kind": "status", "status": 503, "after": 2, "count": 2, "route": "/me",
                 "method": "GET"})
        got = [s.get("/me").status for _ in range(6)]
        assert got == [200, 200, 503, 503, 200, 200], got
        s.no_faults()
        s.fault({"kind": "status", "status": 500, "probability": 0.3, "seed": 4, "route": "/me"})
        got = [s.get("/me").status for _ in range(60)]
        assert 5 < got.count(500) < 35
        expect(s.get("/teams"), 200)
        assert s.control("faults")[1][0]["hits"] == got.count(500)
        for wrong in ({"kind": "what"}, {"kind": "status", "staus": 500}, [1], {"kind": "drip",
                      "bytes_per_s": 0}):
            assert s.control("faults", wrong)[0] == 400
        s.no_faults()
        slow_one_does_not_hold_others(s)


def cursors(s, once):
    def next_of(answer):
        return answer.json["pages"]["next"]

    first = s.get(once("repeat_cursor", "/conversations?per_page=5"))
    again = s.get("/conversations?per_page=5&starting_after=" +
                  next_of(first)["starting_after"])
    assert [c["id"] for c in again.json["conversations"]] == [
        c["id"] for c in first.json["conversations"]]
    after = next_of(again)["starting_after"]
    once("repeat_cursor")
    assert next_of(s.get("/conversations?per_page=5&starting_after=" + after))[
        "starting_after"] == after
    foreign = next_of(s.get(once("foreign_cursor", "/conversations?per_page=5")))
    expect(s.get("/conversations?per_page=5&starting_after=" + foreign["starting_after"]), 400,
           "client_error")
    assert "evil" in next_of(s.get(once("foreign_next_host", "/conversations?per_page=5")))
    once("foreign_next_host", "/companies/list")
    assert "evil" in next_of(s.post("/companies/list?per_page=5"))
    wrong = s.get(once("wrong_resource")).json
    assert wrong["type"] == "conversation.list"
    assert {c["type"] for c in wrong["conversations"]} == {"contact"}
    once("unsorted", "/conversations/search")
    got = s.post("/conversations/search", {"query": ALL, "sort": {
        "field": "updated_at", "order": "ascending"}}).json["conversations"]
    times = [c["updated_at"] for c in got]
    assert times != sorted(times)
    s.no_faults()
    s.fault({"kind": "endless_next", "route": "/conversations"})
    cursor, sizes = "", []
    for _ in range(8):
        a = s.get("/conversations?per_page=20" + cursor)
        sizes.append(len(a.json["conversations"]))
        cursor = "&starting_after=" + next_of(a)["starting_after"]
    assert sizes == [20, 20, 20, 0, 0, 0, 0, 0], sizes
    s.no_faults()
    once("expired_cursor")
    expect(s.get("/conversations?per_page=5"), 200)
    cursor = next_of(s.get("/conversations?per_page=5"))["starting_after"]
    expect(s.get("/conversations?per_page=5&starting_after=" + cursor), 400, "client_error")
    expect(s.get("/conversations?per_page=5&starting_after=" + cursor), 200)


def slow_one_does_not_hold_others(s):
    s.fault({"kind": "slow", "route": "/teams", "delay_ms": 1000, "count": 1})
    done = []
    other = threading.Thread(target=lambda: done.append(s.raw(s.raw_get("/teams"))))
    began = time.monotonic()
    other.start()
    time.sleep(0.1)
    for _ in range(20):
        expect(s.get("/me"), 200)
    assert time.monotonic() - began < 0.9
    other.join()
    assert done[0].startswith(b"HTTP/1.1 200") and time.monotonic() - began > 0.9


def test_http():
    with Sim("--conversations", 60, "--latency-ms", 50) as s:
        began = time.monotonic()
        a = s.get("/tags")
        assert time.monotonic() - began > 0.045
        assert a.headers["Date"] == "Thu, 09 Oct 2025 08:53:20 GMT"
        assert a.headers["Content-Type"] == "application/json; charset=utf-8"
        assert len(a.headers["X-Request-Id"]) == 20 and a.headers["Cache-Control"]
        assert a.headers["X-Request-Id"] != s.get("/tags").headers["X-Request-Id"]
        tag = a.headers["ETag"]
        for path in ("/tags", "/teams", "/admins", "/segments", "/data_attributes",
                     "/conversations/attributes"):
            etag = s.get(path).headers["ETag"]
            same = s.get(path, headers={"If-None-Match": etag})
            assert same.status == 304 and same.body == b"" and same.headers["ETag"] == etag, path
        assert s.get("/conversations", headers={"If-None-Match": "*"}).status == 200
        s.mutate(count=1, kinds=["rename_tag"])
        a = s.get("/tags", headers={"If-None-Match": tag})
        assert a.status == 200 and a.headers["ETag"] != tag
        packed = s.get("/conversations", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.json == s.get("/conversations").json
        sock = s.connection.sock
        s.get("/me")
        assert s.connection.sock is sock, "connections are kept"
        expect(s.post("/tickets/search", {"query": ALL}), 200)
        me = s.get("/me").json
        assert me["app"]["timezone"] == "America/Los_Angeles" and me["app"]["region"] == "US"
        for path in ("/contacts/1", "/companies/1", "/tickets/1", "/conversations/1", "/admins/1", "/teams/x",
                     "/tags/99", "/segments/1", "/contacts/1/tags", "/conversations/last"):
            expect(s.get(path), 404)
    with Sim(*SMALL, "--no-gzip") as s:
        a = s.get("/conversations", headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in a.headers


def test_options():
    with Sim(*SMALL, "--long-threads", 1, "--parts-total", "all", "--rate", 0) as s:
        long = [i for i in s.truth("conversations")
                if s.get("/conversations/" + i).json["conversation_parts"]["total_count"] > 500]
        assert len(long) == 1
    with Sim(*SMALL, "--inclusive-bounds") as s:
        t = next(iter(s.truth("conversations").values()))["updated_at"]
        got = s.walk("/conversations/search", "conversations", 50,
                     {"field": "updated_at", "operator": ">", "value": t})
        assert t in [c["updated_at"] for c in got]
    with Sim(*SMALL, "--search-lag", 120) as s:
        s.advance(10)
        new = s.mutate(count=1, kinds=["new_contact"])["changes"][0]["id"]
        expect(s.get("/contacts/" + new), 200)
        assert new not in ids_of(s, ALL_CONTACTS, "/contacts/search", "data")
        s.advance(121)
        assert new in ids_of(s, ALL_CONTACTS, "/contacts/search", "data")
    with Sim(*SMALL, frozen=False) as s:
        before = s.now()
        time.sleep(1.1)
        assert before < s.now() <= before + 3
        s.advance(1000)
        assert before + 1000 < s.now()
        s.control("clock", {"set": NOW + 5000})
        assert NOW + 5000 <= s.now() <= NOW + 5002
        assert s.control("clock", {"x": 1})[0] == 400
        assert s.control("nothing")[0] == 404
    with Sim(*SMALL, "--inexact-totals") as s:
        assert s.get("/conversations").json["total_count"] > 150
    totals()
    text = plain_text_of_a_thread()
    assert "<p>" not in text and "&amp;" not in text
    with Sim("--conversations", 0, "--companies", 0, "--contacts", 1) as s:
        assert s.get("/conversations").json["pages"]["total_pages"] == 0
        assert s.get("/companies/scroll").json["data"] == []
        assert s.truth("conversations") == {} and len(s.truth("contacts")) == 1


def totals():
    for kind, wanted in (("right", lambda n: n), ("high", lambda n: 3 * n + 7), ("low", lambda n: n // 3),
                         ("zero", lambda n: 0), ("negative", lambda n: -n - 1), ("null", lambda n: None),
                         ("text", str), ("fraction", lambda n: n + 0.5), ("absent", None)):
        with Sim(*SMALL, "--totals", kind) as s:
            for path, n in (("/conversations", len(s.truth("conversations"))), ("/articles", len(s.truth("articles")))):
                got = s.get(path).json
                assert ("total_count" in got) == ("total_pages" in got["pages"]) == bool(wanted), (kind, got.keys())
                assert not wanted or got["total_count"] == wanted(n), (kind, path, got["total_count"], n)
            assert "data" in s.get("/tags").json and "total_count" not in s.get("/tags").json


def plain_text_of_a_thread():
    with Sim(*SMALL) as s:
        c = next(iter(s.truth("conversations")))
        got = s.get("/conversations/%s?display_as=plaintext" % c).json
        parts = got["conversation_parts"]["conversation_parts"]
        return got["source"]["body"] + "".join(p["body"] or "" for p in parts)


def test_start_and_end():
    def once(*options):
        return subprocess.run([binary(), *options], capture_output=True, timeout=20)

    assert b"--conversations" in once("--help").stdout
    assert once("--version").stdout.startswith(b"apisim ")
    for wrong in (["--nonsense"], ["--port"], ["--port", "70000"], ["--timezone", "Mars/Base"],
                  ["--clock", "slow"], ["conversations"], ["--contacts=0"]):
        assert once(*wrong).returncode == 2, wrong
    began = time.monotonic()
    assert once("--max-seconds", "1").returncode == 0 and time.monotonic() - began > 0.9
    with Sim(*SMALL) as s:
        assert once("--port", str(s.port)).returncode == 1, "the port is taken"
        s.fault({"kind": "slow", "delay_ms": 60000}, {"kind": "drip", "bytes_per_s": 1})
        c = socket.create_connection(("127.0.0.1", s.port))
        c.sendall(s.raw_get("/me"))  # ends although an answer is due in a minute
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 5
    c.close()


def test_garbage():
    """Whatever arrives, the simulator goes on."""
    rng = random.Random(7)
    words = ["query", "field", "operator", "value", "AND", "OR", "updated_at", ">", "IN", "=", "~",
             "pagination", "per_page", "starting_after", "sort", "order", "ascending", "id", None,
             True, -1, 0, 1.5, 10 ** 18, "\u0000", "\U0001f600", "", [], {}]

    def thing(depth):
        kind = rng.random()
        if depth > 5 or kind < 0.4:
            return rng.choice(words)
        if kind < 0.7:
            return [thing(depth + 1) for _ in range(rng.randrange(4))]
        return {str(rng.choice(words)): thing(depth + 1) for _ in range(rng.randrange(5))}

    with Sim(*SMALL, "--rate", 0) as s:
        for n in range(1500):
            path = rng.choice(["/conversations/search", "/contacts/search", "/tickets/search"])
            body = thing(0)
            if n % 2:
                body = {"query": thing(0), "pagination": thing(2), "sort": thing(3)}
            assert s.post(path, body).status in (200, 400, 415, 500), body
        for n in range(500):
            path = "/" + "/".join(rng.choice(["conversations", "contacts", "companies", "scroll",
                                              "%00", "..", "1", "deleted", "list", "a" * 300])
                                  for _ in range(rng.randrange(1, 4)))
            path += "?" + "&".join(rng.choice(["per_page=", "page=", "starting_after=", "x="]) +
                                   rng.choice(["-1", "1", "999999999999999999999", "W10=", "%ff",
                                               "WzEsMiwzXQ==", "", "WzEwMDAsMSwyXQ"])
                                   for _ in range(3))
            assert s.get(path).status in (200, 400, 404, 410, 500), path
        for junk in (b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01" + b"x" * 200,
                     b"POST /contacts/search HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
            try:
                s.raw(junk, 0.5)
            except OSError:
                pass
        expect(s.get("/me"), 200)


def test_large_world():
    with Sim("--conversations", 1000000, "--contacts", 200000, "--companies", 12000, "--rate", 0,
             "--tags", 300) as s:
        slack = 5 if os.environ.get("SANITIZE") else 1
        assert s.start_seconds < 3 * slack, s.start_seconds
        rss = s.resident_kb()
        assert rss < 100 * 1024 * slack, rss
        a = s.post("/conversations/search", {"query": ALL, "pagination": {"per_page": 150},
                   "sort": {"field": "updated_at", "order": "ascending"}}).json
        assert a["total_count"] == 1000000
        for c in a["conversations"][:20]:
            expect(s.get("/conversations/" + c["id"]), 200)
        began = time.monotonic()
        done = s.mutate(count=1000, seed=1)
        assert time.monotonic() - began < 5 * slack
        assert sum(done["done"].values()) == 1000
        d = s.get("/companies/scroll").json
        assert len(d["data"]) == 100
        expect(s.post("/companies/list?per_page=60&page=167"), 400, "bad_request")
        expect(s.post("/companies/list?per_page=50&page=1"), 200)
        assert s.resident_kb() < 120 * 1024 * slack


if __name__ == "__main__":
    run([f for name, f in list(globals().items()) if name.startswith("test_")])
