#!/usr/bin/env python3
"""Does the simulator of Front keep its word? front.py [path of apisim] [--name]

That the world is a function of its seed, that listings are complete and all
ways to a record lead to the same record, that the feed of events tells of
what it should and of nothing else, that limits, faults and breaches work.
"""

import json
import os
import random
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from simlib import NOW, Sim, run  # noqa: E402

RESOURCES = ["conversations", "messages", "comments", "events", "contacts", "accounts", "teammates", "teams",
             "tags", "inboxes", "channels", "links", "contact_lists", "statuses", "rules"]
EVERY = "&".join("q%%5Bstatuses%%5D%%5B%%5D=%s" % s for s in ("assigned", "unassigned", "archived", "trashed"))
HOST = "https://acme.api.frontapp.com"
SANITIZED = bool(os.environ.get("SANITIZE"))


class Front(Sim):
    def __init__(self, *options, **kw):
        super().__init__("--provider", "front", *options, **kw)

    def pages(self, path, most=5000):
        """The pages of a listing, followed by what `next` says, whatever its host."""
        while path:
            a = self.get(path)
            assert a.status == 200, (path, a.status, a.body[:300])
            yield a.json
            following = a.json.get("_pagination", {}).get("next")
            path = following and "/" + following.split("/", 3)[3]
            most -= 1
            assert most, "endless"

    def all(self, path):
        return [r for page in self.pages(path) for r in page["_results"]]

    def thread(self, conversation):
        """{id: doc} of what is said in it."""
        said = self.all("/conversations/%s/messages?limit=100" % conversation)
        said += self.all("/conversations/%s/comments" % conversation)
        return {r["id"]: r for r in said}


def expect(answer, status, message=None):
    assert answer.status == status, (answer.status, answer.body[:300])
    error = answer.json["_error"]
    assert error["status"] == status and error["title"], error
    if message is not None:
        assert error["message"] == message, error


def one(s, kind, **more):
    return s.mutate(count=1, kinds=[kind], **more)["changes"]


def test_determinism():
    def snapshot(*options, mutate=False):
        with Front("--conversations", 70, *options) as s:
            if mutate:
                s.mutate(count=300, seed=3)
            return [s.truth_bytes(r) for r in RESOURCES]

    first = snapshot("--seed", 5)
    assert all(first), "nothing in it"
    assert first == snapshot("--seed", 5)
    assert first != snapshot("--seed", 6)
    changed = snapshot("--seed", 5, mutate=True)
    assert changed != first and changed == snapshot("--seed", 5, mutate=True)


