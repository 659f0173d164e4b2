#!/usr/bin/env python3
"""Does the simulator take writes as the APIs do? writes.py [path of apisim] [--name]

What is accepted and what is refused, that an accepted write is in the document, the lists and the truth, what moves
updated_at, that a refused one changes nothing, writes that act though the answer does not say so, writes that come into
effect later, changes behind the client's back, and the log of it all.
"""

import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from simlib import NOW, Sim, run  # noqa: E402

ACTED = {"kind": "status", "status": 503, "count": 1, "acts": True}


def intercom(*options, **kw):
    return Sim("--conversations", 40, "--contacts", 40, "--companies", 5, "--rate", 0, *options, **kw)


def front(*options, **kw):
    return Sim("--provider", "front", "--conversations", 40, "--contacts", 40, "--rate", 0, *options, **kw)


def writes(s, after=0):
    status, log = s.control("writes?after=%d" % after)
    assert status == 200 and len(log["writes"]) == log["count"] - after, log
    return log["writes"]


def edit(s, resource, id, set, status=200):
    got, words = s.control("edit", {"resource": resource, "id": id, "set": set})
    assert got == status, (got, words)


def refused(s, answer, status, code=None):
    assert answer.status == status, (answer.status, answer.body[:300])
    if code:
        assert answer.code == code, answer.body


def first(s, resource, fits=lambda doc: True):
    return next(id for id, doc in s.truth(resource).items() if fits(doc))


