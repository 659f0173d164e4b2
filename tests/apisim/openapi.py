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
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
from simlib import Sim  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DESCRIPTION = os.environ.get("FIC_OPENAPI") or os.path.join(ROOT, "..", "shared", "api", "intercom-2.16.yaml")

# (kind, pattern of the place, reason). Kinds: unknown (member not in the
# schema), type (wrong type or null), example (a member of the example that
# is missing here). Places look like "GET /contacts data[].location.region".
TOLERATED = [
    ("unknown", r" (.*\.)?(data\[\]\.)?(opted_(in|out)_subscription_types)$",
     "in all seven examples of contacts, not in the schema"),
    ("unknown", r"^(GET|POST) /contacts\S* (data\[\]\.)?(utm_\w+|referrer|enabled_push_messaging)$",
     "in all examples of contacts, not in the schema of lists"),
    ("unknown", r"location\.(country_code|continent_code)$",
     "in all examples of contacts, not in the schema"),
    ("unknown", r"^(GET|POST) /contacts\S* (data\[\]\.)?(tags|notes|companies|social_profiles)\.type$",
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
    ("type", r"_default_description_$", "null in the example of a search"),
    ("type", r"statistics\.\w+$",
     "what has not happened yet is null; the object model says numbers may be null"),
    ("type", r"^(GET|POST) /contacts\S* (data\[\]\.)?email$",
     "leads without an address; the object model says strings may be null"),
    ("type", r"author\.email$", "as above"),
    ("type", r"conversation_rating\.remark$", "a rating without words; strings may be null"),
    ("type", r"attachments\[\]\.(width|height)$", "only pictures have a size"),
    ("type", r"custom_attributes\.", "the schema says strings, its own example has others"),
    ("type", r"^(POST|GET) /companies\S* pages\.next$",
     "a URL in live answers and in the example of deleted conversations, an object in the schema"),
]

CHECKER = {"object": dict, "array": list, "string": str, "boolean": bool}


class Judge:
    def __init__(self, description):
        self.description = description
        self.used, self.found = set(), []

    def resolve(self, schema):
        while "$ref" in schema:
            rest = {k: v for k, v in schema.items() if k != "$ref"}
            target = self.description
            for step in schema["$ref"].lstrip("#/").split("/"):
                target = target[step]
            schema = {**target, **rest}
        return schema

    def object_properties(self, schema):
        """All properties of a schema, with those of its parts; None: any."""
        schema = self.resolve(schema)
        known, closed = dict(schema.get("properties", {})), "properties" in schema
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, []):
                more = self.object_properties(part)
                if more:
                    known.update(more)
                    closed = True
        return known if closed else None

    def say(self, kind, where, words):
        for i, (k, pattern, _) in enumerate(TOLERATED):
            if k == kind and re.search(pattern, where):
                self.used.add(i)
                return
        self.found.append("%s: %s %s" % (kind, where, words))

    def type_fits(self, schema, value):
        kind = schema.get("type")
        if kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        if kind == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return kind not in CHECKER or isinstance(value, CHECKER[kind])

    def errors(self, schema, value):
        """How many complaints there would be: for oneOf and anyOf."""
        other = Judge(self.description)
        other.check(schema, value, "?")
        return len(other.found)

    def choose(self, schema, value):
        """The one of several that the discriminator points to."""
        told = schema.get("discriminator", {})
        name = told.get("propertyName")
        if name and isinstance(value, dict) and value.get(name) in told.get("mapping", {}):
            return self.resolve({"$ref": told["mapping"][value[name]]})
        return schema

    def check(self, schema, value, where):
        schema = self.choose(self.resolve(schema), value)
        if value is None:
            nullable = schema.get("nullable") or None in schema.get("enum", ()) or not schema
            if not nullable and not any(self.resolve(p).get("nullable")
                                        for p in schema.get("allOf", [])):
                self.say("type", where, "is null")
            return
        if not self.type_fits(schema, value):
            self.say("type", where, "is %r, not %s" % (value, schema["type"]))
            return
        if "enum" in schema and value not in schema["enum"]:
            self.say("type", where, "is %r, not one of %s" % (value, schema["enum"]))
        for part in schema.get("allOf", []):
            if not isinstance(value, dict):
                self.check(part, value, where)
        for word in ("oneOf", "anyOf"):
            if schema.get(word) and min(self.errors(p, value) for p in schema[word]) > 0 \
                    and not isinstance(value, dict):
                self.say("type", where, "fits none of " + word)
        if isinstance(value, list):
            for v in value:
                self.check(schema.get("items", {}), v, where + "[]")
        elif isinstance(value, dict):
            self.check_object(schema, value, where)

    def check_object(self, schema, value, where):
        known, extra = self.object_properties(schema), schema.get("additionalProperties")
        for name in schema.get("required", []):
            if name not in value:
                self.say("type", where + "." + name, "is required")
        for name, v in value.items():
            place = where + ("" if where.endswith(" ") else ".") + name
            if known and name in known:
                self.check(known[name], v, place)
            elif isinstance(extra, dict):
                self.check(extra, v, place)
            elif known is not None and extra is None:
                self.say("unknown", place, "is not in the schema")

    def compare(self, example, values, where):
        """Every member of the example must be in one of the values."""
        if isinstance(example, dict):
            dicts = [v for v in values if isinstance(v, dict)]
            for name, inner in example.items():
                place = where + ("" if where.endswith(" ") else ".") + name
                have = [v[name] for v in dicts if name in v]
                if dicts and not have:
                    self.say("example", place, "is in the example")
                elif not where.endswith("custom_attributes"):
                    self.compare(inner, have, place)
        elif isinstance(example, list):
            items = [i for v in values if isinstance(v, list) for i in v]
            for e in example:
                if items:
                    self.compare(e, items, where + "[]")


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
        judge = Judge(yaml.load(f, Loader=loader))
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
    for i, (kind, pattern, reason) in enumerate(TOLERATED):
        if i not in judge.used:
            judge.found.append("unneeded: %s %s (%s)" % (kind, pattern, reason))
    for words in sorted(set(judge.found)):
        print(words)
    print("%d answers, %d exceptions used" % (count + 1, len(judge.used)))
    failed = len(set(judge.found))
    print("%d passed, %d failed" % (count + 1 if not failed else 0, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