def test_all_ways_lead_to_the_same_record():
    with Front("--conversations", 120, "--rate", 0) as s:
        s.mutate(count=250, seed=2)
        conversations, messages = s.truth("conversations"), s.truth("messages")
        for size in (3, 50, 100):
            got = s.all("/conversations?limit=%d&%s" % (size, EVERY))
            assert len(got) == len(conversations) and {c["id"]: c for c in got} == conversations, size
        default = {c["id"] for c in s.all("/conversations")}
        assert default == {i for i, c in conversations.items() if c["status"] != "deleted"}
        assert len(default) < len(conversations)
        seen, longest = {}, 0
        for i, doc in conversations.items():
            assert s.get("/conversations/" + i).json == doc
            said = s.thread(i)
            longest = max(longest, len(said))
            seen.update(said)
            for key, m in said.items():
                assert m["_links"]["related"]["conversation"] == HOST + "/conversations/" + i
            for key in list(said)[:2]:
                assert s.get(("/messages/" if key.startswith("msg") else "/comments/") + key).json == said[key]
            last = doc["_links"]["related"]["last_message"]
            drafts = {key for key, m in said.items() if m.get("is_draft")}
            sent = [m for key, m in said.items() if key.startswith("msg") and key not in drafts]
            newest = max(sent, key=lambda m: m["created_at"], default=None)
            assert (last is None) == (newest is None)
            if newest and [m["created_at"] for m in sent].count(newest["created_at"]) == 1:
                assert last == HOST + "/messages/%s?referer=conversation" % newest["id"]
        assert seen == messages
        assert longest > 200
        contacts = s.truth("contacts")
        for path in ("/contacts?limit=7", "/contacts?limit=100&sort_by=updated_at&sort_order=asc"):
            assert {c["id"]: c for c in s.all(path)} == contacts
        for i, doc in list(contacts.items())[:40]:
            assert s.get("/contacts/" + i).json == doc
        for path, name in (("/accounts?limit=9", "accounts"), ("/teammates", "teammates"), ("/teams", "teams"),
                           ("/tags?limit=4", "tags"), ("/inboxes", "inboxes"), ("/channels", "channels"),
                           ("/links?limit=5", "links"), ("/contact_lists", "contact_lists"),
                           ("/company/statuses", "statuses"), ("/rules", "rules")):
            got = s.all(path)
            assert len(got) == len(s.truth(name)) and {r["id"]: r for r in got} == s.truth(name), name
            if name not in ("teams", "contact_lists"):
                assert s.get("%s/%s" % (path.split("?")[0], got[0]["id"])).json == got[0]
        events = s.truth("events")
        got = s.all("/events")
        assert len(got) == len(events) and {e["id"]: e for e in got} == events
        times = [e["emitted_at"] for e in got]
        assert times == sorted(times, reverse=True)
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_orders_and_filters():
    with Front("--conversations", 150, "--rate", 0) as s:
        s.mutate(count=100, seed=4)
        docs = s.truth("conversations")
        for word, status in (("assigned",) * 2, ("unassigned",) * 2, ("archived",) * 2, ("trashed", "deleted")):
            for form in ("q[statuses]=%s", "q%%5Bstatuses%%5D%%5B%%5D=%s", "q[statuses][]=%s"):
                got = {c["id"] for c in s.all("/conversations?limit=13&" + form % word)}
                assert got == {i for i, c in docs.items() if c["status"] == status} and got, word
        categories = {c["id"] for c in s.all("/conversations?q[status_categories]=resolved&" + EVERY)}
        assert categories == {i for i, c in docs.items() if c["status_category"] == "resolved"}
        inbox = next(iter(s.truth("inboxes")))
        inside = {c["id"] for c in s.all("/inboxes/%s/conversations?%s" % (inbox, EVERY))}
        assert inside == {i for i in docs if inbox in [b["id"] for b in s.all("/conversations/%s/inboxes" % i)]}
        tag = next(t["id"] for c in docs.values() for t in c["tags"])
        assert {c["id"] for c in s.all("/tags/%s/conversations?%s" % (tag, EVERY))} == {
            i for i, c in docs.items() if tag in [t["id"] for t in c["tags"]]}
        newest = s.all("/conversations?limit=100&" + EVERY)
        up = s.all("/conversations?limit=100&sort_by=date&sort_order=asc&" + EVERY)
        assert up == newest[::-1]
        contacts = s.truth("contacts")
        t = sorted(c["updated_at"] for c in contacts.values())[100]
        for q, f in (("q[updated_after]=%s" % t, lambda c: c["updated_at"] > t),
                     ("q[updated_before]=%s" % t, lambda c: c["updated_at"] < t)):
            assert {c["id"] for c in s.all("/contacts?" + q)} == {i for i, c in contacts.items() if f(c)}
        events = s.truth("events")
        t = sorted(e["emitted_at"] for e in events.values())[300]
        for q, f in (("q[after]=%s" % t, lambda e: e["emitted_at"] > t),
                     ("q[before]=%s&q[types][]=tag&q[types][]=archive" % t,
                      lambda e: e["emitted_at"] < t and e["type"] in ("tag", "archive")),
                     ("q[after]=%s&q[types]=comment" % (t + 0.0004), None)):
            if f is None:
                expect(s.get("/events?" + "q[after]=%.4f" % (t + 0.0004)), 400)
                continue
            assert {e["id"] for e in s.all("/events?" + q)} == {i for i, e in events.items() if f(e)}, q
        with_inbox = s.all("/events?q[inboxes][]=" + inbox)
        assert 0 < len(with_inbox) < len(events)
    with Front("--inclusive-bounds", "--rate", 0) as s:
        t = max(c["updated_at"] for c in s.truth("contacts").values())
        assert len(s.all("/contacts?q[updated_after]=%s" % t)) == 1