def test_intercom_contact():
    with intercom() as s:
        c = first(s, "contacts", lambda d: d["custom_attributes"].get("plan") and d["email"])
        path, before = "/contacts/" + c, s.truth("contacts")[c]
        s.advance(100)
        put = {"name": "Zoë \"Z\" Ünal", "phone": None, "owner_id": s.get("/admins").json["admins"][1]["id"],
               "unsubscribed_from_emails": True,
               "custom_attributes": {"training_topic": "Refunds", "seats": 12, "beta": None}}
        a = s.request("PUT", path, put)
        assert a.status == 200, a.body
        after = s.get(path).json
        assert a.json == after == s.truth("contacts")[c], "the answer, GET and the truth"
        for name in ("name", "phone", "owner_id", "unsubscribed_from_emails"):
            assert after[name] == put[name], name
        assert after["custom_attributes"] == {**before["custom_attributes"], **put["custom_attributes"]}, "a part is merged"
        assert after["updated_at"] == NOW + 100 > before["updated_at"]
        found = s.post("/contacts/search", {"query": {"field": "name", "operator": "=", "value": put["name"]}}).json
        assert [d["id"] for d in found["data"]] == [c]
        # Refusals change nothing.
        version = s.control("clock")[1]["version"]
        other = s.truth("contacts")[first(s, "contacts", lambda d: d["email"] and d["id"] != c)]
        for body, status, code in (
                ({"custom_attributes": {"no such": 1}}, 400, "parameter_invalid"),
                ({"custom_attributes": {"seats": "many"}}, 400, "parameter_invalid"),
                ({"name": "kept", "custom_attributes": {"beta": 1}}, 400, "parameter_invalid"),
                ({"custom_attributes": []}, 400, "parameter_invalid"),
                ({"owner_id": "1"}, 400, "parameter_invalid"), ({"role": "boss"}, 400, "parameter_invalid"),
                ({"name": 5}, 400, "parameter_invalid"), ({"email": "nobody"}, 400, "parameter_invalid"),
                ({"email": other["email"].upper()}, 409, "conflict")):
            refused(s, s.request("PUT", path, body), status, code)
        assert other["id"] in s.request("PUT", path, {"email": other["email"]}).json["errors"][0]["message"]
        refused(s, s.request("PUT", "/contacts/" + "0" * 24, {"name": "x"}), 404, "not_found")
        assert s.control("clock")[1]["version"] == version and s.get(path).json == after
        assert s.request("PUT", path, {"email": after["email"]}).status == 200, "its own address is no conflict"
        merged = s.mutate(count=1, kinds=["merge_contact"])["changes"][0]["id"]
        refused(s, s.request("PUT", "/contacts/" + merged, {"name": "x"}), 410, "contact_merged")
        assert len(writes(s)) == 2
        # A change of people's makes the written value old.
        assert s.request("PUT", path, {"custom_attributes": {"plan": "Gold"}}).json["custom_attributes"]["plan"] == "Gold"
        s.mutate(count=3000, seed=3, kinds=["update_contact"])
        assert s.truth("contacts")[c]["custom_attributes"]["plan"] not in ("Gold", None)
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_intercom_contact_tags():
    with intercom() as s:
        c, tag = first(s, "contacts"), s.get("/tags").json["data"][0]["id"]
        has = lambda: tag in [t["id"] for t in s.get("/contacts/%s/tags" % c).json["data"]]  # noqa: E731
        s.request("DELETE", "/contacts/%s/tags/%s" % (c, tag))
        assert not has()
        s.advance(50)
        a = s.post("/contacts/%s/tags" % c, {"id": tag})
        assert a.status == 200 and a.json["id"] == tag and has()
        stamp = s.get("/contacts/" + c).json["updated_at"]
        assert stamp == NOW + 50
        s.advance(50)
        assert s.post("/contacts/%s/tags" % c, {"id": tag}).status == 200
        assert s.get("/contacts/" + c).json["updated_at"] == stamp, "it had the tag"
        assert [w["changes"] for w in writes(s)][1:] == [1, 0] and [w["same_before"] for w in writes(s)][1:] == [0, 1]
        assert s.request("DELETE", "/contacts/%s/tags/%s" % (c, tag)).status == 200 and not has()
        refused(s, s.post("/contacts/%s/tags" % c, {"id": "1"}), 404, "not_found")
        refused(s, s.request("DELETE", "/contacts/%s/tags/1" % c), 404, "not_found")
        refused(s, s.post("/contacts/%s/tags" % ("0" * 24), {"id": tag}), 404, "not_found")
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_intercom_conversation():
    with intercom() as s:
        c = first(s, "conversations", lambda d: d["state"] == "open")
        path, before = "/conversations/" + c, s.get("/conversations/" + first(s, "conversations")).json
        s.advance(10)
        before = s.get(path).json
        parts = lambda d: [p["part_type"] for p in d["conversation_parts"]["conversation_parts"]]  # noqa: E731
        put = {"title": "Über <refunds>", "read": not before["read"],
               "custom_attributes": {"Issue type": "Billing", "Escalated": True, "Language": "de"}}
        a = s.request("PUT", path, put)
        after = a.json
        s.restarted()
        assert a.status == 200 and after == s.get(path).json
        assert after["title"] == put["title"] and after["read"] == put["read"]
        assert after["custom_attributes"] == {**before["custom_attributes"], **put["custom_attributes"]}
        assert parts(after)[len(parts(before)):] == ["conversation_attribute_updated_by_admin"] * 3
        assert after["updated_at"] == NOW + 10
        listed = next(d for d in s.get("/conversations?per_page=150").json["conversations"] if d["id"] == c)
        assert listed["title"] == put["title"] and listed["custom_attributes"] == after["custom_attributes"]
        version = s.control("clock")[1]["version"]
        for body in ({"custom_attributes": {"Language": "fr"}}, {"custom_attributes": {"Nothing": 1}}, {"title": 4}, {"read": "no"},
                     {"custom_attributes": {"Contract": 1}}):
            refused(s, s.request("PUT", path, body), 400, "parameter_invalid")
        refused(s, s.request("PUT", "/conversations/1", {"read": True}), 404, "not_found")
        assert s.control("clock")[1]["version"] == version
        assert s.breaches() == {}, s.stats()["last_breaches"]
        # The priority: in the preview only.
        kept = after["priority"]
        assert s.request("PUT", path, {"priority": "urgent"}).json["priority"] == kept
        assert s.breaches() == {"unknown_body_member": 1}
        admin = s.get("/me").json["id"]
        a = s.request("PUT", path, {"priority": "urgent" if kept != "urgent" else "low", "admin_id": admin},
                      headers={"Intercom-Version": "Preview"})
        assert a.json["priority"] != kept and a.headers["Intercom-Version"] == "Preview"
        # Deeds.
        part = lambda **body: s.post(path + "/parts", {"admin_id": admin, **body})  # noqa: E731
        assert part(message_type="close", type="admin", body="<p>Done.</p>").json["state"] == "closed"
        until = s.now() + 5000
        d = part(message_type="snoozed", snoozed_until=until).json
        assert (d["state"], d["snoozed_until"]) == ("snoozed", until)
        d = part(message_type="open").json
        assert (d["state"], d["snoozed_until"], d["open"]) == ("open", None, True)
        team, mate = s.get("/teams").json["teams"][0]["id"], s.get("/admins").json["admins"][2]["id"]
        assert part(message_type="assignment", type="team", assignee_id=team).json["team_assignee_id"] == int(team)
        assert part(message_type="assignment", type="admin", assignee_id=mate).json["admin_assignee_id"] == int(mate)
        d = part(message_type="assignment", type="admin", assignee_id="0").json
        assert (d["admin_assignee_id"], d["team_assignee_id"]) == (0, int(team))
        d = part(message_type="assignment", type="team", assignee_id="0").json
        assert d["team_assignee_id"] == 0
        assert parts(d)[-7:] == ["close", "snoozed", "open"] + ["assignment"] * 4
        assert d["conversation_parts"]["conversation_parts"][-7]["body"] == "<p>Done.</p>"
        said = s.post(path + "/reply", {"message_type": "note", "type": "admin", "admin_id": admin, "body": "<p>ü</p>"}).json
        last = said["conversation_parts"]["conversation_parts"][-1]
        assert (last["part_type"], last["body"], last["author"]["id"]) == ("note", "<p>ü</p>", admin)
        for body, status in (({"message_type": "sleep"}, 400), ({"message_type": "snoozed", "snoozed_until": 5}, 400),
                             ({"message_type": "assignment", "type": "admin"}, 400),
                             ({"message_type": "assignment", "type": "admin", "assignee_id": "1"}, 404),
                             ({"message_type": "open", "admin_id": "1"}, 404), ({"message_type": "open", "admin_id": None}, 400)):
            refused(s, part(**body), status)
        # Tags.
        tag = s.get("/tags").json["data"][1]["id"]
        ids = lambda: [t["id"] for t in s.truth("conversations")[c]["tags"]["tags"]]  # noqa: E731
        s.request("DELETE", path + "/tags/" + tag, {"admin_id": admin})
        a = s.post(path + "/tags", {"id": tag, "admin_id": admin})
        assert a.status == 200 and a.json["applied_by"]["id"] == admin and ids().count(tag) == 1
        assert s.post(path + "/tags", {"id": tag, "admin_id": admin}).status == 200 and ids().count(tag) == 1
        assert s.request("DELETE", path + "/tags/" + tag, {"admin_id": admin}).status == 200 and tag not in ids()
        refused(s, s.post(path + "/tags", {"id": "1", "admin_id": admin}), 404, "tag_not_found")
        refused(s, s.post("/conversations/1/tags", {"id": tag, "admin_id": admin}), 404, "not_found")
        refused(s, s.post(path + "/tags", {"id": tag}), 400, "parameter_not_found")
        # People change the same field afterwards.
        s.mutate(count=1, seed=1, kinds=["title"], conversation=c)
        assert s.truth("conversations")[c]["title"] != put["title"]


