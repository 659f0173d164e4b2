"""Compares answers with an OpenAPI description. Standard library only."""

import re

CHECKER = {"object": dict, "array": list, "string": str, "boolean": bool}


class Judge:
    """Checks answers against a description, and notes what does not fit.

    tolerated: (kind, pattern of the place, reason). Kinds: unknown (member not in the schema), type (wrong type or
    null), example (a member of the example that is missing), words. Places look like "GET /contacts data[].location".
    """

    def __init__(self, description, tolerated=()):
        self.description, self.tolerated = description, tolerated
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
        for i, (k, pattern, _) in enumerate(self.tolerated):
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

    def example_of(self, schema):
        """A value with every member that the schema knows."""
        schema = self.resolve(schema)
        if schema.get("type") == "array":
            return [self.example_of(schema.get("items", {}))]
        known = self.object_properties(schema)
        return {name: self.example_of(inner) for name, inner in known.items()} if known else None

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


    def finish(self, count):
        """Prints what was found and the counts; 1 when anything does not fit, 0 otherwise."""
        for i, (kind, pattern, reason) in enumerate(self.tolerated):
            if i not in self.used:
                self.found.append("unneeded: %s %s (%s)" % (kind, pattern, reason))
        found = sorted(set(self.found))
        for words in found:
            print(words)
        print("%d answers, %d exceptions used" % (count, len(self.used)))
        print("%d passed, %d failed" % (0 if found else count, len(found)))
        return 1 if found else 0