def test_times_and_quirks():
    with Front("--conversations", 400, "--rate", 0) as s:
        raw = s.truth_bytes("messages").decode()
        times = [part.split(",", 1)[0] for part in raw.split('"created_at":')[1:]]
        places = [len(t.split(".")[1]) if "." in t else 0 for t in times]
        assert all(t.rstrip("0") == t for t in times if "." in t), "a trailing zero"
        assert all(places.count(n) for n in (0, 1, 2, 3)) and places.count(3) > len(places) / 3, places
        messages = [m for i, m in s.truth("messages").items() if i.startswith("msg")]
        comments = s.truth("comments")
        conversations = s.truth("conversations")
        assert all("is_draft" in m for m in messages) and any(m["is_draft"] for m in messages)
        assert any("text" not in m for m in messages)
        assert any(m["error_type"] == "id_usurpation" and m["is_inbound"] for m in messages)
        assert any(m["author"] is None and not m["is_inbound"] for m in messages)
        roles = {r["role"] for m in messages for r in m["recipients"]}
        assert roles == {"from", "to", "cc", "bcc", "reply-to"}
        assert any(r["_links"]["related"]["contact"] is None and r["role"] == "from" and m["is_inbound"]
                   for m in messages for r in m["recipients"])
        assert {None, ""} <= {r["name"] for m in messages for r in m["recipients"]}
        assert {m["type"] for m in messages} == {"email", "sms", "custom", "tweet_dm"}
        assert all(m["body"] == "[REDACTED]" for m in messages if m["type"] == "tweet_dm")
        assert any(m["attachments"] for m in messages) and any(m["signature"] for m in messages)
        assert any("/parent" in m["_links"]["related"].get("message_replied_to", "") for m in messages)
        assert {c["type"] for c in conversations.values()} == {"conversation", "discussion", "task"}
        assert {c["status"] for c in conversations.values()} == {"assigned", "unassigned", "archived", "deleted"}
        for c in conversations.values():
            assert (c["recipient"] is None) == (c["type"] != "conversation")
        assert any(c["subject"] == "" for c in conversations.values())
        assert any(c["scheduled_reminders"] for c in conversations.values())
        assert any(len(c["tags"]) > 1 for c in conversations.values()) and any(c["links"] for c in conversations.values())
        assert any(c["ticket_ids"] for c in conversations.values())
        assert any(c["custom_fields"] for c in conversations.values())
        assert any(c["created_at"] > min([m["created_at"] for m in messages
                                          if m["_links"]["related"]["conversation"].endswith(c["id"])] or [1e12])
                   for c in list(conversations.values())[:50])
        assert any(c["_links"]["related"]["comment_replied_to"] for c in comments.values())
        contacts = s.truth("contacts")
        assert {None, ""} <= {c["name"] for c in contacts.values()}
        assert any(len(c["handles"]) > 2 for c in contacts.values()) and any("account" in c for c in contacts.values())
        assert all("updated_at" in c and c["groups"] == c["lists"] for c in contacts.values())
        tags = s.truth("tags")
        assert any(t["_links"]["related"]["parent_tag"] for t in tags.values())
        assert any(t["_links"]["related"]["children"] for t in tags.values())
        assert "\U0001f69a" in {t["highlight"] for t in tags.values()} and None in {t["highlight"] for t in tags.values()}
        sources = {type(e["source"].get("data")) for e in s.truth("events").values()}
        assert sources == {dict, list}
        assert any("target" not in e for e in s.truth("events").values())
        whole = [s.get(p).json.get("_pagination", "absent") for p in
                 ("/inboxes", "/teammates", "/teams", "/channels", "/rules", "/contact_lists", "/company/statuses")]
        assert len({json.dumps(w) for w in whole}) > 2, whole
        assert s.get("/contacts/%s/notes" % next(iter(contacts))).status == 202
        for file in [a for m in messages + list(comments.values()) for a in m["attachments"]][:20]:
            got = s.get("/" + file["url"].split("/", 3)[3])
            assert len(got.body) == file["size"] and got.headers["Content-Type"] == file["content_type"]
        expect(s.get("/download/fil_1"), 404)
    with Front("--no-ticketing", "--updated-at", "absent") as s:
        doc = next(iter(s.truth("conversations").values()))
        assert "status_id" not in doc and "updated_at" not in doc and doc["ticket_ids"] == []
        expect(s.get("/company/statuses"), 404)


class Mirror:
    """A client that reads as it should: the feed of events, and the threads it names."""

    def __init__(self, sim):
        self.sim, self.held, self.said, self.seen = sim, {}, {}, set()
        for c in sim.all("/conversations?limit=100&" + EVERY):
            self.read(c["id"])
        self.mark = max([e["emitted_at"] for e in sim.all("/events")], default=0)

    def forget(self, conversation):
        self.held.pop(conversation, None)
        self.said.pop(conversation, None)

    def read(self, conversation):
        a = self.sim.get("/conversations/" + conversation)
        if a.status != 200:
            assert a.status in (301, 404), a.status
            self.forget(conversation)
            return
        self.held[conversation] = a.json
        self.said[conversation] = self.sim.thread(conversation)

    def follow(self):
        moved = set()
        for e in self.sim.all("/events?q[after]=%.3f" % (self.mark - 120)):
            self.mark = max(self.mark, e["emitted_at"])
            if e["id"] in self.seen:
                continue
            self.seen.add(e["id"])
            moved.add(e["conversation"]["id"])
            if e["type"] == "conversations_merged":
                moved.update(e["target"]["data"])
        for conversation in moved:
            self.read(conversation)

    def same(self):
        assert self.held == self.sim.truth("conversations")
        said = {key: doc for thread in self.said.values() for key, doc in thread.items()}
        assert said == self.sim.truth("messages")