def test_front_conversation():
    with front() as s:
        c = first(s, "conversations", lambda d: d["status"] in ("assigned", "unassigned") and d["type"] == "conversation")
        path = "/conversations/" + c
        s.advance(3)
        events = s.get(path + "/events").json["_results"]
        mate, tags = s.get("/teammates").json["_results"][1]["id"], [t["id"] for t in s.get("/tags").json["_results"]][:3]
        put = {"assignee_id": mate, "tag_ids": tags[:2], "custom_fields": {"Plan": "team", "Seats": 4}, "status": "archived"}
        a = s.request("PATCH", path, put)
        assert (a.status, a.body, a.headers["Content-Type"]) == (204, b"", None)
        d = s.get(path).json
        assert d == s.truth("conversations")[c]
        assert (d["status"], d["assignee"]["id"]) == ("archived", mate) and {t["id"] for t in d["tags"]} == set(tags[:2])
        assert d["custom_fields"] == put["custom_fields"] and d["updated_at"] == NOW + 3
        # What is not sent is gone; people's change of a field makes a map of its own.
        assert s.request("PATCH", path, {"custom_fields": {"VIP": True}}).status == 204
        assert s.get(path).json["custom_fields"] == {"VIP": True}
        assert s.request("PATCH", path, {"custom_fields": {}}).status == 204
        d = s.get(path).json
        assert d["custom_fields"] == {} and d["updated_at"] > NOW + 3, "updated_at moves within the second"
        fresh = [e for e in s.get(path + "/events?limit=100").json["_results"] if e["id"] not in [x["id"] for x in events]]
        assert {e["source"]["_meta"]["type"] for e in fresh} == {"api"} and "archive" in {e["type"] for e in fresh}
        assert "custom_field_updated" not in {e["type"] for e in fresh}, "programs' changes of fields are not in the feed"
        # Assignee, tags.
        for body, seen in (({"assignee_id": None}, None), ({"assignee_id": mate}, mate)):
            assert s.request("PUT", path + "/assignee", body).status == 204
            assert (s.get(path).json["assignee"] or {"id": None})["id"] == seen
        ids = lambda: {t["id"] for t in s.get(path).json["tags"]}  # noqa: E731
        assert s.post(path + "/tags", {"tag_ids": tags[2:]}).status == 204 and ids() == set(tags)
        stamp = s.get(path).json["updated_at"]
        assert s.post(path + "/tags", {"tag_ids": tags[2:]}).status == 204 and s.get(path).json["updated_at"] == stamp
        assert s.request("DELETE", path + "/tags", {"tag_ids": tags[:1]}).status == 204 and ids() == set(tags[1:])
        assert s.request("PATCH", path, {"tag_ids": []}).status == 204 and ids() == set()
        assert s.request("PATCH", path, {"status": "deleted"}).status == 204 and s.get(path).json["status"] == "deleted"
        assert s.request("PATCH", path, {"status": "open"}).status == 204 and s.get(path).json["status"] == "assigned"
        # Refusals change nothing.
        before = s.get(path).json
        for body in ({"status": "assigned"}, {"status": "snoozed"}, {"custom_fields": {"Seats": "4"}}, {"custom_fields": {"x": 1}},
                     {"assignee_id": "tea_zzz", "status": "archived"}, {"tag_ids": ["tag_zzz"]}, {"inbox_id": "inb_zzz"},
                     {"status": "open", "status_id": "sts_1"}, {}, {"custom_fields.VIP": True}, {"custom_fields": {"Plan": "gold"}}):
            refused(s, s.request("PATCH", path, body), 400)
        refused(s, s.request("PATCH", "/conversations/cnv_zzz", {"status": "open"}), 404)
        refused(s, s.request("PUT", path + "/assignee", {}), 400)
        assert s.get(path).json == before
        merged = s.mutate(count=1, kinds=["merge"])["changes"][0]["id"]
        assert s.request("PATCH", "/conversations/" + merged, {"status": "open"}).status == 301
        assert s.breaches() == {"unknown_body_member": 1}, s.stats()["last_breaches"]


