#!/usr/bin/env python3
"""Do the answers of the simulated Front fit Front's published description?

front_openapi.py [path of apisim]. Looks for FIC_OPENAPI_FRONT, else ../shared/api/front-core-api.json beside the project,
and skips without it. Checked are the answers of every path that the simulator serves: the schema (also that no member
is unknown to it), and that every member of the schema is in one of the answers.

Real answers are known to differ from the description; what is let through is listed in TOLERATED, each with its reason.
An entry that no answer needs any more is an error, too.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from schema import Judge  # noqa: E402
from simlib import Sim  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DESCRIPTION = os.environ.get("FIC_OPENAPI_FRONT") or os.path.join(ROOT, "..", "shared", "api", "front-core-api.json")

TOLERATED = [
    ("type", r"\.license_type$", "required by the schema, which does not say what it is; in no example"),
    ("type", r"_links\.related\.last_message$", "null in recordings of conversations without a message"),
    ("type", r"(^GET /messages/\S* |target\.data\.|_results\[\]\.)(author|signature|error_type|subject|version)$",
     "null in recordings: nobody of the company, none, no error, no subject, no draft"),
    ("type", r"(source|target)\.data$", "a list of inboxes has its members' older names; a list of ids is in no schema"),
    ("type", r"^GET /(contacts|contact_lists|contact_groups|accounts)\S* (_results\[\]\.)?"
     r"(_links\.related\.owner|avatar_url|name)$", "null in recordings of contacts; the owner in the example, too"),
    ("unknown", r"^GET /contacts/\{contact_id\}/notes _results\[\]\.is_private$",
     "required by the schema, which does not say what it is"),
    ("unknown", r"\.?is_draft$", "in every recording of a message, never in the schema"),
    ("unknown", r"^GET /(contacts|contact_lists|contact_groups|accounts)\S* (_results\[\]\.)?(updated_at|account)$",
     "in recordings of contacts, not in the schema"),
    ("unknown", r" ((_results|inboxes)\[\]\.)?(address|send_as|type)$", "in recordings of inboxes, not in the schema"),
    ("unknown", r" _pagination(\.prev)?$", "in recordings of lists that have no pages, and in the guide to pages"),
    ("unknown", r"(source|target)\.data\._links\.related(\.owner)?$", "one of several schemas was taken for all of them"),
    ("example", r"(source|target)\.data\.", "one of several schemas was taken for all of them"),
    ("example", r"(^|\.| )(description|due_at)$", "only tasks have it, and not all lists have one"),
    ("example", r"\.(waiting_since|metadata\.external_conversation_ids)$", "only some have it, and not all lists have one"),
    ("example", r"metadata\.(intercom_url|duration|have_been_answered|chat_visitor_url)$",
     "of types of messages that are not here"),
    ("example", r"^GET /(messages/\{message_id\}|conversations/\{conversation_id\}/drafts) .*metadata\.",
     "too few of them to have all types"),
    ("example", r"botSource$", "only bots have it, and not all lists have one"),
]

EVERY = "q[statuses][]=assigned&q[statuses][]=unassigned&q[statuses][]=archived&q[statuses][]=trashed"
# Paths with one id: (path in the description, the resource of the truth, how many to try, what follows the id).
SINGLE = [
    ("/conversations/{conversation_id}", "conversations", 150, ""),
    ("/conversations/{conversation_id}/messages", "conversations", 40, ""),
    ("/conversations/{conversation_id}/comments", "conversations", 40, ""),
    ("/conversations/{conversation_id}/events", "conversations", 20, "?limit=100"),
    ("/conversations/{conversation_id}/inboxes", "conversations", 10, ""),
    ("/conversations/{conversation_id}/followers", "conversations", 10, ""),
    ("/conversations/{conversation_id}/drafts", "conversations", 150, ""),
    ("/messages/{message_id}", "msg", 40, ""),
    ("/messages/{message_id}/seen", "msg", 60, ""),
    ("/comments/{comment_id}", "comments", 20, ""),
    ("/comments/{comment_id}/mentions", "comments", 40, ""),
    ("/events/{event_id}", "events", 40, ""),
    ("/contacts/{contact_id}", "contacts", 60, ""),
    ("/contacts/{contact_id}/conversations", "contacts", 5, ""),
    ("/contacts/{contact_id}/notes", "contacts", 12, ""),
    ("/contact_lists/{contact_list_id}/contacts", "contact_lists", 3, ""),
    ("/contact_groups/{contact_group_id}/contacts", "contact_lists", 3, ""),
    ("/accounts/{account_id}", "accounts", 5, ""),
    ("/accounts/{account_id}/contacts", "accounts", 5, ""),
    ("/tags/{tag_id}", "tags", 18, ""),
    ("/tags/{tag_id}/children", "tags", 9, ""),
    ("/tags/{tag_id}/conversations", "tags", 3, ""),
    ("/inboxes/{inbox_id}", "inboxes", 6, ""),
    ("/inboxes/{inbox_id}/channels", "inboxes", 6, ""),
    ("/inboxes/{inbox_id}/conversations", "inboxes", 2, ""),
    ("/inboxes/{inbox_id}/teammates", "inboxes", 2, ""),
    ("/channels/{channel_id}", "channels", 6, ""),
    ("/teammates/{teammate_id}", "teammates", 12, ""),
    ("/teammates/{teammate_id}/conversations", "teammates", 2, ""),
    ("/teammates/{teammate_id}/inboxes", "teammates", 2, ""),
    ("/teams/{team_id}", "teams", 4, ""),
    ("/teams/{team_id}/inboxes", "teams", 2, ""),
    ("/links/{link_id}", "links", 5, ""),
    ("/links/{link_id}/conversations", "links", 3, ""),
    ("/company/statuses/{status_id}", "statuses", 4, ""),
    ("/rules/{rule_id}", "rules", 4, ""),
]
LISTS = [
    ("/me", ""), ("/conversations", "?limit=100&" + EVERY), ("/conversations", "?limit=3"), ("/events", ""),
    ("/conversations/custom_fields", ""), ("/contacts", "?limit=100"), ("/contacts/custom_fields", ""),
    ("/contact_lists", ""), ("/contact_groups", ""), ("/accounts", ""), ("/accounts/custom_fields", ""), ("/tags", ""),
    ("/company/tags", ""), ("/inboxes", ""), ("/inboxes/custom_fields", ""), ("/channels", ""), ("/teammates", ""),
    ("/teammates/custom_fields", ""), ("/teams", ""), ("/links", ""), ("/links/custom_fields", ""),
    ("/company/statuses", ""), ("/rules", ""), ("/company/rules", ""), ("/custom_fields", ""),
]


def calls(s):
    """(path in the description, path to call)"""
    for path, query in LISTS:
        yield path, path + query
    for query in ("is%3Aopen", "is%3Atrashed", "order"):
        yield "/conversations/search/{query}", "/conversations/search/%s?limit=10" % query
    for path, name, count, query in SINGLE:
        ids = list(s.truth("messages" if name == "msg" else name))
        if name == "msg":
            ids = [i for i in ids if i.startswith("msg_")]
        head, tail = path.split("{")[0], path.split("}")[1]
        for i in ids[-count:] if name == "events" else ids[:count]:
            yield path, head + i + tail + query


def schema_of(judge, path, status):
    answer = judge.resolve(judge.description["paths"][path]["get"]["responses"][str(status)])
    return answer["content"]["application/json"]["schema"]


def check_writes(judge, s):
    """Every member of the described bodies that a token may write is taken, and the answer is the described one."""
    talk = next(i for i, d in s.truth("conversations").items() if d["type"] == "conversation")
    contact, tag = next(iter(s.truth("contacts"))), s.get("/tags").json["_results"][0]["id"]
    mate, inbox = s.get("/teammates").json["_results"][0]["id"], s.get("/inboxes").json["_results"][0]["id"]
    done = 0
    for method, path, call, body in (
            ("PATCH", "/conversations/{conversation_id}", "/conversations/" + talk,
             {"assignee_id": mate, "inbox_id": inbox, "status": "open", "tag_ids": [tag], "custom_fields": {"VIP": True}}),
            ("PUT", "/conversations/{conversation_id}/assignee", "/conversations/%s/assignee" % talk, {"assignee_id": mate}),
            ("POST", "/conversations/{conversation_id}/tags", "/conversations/%s/tags" % talk, {"tag_ids": [tag]}),
            ("DELETE", "/conversations/{conversation_id}/tags", "/conversations/%s/tags" % talk, {"tag_ids": [tag]}),
            ("PATCH", "/contacts/{contact_id}", "/contacts/" + contact,
             {"name": "A", "description": "B", "links": [], "custom_fields": {}})):
        operation = judge.description["paths"][path][method.lower()]
        schema = judge.resolve(judge.resolve(operation["requestBody"])["content"]["application/json"]["schema"])
        assert set(body) <= set(schema["properties"]), (path, set(body) - set(schema["properties"]))
        answer = s.request(method, call, body)
        assert answer.status == 204 and "204" in operation["responses"] and not answer.body, (call, answer.status, answer.body)
        done += 1
    return done


def main():
    if not os.path.exists(DESCRIPTION):
        print("skipped: the description of the API is not here")
        return 77
    with open(DESCRIPTION) as f:
        judge = Judge(json.load(f), TOLERATED)
    count, answers = 0, {}
    with Sim("--provider", "front", "--conversations", 150, "--contacts", 150, "--rate", 0) as s:
        s.mutate(count=300, seed=8)
        for path, call in calls(s):
            answer = s.get(call)
            assert answer.status == (202 if path.endswith("/notes") else 200), (call, answer.status)
            schema = schema_of(judge, path, answer.status)
            judge.check(schema, answer.json, "GET %s " % path)
            answers.setdefault(path, (schema, []))[1].append(answer.json)
            count += 1
        for path, (schema, values) in answers.items():
            judge.compare(judge.example_of(schema), values, "GET %s " % path)
        merged = s.mutate(count=1, kinds=["merge"])["changes"][0]["id"]
        assert s.get("/conversations/" + merged).status == 301
        assert "301" in judge.description["paths"]["/conversations/{conversation_id}"]["get"]["responses"]
        count += check_writes(judge, s)
        assert s.breaches() == {}, s.stats()["last_breaches"]
    return judge.finish(count)


if __name__ == "__main__":
    sys.exit(main())