def test_the_feed_tells_of_all_changes():
    with Front("--conversations", 80, "--rate", 0) as s:
        mirror = Mirror(s)
        mirror.same()
        kinds = {}
        for seed in range(6):
            s.advance(400)
            for kind, n in s.mutate(count=150, seed=seed, spread_s=60)["done"].items():
                kinds[kind] = kinds.get(kind, 0) + n
            mirror.follow()
            mirror.same()
        assert len(kinds) > 35, kinds
        assert s.breaches() == {}, s.stats()["last_breaches"]


def test_named_kinds_and_their_events():
    raised = {"inbound": "inbound", "reply": "out_reply", "new_conversation": "inbound", "new_outbound": "outbound",
              "comment": "comment", "mention": "mention", "forward": "forward", "late_message": "inbound",
              "import_message": "inbound", "sending_error": None, "assign": "assign", "unassign": "unassign",
              "archive": "archive", "reopen": "reopen", "trash": "trash", "restore": "restore", "snooze": "archive",
              "wake": "reminder", "tag": "tag", "untag": "untag", "link": "link_added", "unlink": "link_removed",
              "move": "move", "custom_field": "custom_field_updated", "ticket_status": "ticket_status_update",
              "merge": "conversations_merged", "send_draft": "out_reply"}
    silent = ["edit_comment", "delete_comment", "draft", "edit_draft", "discard_draft", "silent_field", "subject",
              "new_contact", "update_contact", "rename_tag", "update_teammate"]
    with Front("--conversations", 40, "--rate", 0) as s:
        s.mutate(count=150, seed=9)
        known = set(s.truth("events"))
        docs = s.truth("conversations")
        for kind in silent + ["draft"] * 4 + list(raised):
            s.advance(5)
            done = one(s, kind)
            assert done, kind
            before, docs = docs, s.truth("conversations")
            changed = {i for i in before.keys() | docs.keys() if before.get(i) != docs.get(i)}
            assert changed <= {c["id"] for c in done}, (kind, changed, done)
            assert bool(changed) == (kind not in silent or kind in ("silent_field", "subject")), (kind, changed)
            now = s.truth("events")
            fresh = {now[i]["type"] for i in now if i not in known}
            if kind in silent:
                assert not fresh, (kind, fresh)
            elif raised[kind]:
                assert raised[kind] in fresh, (kind, fresh)
            else:
                assert fresh & {"sending_error", "message_bounce_error"}, fresh
            known = set(now)
        begun = one(s, "unsent")[0]["id"]
        doc = s.get("/conversations/" + begun).json
        assert doc["status"] == "invisible" and doc["subject"] == "" and doc["_links"]["related"]["last_message"] is None
        assert begun not in {c["id"] for c in s.all("/conversations?" + EVERY)} and begun in s.truth("conversations")
        while s.get("/conversations/" + begun).json["status"] == "invisible":
            assert one(s, "send_draft")
        assert {e["type"] for e in s.all("/conversations/%s/events" % begun)} == {"assign", "outbound"}
        one(s, "trash")
        before = s.truth("conversations")
        gone = one(s, "delete_forever")[0]["id"]
        assert before[gone]["status"] == "deleted" and gone not in s.truth("conversations")
        expect(s.get("/conversations/" + gone), 404, "Unknown conversation ID " + gone)
        hidden = one(s, "make_private")[0]["id"]
        expect(s.get("/conversations/" + hidden), 404)
        assert hidden not in {c["id"] for c in s.all("/conversations?" + EVERY)}
        contact = one(s, "delete_contact")[0]["id"]
        expect(s.get("/contacts/" + contact), 404, "Unknown contact ID " + contact)
        merged, into = [c["id"] for c in one(s, "merge_contacts")]
        expect(s.get("/contacts/" + merged), 404)
        assert s.get("/contacts/" + into).json == s.truth("contacts")[into]
        tag = one(s, "delete_tag")[0]["id"]
        assert tag not in s.truth("tags")


def test_late_messages_are_emitted_in_the_past():
    with Front("--conversations", 40, "--rate", 0) as s:
        s.advance(1000)
        last = max(e["emitted_at"] for e in s.truth("events").values())
        known = set(s.truth("events"))
        one(s, "inbound")
        one(s, "import_message")
        fresh = [e for i, e in s.truth("events").items() if i not in known]
        late = [e for e in fresh if e["emitted_at"] < NOW + 1000 - 3600]
        assert len(late) == 1, fresh
        assert late[0]["emitted_at"] == late[0]["target"]["data"]["created_at"]
        assert max(e["emitted_at"] for e in fresh) > last
        assert late[0]["id"] in {e["id"] for e in s.all("/events")}