def test_front_contact():
    with front() as s:
        c = first(s, "contacts")
        path = "/contacts/" + c
        s.advance(2)
        put = {"name": "Zoë", "description": "", "links": ["https://a.example"], "custom_fields": {"Owner": "agent1@acme.example"}}
        assert s.request("PATCH", path, put).status == 204
        d = s.get(path).json
        assert {k: d[k] for k in put} == put and d["updated_at"] == NOW + 2 and d == s.truth("contacts")[c]
        assert s.request("PATCH", path, {"name": "Y"}).status == 204
        assert s.get(path).json["custom_fields"] == put["custom_fields"], "what is left out stays"
        assert s.get("/contacts?limit=1&sort_by=updated_at&sort_order=desc").json["_results"][0]["id"] == c
        for body in ({"name": 4}, {"links": "x"}, {"custom_fields": {"Owner": "nobody@acme.example"}}, {}):
            refused(s, s.request("PATCH", path, body), 400)
        refused(s, s.request("PATCH", "/contacts/crd_zzz", {"name": "x"}), 404)
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_front_guards():
    with Sim("--provider", "front", "--conversations", 20, "--rate", 600) as s:
        path = "/conversations/" + first(s, "conversations")
        got = [s.request("PATCH", path, {"status": "archived"}).status for _ in range(6)]
        assert got.count(204) >= 5 or got[-1] == 429, got
        a = s.request("PUT", path + "/assignee", {"assignee_id": None})
        b = s.post(path + "/tags", {"tag_ids": []})
        assert (a.status == 429) <= (b.status == 204), "tags have a guard of their own"


