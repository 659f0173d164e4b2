#!/usr/bin/env python3
"""Do the simulator's answers fit the published description of the API?

openapi.py [path of apisim]. Looks for FIC_OPENAPI, else ../shared/api/intercom-2.16.yaml beside
the project and skips without it, or without PyYAML. Checked are the answers
of every path the simulator serves: the schema (also that no member is unknown
to it), and that every member of the description's own examples is there.

The description contradicts itself in places; what is let through is listed
in TOLERATED, each with its reason. An entry that no answer needs any more is
an error, too.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from schema import Judge  # noqa: E402
from simlib import Sim  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DESCRIPTION = os.environ.get("FIC_OPENAPI") or os.path.join(ROOT, "..", "shared", "api", "intercom-2.16.yaml")

# (kind, pattern of the place, reason). Kinds: unknown (member not in the
# schema), type (wrong type or null), example (a member of the example that
# is missing here). Places look like "GET /contacts data[].location.region".
TOLERATED = [
    ("unknown", r" (.*\.)?(data\[\]\.)?(opted_(in|out)_subscription_types)$",
     "in all seven examples of contacts, not in the schema"),
    ("unknown", r"^(GET|POST|PUT) /contacts\S* (data\[\]\.)?(utm_\w+|referrer|enabled_push_messaging)$",
     "in all examples of contacts, not in the schema of lists"),
    ("unknown", r"location\.(country_code|continent_code)$",
     "in all examples of contacts, not in the schema"),
    ("unknown", r"^(GET|POST|PUT) /contacts\S* (data\[\]\.)?(tags|notes|companies|social_profiles)\.type$",
     "in all examples, missing in the schemas of addressable lists"),
    ("unknown", r"/conversations\S* (conversations\[\]\.)?(topics|ticket)$",
     "in all 15 examples of conversations, not in the schema"),
    ("unknown", r"pages\.next\.page$",
     "real answers and the pagination guide have it, the schema has per_page instead"),
    ("unknown", r"^GET /contacts/\{contact_id\}/companies data",
     "the example has data, the schema companies"),
    ("unknown", r"^GET /me app\.secure$", "in the example, not in the schema"),
    ("unknown", r"ticket_type(s\.data\[\])?\.is_internal$|^GET /ticket_types data\[\]\.is_internal$",
     "in all examples of tickets and their types, not in the schema"),
    ("unknown", r"ticket_type_attributes\.data$",
     "the examples have data, the schema ticket_type_attributes"),
    ("example", r"^GET /ticket_types data\[\]\.ticket_states$",
     "in one of three examples, which has no other type of its kind"),
    ("example", r"ticket_parts\[\]\.app_package_code$", "in one of two examples, the other has none"),
    ("example", r"^PUT .*custom_attributes\.(order|issue_type|priority)$", "the example's own attributes"),
    ("type", r"_default_description_$", "null in the example of a search"),
    ("type", r"statistics\.\w+$",
     "what has not happened yet is null; the object model says numbers may be null"),
    ("type", r"^(GET|POST|PUT) /contacts\S* (data\[\]\.)?email$",
     "leads without an address; the object model says strings may be null"),
    ("type", r"author\.email$", "as above"),
    ("type", r"conversation_rating\.remark$", "a rating without words; strings may be null"),
    ("type", r"attachments\[\]\.(width|height)$", "only pictures have a size"),
    ("type", r"custom_attributes\.", "the schema says strings, its own example has others"),
    ("type", r"^(POST|GET) /companies\S* pages\.next$",
     "a URL in live answers and in the example of deleted conversations, an object in the schema"),
]

def calls(s):
    """(method, path in the description, path to call, body)"""
    def some(name, count=3):
        return list(s.truth(name))[:count]

    everything = {"query": {"field": "updated_at", "operator": ">", "value": 0},
                  "pagination": {"per_page": 150}}
    yield "GET", "/me", "/me", None
    for name, key in (("admins", "{admin_id}"), ("teams", "{team_id}"), ("tags", "{tag_id}"),
                      ("segments", "{segment_id}")):
        yield "GET", "/" + name, "/" + name, None
        for i in some(name):
            yield "GET", "/%s/%s" % (name, key), "/%s/%s" % (name, i), None
    yield "GET", "/segments", "/segments?include_count=true", None
    yield "GET", "/admins", "/admins?display_avatar=true", None
    yield "GET", "/contacts", "/contacts?per_page=150", None
    yield "GET", "/contacts", "/contacts?include_merge_history=true", None
    yield "POST", "/contacts/search", "/contacts/search", everything
    for i in some("contacts", 60):
        yield "GET", "/contacts/{contact_id}", "/contacts/" + i, None
        for nested in ("tags", "companies", "notes", "segments"):
            yield ("GET", "/contacts/{contact_id}/" + nested, "/contacts/%s/%s" % (i, nested), None)
    yield "POST", "/companies/list", "/companies/list?per_page=60", None
    yield "POST", "/companies/list", "/companies/list?per_page=5", None
    for i in some("companies"):
        yield "GET", "/companies/{company_id}", "/companies/" + i, None
        own = s.truth("companies")[i]["company_id"]
        yield "GET", "/companies", "/companies?company_id=" + own, None
    yield "GET", "/companies/scroll", "/companies/scroll", None
    yield "GET", "/conversations", "/conversations?per_page=150", None
    yield "POST", "/conversations/search", "/conversations/search", everything
    yield ("POST", "/conversations/search",
           "/conversations/search?include_monitors=true&include_scorecards=true", everything)
    yield "GET", "/conversations/deleted", "/conversations/deleted?per_page=1", None
    for i in some("conversations", 150):
        yield "GET", "/conversations/{conversation_id}", "/conversations/" + i, None
    for model in ("", "?model=contact", "?model=company&include_archived=true"):
        yield "GET", "/data_attributes", "/data_attributes" + model, None
    yield "GET", "/conversations/attributes", "/conversations/attributes", None
    yield "POST", "/tickets/search", "/tickets/search", everything
    for i in some("tickets", 20):
        yield "GET", "/tickets/{ticket_id}", "/tickets/" + i, None
    yield "GET", "/ticket_types", "/ticket_types", None
    yield "GET", "/ticket_states", "/ticket_states", None
    yield "GET", "/articles", "/articles", None
    yield "GET", "/help_center/collections", "/help_center/collections", None
    yield from written(s)


def written(s):
    """Writes; what they answer."""
    admin, tag = s.get("/me").json["id"], s.get("/tags").json["data"][0]["id"]
    for i in list(s.truth("contacts"))[:30]:
        yield "PUT", "/contacts/{contact_id}", "/contacts/" + i, {"name": "Mia", "custom_attributes": {"beta": True}}
    yield "POST", "/contacts/{contact_id}/tags", "/contacts/%s/tags" % i, {"id": tag}
    yield "DELETE", "/contacts/{contact_id}/tags/{tag_id}", "/contacts/%s/tags/%s" % (i, tag), None
    for i in list(s.truth("conversations"))[:60]:
        path = "/conversations/" + i
        yield "PUT", "/conversations/{conversation_id}", path, {"read": True, "title": "A", "custom_attributes": {"Issue type": "B"}}
        for body in ({"message_type": "close", "type": "admin"}, {"message_type": "snoozed", "snoozed_until": s.now() + 100},
                     {"message_type": "open"}, {"message_type": "assignment", "type": "admin", "assignee_id": admin}):
            yield "POST", "/conversations/{conversation_id}/parts", path + "/parts", {"admin_id": admin, **body}
        yield ("POST", "/conversations/{conversation_id}/reply", path + "/reply",
               {"message_type": "note", "type": "admin", "admin_id": admin, "body": "<p>A</p>"})
    yield "POST", "/conversations/{conversation_id}/tags", path + "/tags", {"id": tag, "admin_id": admin}
    yield "DELETE", "/conversations/{conversation_id}/tags/{tag_id}", path + "/tags/" + tag, {"admin_id": admin}


def errors(s):
    """Calls that are refused, as far as the description knows the refusal."""
    merged = s.mutate(count=1, kinds=["merge_contact"])["changes"][0]["id"]
    bad = {"query": {"field": "created_at", "operator": "=", "value": 1},
           "sort": {"field": "created_at", "order": "desc"}}
    yield "GET", "/contacts/{contact_id}", "/contacts/" + merged, None, 410
    yield "POST", "/contacts/search", "/contacts/search", bad, 400
    yield "GET", "/admins/{admin_id}", "/admins/1", None, 404
    yield "GET", "/teams/{team_id}", "/teams/1", None, 404
    yield "GET", "/tags/{tag_id}", "/tags/1", None, 404
    yield "GET", "/segments/{segment_id}", "/segments/1", None, 404
    yield "GET", "/companies/{company_id}", "/companies/1", None, 404
    yield "GET", "/contacts/{contact_id}/tags", "/contacts/1/tags", None, 404
    yield "GET", "/conversations/{conversation_id}", "/conversations/1", None, 404
    yield "GET", "/data_attributes", "/data_attributes?model=conversation", None, 422
    contact, talk = next(iter(s.truth("contacts"))), next(iter(s.truth("conversations")))
    admin, tag = s.get("/me").json["id"], s.get("/tags").json["data"][0]["id"]
    yield "PUT", "/conversations/{conversation_id}", "/conversations/1", {"read": True}, 404
    yield ("POST", "/conversations/{conversation_id}/parts", "/conversations/1/parts",
           {"message_type": "open", "admin_id": admin}, 404)
    yield "POST", "/conversations/{conversation_id}/tags", "/conversations/1/tags", {"id": tag, "admin_id": admin}, 404
    yield ("DELETE", "/conversations/{conversation_id}/tags/{tag_id}", "/conversations/%s/tags/1" % talk,
           {"admin_id": admin}, 404)
    yield "POST", "/contacts/{contact_id}/tags", "/contacts/%s/tags" % contact, {"id": "1"}, 404
    yield "DELETE", "/contacts/{contact_id}/tags/{tag_id}", "/contacts/%s/tags/1" % contact, None, 404


def check_call(judge, s, method, path, call, body, status):
    operation = judge.description["paths"][path][method.lower()]
    content = operation["responses"][str(status)]["content"]["application/json"]
    answer = s.request(method, call, body)
    assert answer.status == status, (call, answer.status, answer.body[:200])
    judge.check(content["schema"], answer.json, "%s %s " % (method, path))
    return answer, content.get("examples", {})


def check_words(judge, answer, examples, where):
    """An error must be one of the examples: the same code and message."""
    got = [(e["code"], e["message"]) for e in answer.json["errors"]]
    known = [[(e["code"], e["message"]) for e in x["value"]["errors"]] for x in examples.values()]
    if known and got not in known:
        judge.say("words", where, "%s, known are %s" % (got, known))


def main():
    if not os.path.exists(DESCRIPTION):
        print("skipped: the description of the API is not here")
        return 77
    try:
        import yaml
    except ImportError:
        print("skipped: python3-yaml is not installed")
        return 77
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with open(DESCRIPTION) as f:
        judge = Judge(yaml.load(f, Loader=loader), TOLERATED)
    count = 0
    with Sim("--conversations", 150, "--contacts", 150, "--companies", 30, "--rate", 0) as s:
        s.mutate(count=200, seed=8)
        answers = {}
        for method, path, call, body in calls(s):
            answer, examples = check_call(judge, s, method, path, call, body, 200)
            answers.setdefault((method, path), (examples, []))[1].append(answer.json)
            count += 1
        for (method, path), (examples, values) in answers.items():
            for example in examples.values():
                judge.compare(example.get("value"), values, "%s %s " % (method, path))
        for method, path, call, body, status in errors(s):
            answer, examples = check_call(judge, s, method, path, call, body, status)
            check_words(judge, answer, examples, "%s %s" % (method, path))
            count += 1
        s.headers["Authorization"] = "Bearer wrong"
        answer, examples = check_call(judge, s, "GET", "/admins", "/admins", None, 401)
        check_words(judge, answer, examples, "GET /admins")
    return judge.finish(count + 1)


if __name__ == "__main__":
    sys.exit(main())