def test_the_order_moves_while_it_is_read():
    with Front("--conversations", 120, "--rate", 0) as s:
        first = s.get("/conversations?limit=20&" + EVERY).json
        rest = [i for i in s.truth("conversations") if i not in {c["id"] for c in first["_results"]}]
        victim = next(i for i in rest if s.truth("conversations")[i]["type"] == "conversation"
                      and s.truth("conversations")[i]["status"] != "deleted")
        assert one(s, "inbound", conversation=victim)[0]["id"] == victim
        got = {c["id"] for c in s.all("/" + first["_pagination"]["next"].split("/", 3)[3])}
        assert victim not in got
        assert s.get("/conversations?limit=1").json["_results"][0]["id"] == victim
        order = [c["id"] for c in s.all("/conversations?limit=100&" + EVERY)]
        for kind in ("tag", "comment", "assign", "custom_field", "ticket_status"):
            moved = one(s, kind, conversation=order[40])
            assert not moved or [c["id"] for c in s.all("/conversations?limit=100&" + EVERY)] == order, kind


def test_merged_conversations():
    for options in ((), ("--no-location",)):
        with Front("--conversations", 60, *options) as s:
            gone, into = [c["id"] for c in one(s, "merge")]
            for rest in ("", "/messages", "/comments", "/events", "/inboxes"):
                a = s.get("/conversations/%s%s" % (gone, rest))
                assert a.status == 301 and not a.body
                where = a.headers.get("Location")
                assert where == (None if options else HOST + "/conversations/%s%s" % (into, rest))
            event = next(e for e in s.truth("events").values() if e["type"] == "conversations_merged")
            assert event["target"] == {"_meta": {"type": "deleted_conversation_ids"}, "data": [gone]}
            assert event["conversation"]["id"] == into
            assert gone not in s.truth("conversations")
            assert all(gone not in m["_links"]["related"]["conversation"] for m in s.truth("messages").values())


def test_pages():
    with Front("--conversations", 150, "--short-pages", 400, "--rate", 0) as s:
        pages = list(s.pages("/conversations?limit=10&" + EVERY))
        sizes = [len(p["_results"]) for p in pages]
        assert 0 in sizes and any(0 < n < 10 for n in sizes[:-1]) and 10 in sizes, sizes
        assert sum(sizes) == len(s.truth("conversations"))
        sizes = [len(p["_results"]) for p in s.pages("/events")]
        assert 0 in sizes and sum(sizes) == len(s.truth("events"))
    with Front("--conversations", 200, "--rate", 0) as s:
        sizes = [len(p["_results"]) for p in s.pages("/conversations?limit=4&" + EVERY)]
        assert any(n < 4 for n in sizes[:-1]), "what may not be seen leaves holes"
        assert all(len(p["_results"]) == 15 for p in list(s.pages("/events"))[:-1])
        a = s.get("/conversations?limit=5&" + EVERY).json
        following = a["_pagination"]["next"]
        assert following.startswith(HOST + "/conversations?limit=5&" + EVERY + "&page_token=")
        token = following.rsplit("=", 1)[1]
        assert len(token) == 64 and int(token, 16)
        s.reset()
        expect(s.get("/conversations?limit=6&%s&page_token=%s" % (EVERY, token)), 400)
        expect(s.get("/events?page_token=" + "0" * 64), 400)
        expect(s.get("/events?limit=16"), 400)
        expect(s.get("/conversations?limit=101"), 400)
        expect(s.get("/conversations?limit=x"), 400)
        s.get("/conversations?q[updated_after]=1")
        expect(s.get("/conversations?sort_by=updated_at"), 400)
        expect(s.get("/conversations?q[statuses]=deleted"), 400)
        expect(s.get("/events?q[types][]=sneezed"), 400)
        breaches = s.breaches()
        assert breaches == {"cursor_other_query": 1, "cursor_not_issued": 1, "per_page": 3, "unknown_parameter": 1,
                            "unknown_field": 1, "bad_value": 2}, breaches


def test_next_hosts():
    with Front("--next-host", "same", "--conversations", 80, "--rate", 0) as s:
        a = s.get("/conversations?limit=5").json
        assert a["_pagination"]["next"].startswith("http://127.0.0.1:%d/conversations?limit=5&page_token=" % s.port)
    with Front("--next-host", "foreign", "--conversations", 80, "--rate", 0) as s:
        following = urllib.parse.urlsplit(s.get("/conversations?limit=5").json["_pagination"]["next"])
        foreign = s.stats()["foreign"]
        assert following.netloc == "127.0.0.1:%d" % foreign["port"] and foreign["port"] != s.port
        port, s.port = s.port, foreign["port"]
        s.connection.close()
        s.connection = None
        a = s.get(following.path + "?" + following.query, drop=("Authorization",))
        assert a.json["_results"] == [] and a.json["_pagination"]["next"] is None
        s.get("/conversations")
        s.connection.close()
        s.connection, s.port = None, port
        assert s.stats()["foreign"] == {"port": foreign["port"], "calls": 2, "with_token": 1}
        assert s.breaches() == {"token_to_foreign_host": 1}
    with Front("--conversations", 80, "--rate", 0) as s:
        s.fault({"kind": "foreign_next_host", "route": "/conversations", "exact": True, "count": 1})
        assert ":%d/" % s.stats()["foreign"]["port"] in s.get("/conversations?limit=5").json["_pagination"]["next"]