def test_read_only():
    with intercom("--read-only") as s:
        c = first(s, "contacts")
        refused(s, s.request("PUT", "/contacts/" + c, {"name": "x"}), 403)
        refused(s, s.post("/conversations/%s/tags" % first(s, "conversations"), {"id": "1", "admin_id": "1"}), 403)
        assert s.breaches() == {"write_refused": 2} and writes(s) == []
    with front("--read-only") as s:
        refused(s, s.request("PATCH", "/contacts/" + first(s, "contacts"), {"name": "x"}), 403)
        assert s.breaches() == {"write_refused": 1}


def name_of(s, c):
    return s.truth("contacts")[c]["name"]


def test_faults():
    for make, method in ((intercom, "PUT"), (front, "PATCH")):
        with make() as s:
            c = first(s, "contacts")
            path = "/contacts/" + c
            s.fault({"kind": "status", "status": 503, "count": 1, "method": method})
            refused(s, s.request(method, path, {"name": "one"}), 503)
            assert name_of(s, c) != "one" and writes(s) == []
            s.fault({**ACTED, "method": method})
            refused(s, s.request(method, path, {"name": "two"}), 503)
            assert name_of(s, c) == "two" and writes(s)[-1]["answer"] == "status"
            s.fault({"kind": "reset", "count": 1, "acts": True})
            try:
                s.request(method, path, {"name": "three"})
                raise AssertionError("an answer came")
            except (ConnectionError, http.client.HTTPException):
                pass
            assert name_of(s, c) == "three" and writes(s)[-1]["answer"] == "reset"
            s.fault({"kind": "reset", "count": 1})
            try:
                s.request(method, path, {"name": "four"})
                raise AssertionError("an answer came")
            except (ConnectionError, http.client.HTTPException):
                pass
            assert name_of(s, c) == "three"
            s.fault({"kind": "slow", "count": 1, "delay_ms": 60000})
            try:
                s.request(method, path, {"name": "five"}, timeout=0.3)
                raise AssertionError("an answer came")
            except TimeoutError:
                pass
            assert name_of(s, c) == "five" and writes(s)[-1]["answer"] == "slow"
            s.fault({"kind": "rate429", "count": 1, "retry_after": 1})
            refused(s, s.request(method, path, {"name": "six"}), 429)
            assert name_of(s, c) == "five"
            # Faults of writes alone.
            s.restarted()
            s.fault({"kind": "status", "status": 500, "method": method})
            assert s.get(path).status == 200
            refused(s, s.request(method, path, {"name": "seven"}), 500)
            s.no_faults()
            # The log knows repetitions.
            for n in range(3):
                s.request(method, path, {"name": "again"}, headers={"Idempotency-Key": "k-%d" % n})
            assert [(w["same_before"], w["idempotency_key"]) for w in writes(s, 3)] == [(0, "k-0"), (1, "k-1"), (2, "k-2")]
            assert writes(s)[0]["body"] == {"name": "two"} and writes(s)[0]["at_ms"] // 1000 == NOW


