"""A client of `ficq mcp` for the tests, and a judge of its messages by the published JSON schemas of the protocol."""
import json
import os
import re
import subprocess

VERSION = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}}


class Server:
    """One `ficq mcp`, asked in the newer way or, after `initialize`, in the older one."""

    def __init__(self, program, *options, env=None):
        self.process = subprocess.Popen([program, *options, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env)
        self.modern = True
        self.at = 0
        self.heard = []  # every message, for the judge
        self.asked = {}

    def send(self, message):
        self.process.stdin.write((json.dumps(message) + "\n").encode())
        self.process.stdin.flush()

    def raw(self, line):
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def message(self):
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), "it ended: %r %s" % (line, self.process.stderr.read() if not line else "")
        message = json.loads(line)
        self.heard.append(message)
        return message

    def begin(self, method, id=None, token=None, **params):
        self.at += 1
        id = self.at if id is None else id
        meta = dict(META) if self.modern else {}
        if token is not None:
            meta["progressToken"] = token
        if meta:
            params["_meta"] = meta
        self.asked[id] = method
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        return id

    def request(self, method, notes=None, **params):
        """The whole answer; notifications on the way go to `notes`."""
        id = self.begin(method, **params)
        while True:
            message = self.message()
            if message.get("id") == id:
                return message
            assert "method" in message and notes is not None, message
            notes.append(message)

    def result(self, method, **params):
        answer = self.request(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    def tool(self, name, notes=None, token=None, **arguments):
        """What the tool found; AssertionError with its text when it failed."""
        result = self.request("tools/call", notes=notes, token=token, name=name, arguments=arguments)
        assert "result" in result, result
        result = result["result"]
        if result.get("isError"):
            raise ToolError(result["content"][0]["text"])
        return result["structuredContent"]

    def initialize(self, version="2025-11-25"):
        self.modern = False
        result = self.result("initialize", protocolVersion=version, capabilities={},
                             clientInfo={"name": "test", "version": "1"})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result

    def close(self, seconds=20):
        """Its exit status, and what it still said."""
        out, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, out

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class ToolError(Exception):
    pass


class Judge:
    """JSON Schema, as far as the published schemas and those of the tools use it; anything else in a schema is an error."""

    KNOWN = {"$schema", "$defs", "$ref", "definitions", "type", "properties", "required", "items", "anyOf", "allOf", "const", "enum",
             "additionalProperties", "description", "title", "default", "format", "minimum", "maximum", "pattern", "examples",
             "minItems", "maxItems", "deprecated", "propertyNames", "oneOf", "$comment", "contentEncoding", "minLength", "not",
             "maxLength", "uniqueItems", "$id"}
    TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}

    def __init__(self, root):
        self.root = root

    def resolve(self, reference):
        at = self.root
        for step in reference.lstrip("#/").split("/"):
            at = at[step]
        return at

    def fits(self, name, value):
        if name == "integer":
            return isinstance(value, int) and not isinstance(value, bool) or isinstance(value, float) and value.is_integer()
        if name == "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return isinstance(value, self.TYPES[name])

    def errors(self, schema, value, where="$"):
        if schema is True:
            return []
        if schema is False:
            return ["%s: nothing may be here" % where]
        assert not set(schema) - self.KNOWN, set(schema) - self.KNOWN
        found = []
        if "$ref" in schema:
            found += self.errors(self.resolve(schema["$ref"]), value, where)
        if "type" in schema:
            types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(self.fits(name, value) for name in types):
                return found + ["%s: %r is not %s" % (where, value, types)]
        if "const" in schema and value != schema["const"]:
            found.append("%s: %r is not %r" % (where, value, schema["const"]))
        if "enum" in schema and value not in schema["enum"]:
            found.append("%s: %r is none of %r" % (where, value, schema["enum"]))
        for name, quantity in (("anyOf", any), ("oneOf", any), ("allOf", all)):
            if name in schema and not quantity(not self.errors(s, value, where) for s in schema[name]):
                found.append("%s: %s of %d does not hold for %.200r" % (where, name, len(schema[name]), value))
        if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
            found.append("%s: %r does not match %s" % (where, value, schema["pattern"]))
        if isinstance(value, dict):
            found += self.object_errors(schema, value, where)
        if isinstance(value, list) and "items" in schema:
            for i, item in enumerate(value):
                found += self.errors(schema["items"], item, "%s[%d]" % (where, i))
        return found

    def object_errors(self, schema, value, where):
        found = ["%s: %s is missing" % (where, name) for name in schema.get("required", []) if name not in value]
        properties = schema.get("properties", {})
        for name, item in value.items():
            if name in properties:
                found += self.errors(properties[name], item, where + "." + name)
            elif "additionalProperties" in schema:
                found += self.errors(schema["additionalProperties"], item, where + "." + name)
        return found


def schema(version):
    """The published schema of a version, or None: FIC_MCP or ../shared/mcp has it."""
    for folder in (os.environ.get("FIC_MCP"), "../shared/mcp"):
        path = os.path.join(folder, "schema-%s.json" % version) if folder else ""
        if os.path.exists(path):
            with open(path) as f:
                return json.load(f)
    return None