def test_refused_writes():
    with Front("--rate", 0, "--read-only") as s:
        expect(s.request("PATCH", "/conversations/" + next(iter(s.truth("conversations"))), {"status": "open"}), 403)
        assert s.breaches() == {"write_refused": 1}, s.breaches()


def test_refusals():
    with Front("--rate", 0) as s:
        expect(s.get("/me", drop=("Authorization",)), 401, "JSON Web Token error")
        expect(s.get("/me", headers={"Authorization": "Bearer wrong"}), 401, "Invalid token")
        expect(s.get("/conversations/cn_123"), 404, "Unknown conversation ID cn_123")
        expect(s.get("/tags/tag_1"), 404, "Unknown tag ID tag_1")
        expect(s.get("/nothing"), 404)
        assert s.breaches() == {"no_token": 2, "unknown_path": 1}, s.breaches()
        assert s.get("/me").json["id"].startswith("cmp_")
        contact = next(c for c in s.truth("contacts").values() if c["handles"])
        h = contact["handles"][0]
        alias = urllib.parse.quote("alt:%s:%s" % (h["source"], h["handle"]), safe="")
        assert s.get("/contacts/" + alias).json == contact
        old = contact["id"].replace("crd_", "ctc_")
        assert s.get("/contacts/" + old).json == contact
        private = s.get("/inboxes").json["_results"]
        assert all(not i["is_private"] for i in private) and len(private) < 7


def test_limits():
    with Front("--rate", 50, "--conversations", 80) as s:
        left = []
        for i in range(50):
            a = s.get("/conversations?limit=1" if i % 2 else "/teams")
            assert a.status == 200
            left.append(int(a.headers["x-ratelimit-remaining"]))
        assert left == list(range(49, -1, -1)), left
        assert a.headers["x-ratelimit-limit"] == "50" and a.headers["x-ratelimit-burst-limit"] == "25"
        assert 0 < int(a.headers["x-ratelimit-reset"]) - NOW <= 60
        assert s.breaches() == {}
        time.sleep(0.15)
        for i in range(25):
            a = s.get("/teams")
            assert a.status == 200 and a.headers["x-ratelimit-remaining"] == "0"
            assert a.headers["x-ratelimit-burst-remaining"] == str(24 - i)
        a = s.get("/teams")
        expect(a, 429)
        assert a.json["_error"]["message"].startswith("Rate limit exceeded. Please retry in ")
        assert 0 < int(a.headers["Retry-After"]) <= 60 and "x-front-tier" not in a.headers
        stats = s.stats()
        assert stats["burst_used"] == 25 and stats["rate_limited"] == 1
        assert stats["breaches"]["call_while_exhausted"] == 26, s.breaches()
        s.advance(60)
        s.restarted()
        assert s.get("/teams").status == 200


def test_others_use_up_the_limit():
    with Front("--rate", 100, "--others", 100000) as s:
        time.sleep(0.1)
        s.get("/teams")
        a = s.get("/teams")
        assert a.headers["x-ratelimit-remaining"] == "0" and int(a.headers["x-ratelimit-burst-remaining"]) < 50


def test_events_are_kept_for_a_while():
    with Front("--event-days", 30, "--days", 300, "--conversations", 100, "--rate", 0) as s:
        events = s.all("/events")
        assert 0 < len(events) and min(e["emitted_at"] for e in events) >= NOW - 30 * 86400
        assert {e["id"] for e in events} == set(s.truth("events"))


def test_changes_of_contacts_can_be_followed():
    with Front("--conversations", 40, "--contacts", 300, "--rate", 0) as s:
        held = {c["id"]: c for c in s.all("/contacts?limit=100")}
        mark = max(c["updated_at"] for c in held.values())
        for seed in range(4):
            s.mutate(count=60, seed=seed, kinds=["new_contact", "update_contact", "adopt_stranger", "add_handle",
                                                 "remove_handle"])
            got = s.all("/contacts?limit=100&sort_by=updated_at&sort_order=asc&q[updated_after]=%.3f" % (mark - 5))
            assert 20 < len(got) < 300
            held.update({c["id"]: c for c in got})
            mark = max(mark, got[-1]["updated_at"])
            assert held == s.truth("contacts")
            s.advance(30)
        handles = [(h["source"], h["handle"]) for c in held.values() for h in c["handles"]]
        assert len(handles) == len(set(handles))
        merged, into = [c["id"] for c in one(s, "merge_contacts")]
        both = s.get("/contacts/" + into).json["handles"]
        assert all(h in both for h in held[merged]["handles"] + held[into]["handles"])