def test_later():
    for make, method in ((intercom, "PUT"), (front, "PATCH")):
        with make("--write-lag", 30) as s:
            c = first(s, "contacts")
            old = name_of(s, c)
            a = s.request(method, "/contacts/" + c, {"name": "late"})
            assert (a.status, a.body) == (202, b"")
            refused(s, s.request(method, "/contacts/" + c, {"name": 4}), 400)
            s.advance(29)
            assert name_of(s, c) == old and writes(s)[0]["waiting"]
            s.advance(1)
            d = s.get("/contacts/" + c).json
            assert d["name"] == "late" and int(d["updated_at"]) == NOW + 30 and not writes(s)[0]["waiting"]


def test_behind():
    with intercom() as s:
        c, p = first(s, "conversations", lambda d: d["state"] == "open"), first(s, "contacts")
        admin, tag = s.get("/admins").json["admins"][3]["id"], s.get("/tags").json["data"][2]["id"]
        s.advance(5)
        edit(s, "conversations", c, {"state": "closed", "admin_assignee_id": int(admin), "tags": [tag], "priority": "low", "read": True,
                                     "title": "T", "custom_attributes": {"Escalated": False}, "team_assignee_id": None})
        d = s.truth("conversations")[c]
        assert (d["state"], d["admin_assignee_id"], d["priority"], d["read"], d["title"], d["custom_attributes"]["Escalated"],
                d["team_assignee_id"], d["updated_at"]) == ("closed", int(admin), "low", True, "T", False, 0, NOW + 5)
        assert [t["id"] for t in d["tags"]["tags"]] == [tag]
        edit(s, "contacts", p, {"name": "N", "custom_attributes": {"training_topic": "x"}, "tags": [tag]})
        d = s.truth("contacts")[p]
        assert (d["name"], d["custom_attributes"]["training_topic"]) == ("N", "x") and [t["id"] for t in d["tags"]["data"]] == [tag]
        edit(s, "contacts", p, {"nothing": 1}, 400)
        edit(s, "contacts", "1", {"name": "N"}, 404)
        edit(s, "tickets", "1", {"name": "N"}, 404)
        edit(s, "contacts", p, {}, 400)
        assert writes(s) == [], "no program wrote that"
    with front() as s:
        c, p = first(s, "conversations", lambda d: d["status"] == "unassigned"), first(s, "contacts")
        events = len(s.truth("events"))
        edit(s, "conversations", c, {"custom_fields": {"VIP": False}})
        edit(s, "conversations", c, {"custom_fields.Seats": 9, "status": "archived"})
        d = s.truth("conversations")[c]
        assert (d["custom_fields"], d["status"]) == ({"VIP": False, "Seats": 9}, "archived")
        assert len(s.truth("events")) == events + 3
        edit(s, "contacts", p, {"custom_fields.Seats": 3, "name": "N"})
        assert s.truth("contacts")[p]["custom_fields"]["Seats"] == 3
        edit(s, "conversations", c, {"status": "assigned"}, 400)
        edit(s, "conversations", "cnv_zzz", {"status": "open"}, 404)
        assert writes(s) == []


if __name__ == "__main__":
    run([test for name, test in sorted(globals().items()) if name.startswith("test_")])