def test_guards():
    with Front("--rate", 60000, "--conversations", 80, "--grace-ms", 60000) as s:
        i, other = list(s.truth("conversations"))[:2]
        answers = (s.get("/conversations/%s" % i) for _ in range(500))
        a = next(a for a in answers if a.status == 429)
        assert a.headers["x-front-tier"] == "2" and int(a.headers["x-ratelimit-remaining"]) > 0
        assert a.headers["Retry-After"] == "1"
        assert a.json["_error"]["message"].startswith("Rate limit exceeded for tier-2 route. Please retry in ")
        assert s.get("/conversations/%s/messages" % other).status == 200  # nobody else has to wait
        assert s.breaches() == {}
    with Front("--rate", 600000, "--conversations", 80) as s:
        started = time.monotonic()
        while not s.breaches() and time.monotonic() < started + 20:
            s.get("/conversations/%s" % i)  # one who goes on asking though he was told to wait
        assert set(s.breaches()) == {"call_before_retry_after"}, s.breaches()
    with Front("--rate", 100, "--conversations", 80, "--grace-ms", 60000) as s:
        answers = [s.get("/conversations/search/is%3Aopen") for _ in range(41)]
        assert [a.status for a in answers] == [200] * 40 + [429]
        assert answers[-1].headers["x-front-tier"] == "3"
        assert int(answers[-1].headers["x-ratelimit-remaining"]) > 0


def test_garbage():
    """Whatever comes, the simulator refuses it and lives on."""
    with Front("--conversations", 60, "--rate", 0) as s:
        rng = random.Random(5)
        ids = [list(s.truth(r))[0] for r in ("conversations", "messages", "contacts", "tags", "events", "accounts")]
        words = ids + ["cnv_", "cnv_0", "cnv_zzzzzzzzzzzz", "crd_" + "z" * 11, "alt:email:", "alt:domain:account0",
                       "alt:ext_id:ext-99999999999", "%00", "a" * 300, "..", "%F0%9F%9A%9A", "{}", "search/%2F%2F"]
        heads = ["conversations", "messages", "contacts", "tags", "events", "accounts", "conversations/search",
                 "teammates", "download", "company/statuses", "inboxes", "links", "rules", "channels", "comments"]
        tails = ["", "/messages", "/comments", "/events", "/conversations", "/children", "/contacts"]
        queries = ["", "?limit=-1", "?limit=99999999999999999999", "?page_token=", "?page_token=" + "f" * 64,
                   "?page_token=zz&limit=3", "?q[after]=x&q[before]=1e9", "?q[types][]=&q[types][]=tag", "?&&&=&",
                   "?q[statuses]=assigned&q[statuses][]=trashed", "?sort_by=&sort_order=up", "?limit=1&limit=2"]
        for _ in range(600):
            path = "/%s/%s%s%s" % (rng.choice(heads), rng.choice(words), rng.choice(tails), rng.choice(queries))
            a = s.get(path)
            assert a.status in (200, 202, 400, 404), (path, a.status)
            if a.headers["Content-Type"].startswith("application/json"):
                assert isinstance(a.json, dict)
        for query in ('"', '""', '"unclosed is:open', "from:", ":", "custom_field:=", 'custom_field:"Plan="', "::::",
                      "\u00e9 " * 14, "x" * 4000):
            a = s.get("/conversations/search/" + urllib.parse.quote(query, safe=""))
            assert a.status in (200, 400), (query, a.status)
        assert s.get("/me").status == 200


def test_small_and_large_worlds():
    with Front("--contacts", 1, "--companies", 0, "--conversations", 0, "--admins", 1, "--teams", 1, "--tags", 1,
               "--inboxes", 1, "--links", 0, "--segments", 1, "--rate", 0) as s:
        assert s.all("/conversations") == [] and s.all("/events") == []
        s.mutate(count=300, seed=1)
        Mirror(s).same()
    with Front("--conversations", 20000, "--contacts", 10000, "--rate", 0) as s:
        assert len(s.all("/contacts?limit=100")) == len(s.truth("contacts")) > 9000
        assert len(s.all("/conversations?limit=100&" + EVERY)) > 18000
        assert SANITIZED or s.resident_kb() < 120000, s.resident_kb()


def test_search():
    with Front("--conversations", 200, "--rate", 0) as s:
        s.mutate(count=200, seed=6)
        docs, messages = s.truth("conversations"), s.truth("messages")
        threads = {i: [] for i in docs}
        for key, m in messages.items():
            threads[m["_links"]["related"]["conversation"].rsplit("/", 1)[1]].append(m)

        def found(query):
            pages = list(s.pages("/conversations/search/%s?limit=20" % urllib.parse.quote(query, safe="")))
            got = [c for p in pages for c in p["_results"]]
            assert all(p["_total"] == len(got) for p in pages), query
            assert all(docs[c["id"]] == c for c in got)
            return {c["id"] for c in got}

        def want(f):
            return {i for i, c in docs.items() if c["status"] != "deleted" and f(c, threads[i])}

        def at(m):
            return m.get("created_at", m.get("posted_at"))

        t = sorted(at(m) for m in messages.values())[len(messages) // 2]
        mate = next(c["assignee"]["id"] for c in docs.values() if c["assignee"])
        tag = next(g["id"] for c in docs.values() for g in c["tags"])
        person = next(c["recipient"] for c in docs.values() if c["recipient"])["handle"]
        field = next((k, v) for c in docs.values() for k, v in c["custom_fields"].items() if isinstance(v, str))
        for query, f in (
                ("is:open", lambda c, th: c["status"] in ("assigned", "unassigned")),
                ("is:archived", lambda c, th: c["status"] == "archived"),
                ("is:snoozed", lambda c, th: c["scheduled_reminders"]),
                ("is:waiting", lambda c, th: c["status_category"] == "waiting"),
                ("after:%.3f" % t, lambda c, th: any(at(m) >= t for m in th)),
                ("after:%.3f before:%.3f" % (t, t + 86400), lambda c, th: any(t <= at(m) <= t + 86400 for m in th)),
                ("assignee:" + mate, lambda c, th: c["assignee"] and c["assignee"]["id"] == mate),
                ("tag:%s is:archived" % tag, lambda c, th: c["status"] == "archived" and
                 tag in [g["id"] for g in c["tags"]]),
                ("recipient:" + person, lambda c, th: any(
                    r["handle"] == person for m in th for r in m.get("recipients", []))),
                ("from:%s from:nobody@x.example" % person, lambda c, th: any(
                    r["handle"] == person and r["role"] == "from" for m in th for r in m.get("recipients", []))),
                ("commenter:" + mate, lambda c, th: any(
                    "posted_at" in m and m["author"]["id"] == mate for m in th)),
                ('custom_field:"%s=%s"' % field, lambda c, th: c["custom_fields"].get(field[0]) == field[1])):
            got = found(query)
            assert got == want(f) and got, (query, len(got), len(want(f)))
        assert found("is:trashed") == {i for i, c in docs.items() if c["status"] == "deleted"}
        words = next(m["text"] for m in messages.values() if m.get("text") and m["type"] == "email" and
                     not m["is_draft"])
        phrase = words.split("\n")[0][:40].replace('"', "")
        assert found('"%s"' % phrase)
        assert found("harpsichord-that-nobody-plays") == set()
        s.reset()
        for query in ("%20", "is%3Asleeping", "after%3Anoon", "colour%3Ared", "tag%3Ax", "is%3Aopen%20" * 16):
            expect(s.get("/conversations/search/" + query), 400)
        assert s.breaches() == {"bad_query": 1, "bad_value": 3, "unknown_field": 1, "too_many_filters": 1}, s.breaches()
    with Front("--search-lag", 60, "--rate", 0) as s:
        new = one(s, "new_conversation")[0]["id"]
        assert new not in {c["id"] for c in s.all("/conversations/search/is%3Aopen")}
        s.advance(61)
        assert new in {c["id"] for c in s.all("/conversations/search/is%3Aopen")}


def test_faults():
    with Front("--conversations", 80, "--rate", 0) as s:
        def answers(path, **fault):
            s.fault({"count": 1, **fault})
            return s.get(path)

        a = answers("/events", kind="status", status=503)
        expect(a, 503)
        assert answers("/teams", kind="rate429", retry_after=7).headers["Retry-After"] == "7"
        s.restarted()
        expect(answers("/teams", kind="unauthorized"), 401)
        assert answers("/teams", kind="html200").body.startswith(b"<!DOCTYPE")
        a = answers("/teams", kind="error_list_200")
        assert a.status == 200 and "_error" in a.json
        assert answers("/events", kind="empty_list").json["_results"] == []
        a = s.get("/conversations?limit=5").json["_pagination"]["next"]
        s.fault({"kind": "repeat_cursor", "count": 1})
        a = "/" + a.split("/", 3)[3]
        assert s.get(a).json["_pagination"]["next"] == HOST + a
        s.fault({"kind": "endless_next", "route": "/teammates"}, {"kind": "endless_next", "route": "/accounts"})
        tokens, path = set(), "/accounts?limit=100"
        for _ in range(6):
            following = s.get(path).json["_pagination"]["next"]
            assert following not in tokens
            tokens.add(following)
            path = "/" + following.split("/", 3)[3]
        s.no_faults()


if __name__ == "__main__":
    run([test for name, test in sorted(globals().items()) if name.startswith("test_")])
