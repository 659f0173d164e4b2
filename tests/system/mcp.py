#!/usr/bin/env python3
"""ficq mcp: agents of both eras of the protocol, its tools on a real daemon, and what happens when there is none."""
# run-tests: beside others
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from mcp import META, Judge, Server, ToolError, schema  # noqa: E402

GOLDEN = os.path.join(os.path.dirname(__file__), "..", "golden", "mcp")
RESULTS = {"server/discover": "DiscoverResult", "initialize": "InitializeResult", "tools/list": "ListToolsResult",
           "tools/call": "CallToolResult", "resources/list": "ListResourcesResult",
           "resources/templates/list": "ListResourceTemplatesResult", "resources/read": "ReadResourceResult",
           "ping": "EmptyResult"}

report = Report(  # noqa: F405
    "the golden transcript, word for word",
    "no daemon: lists answer, calls say what to do",
    "what is no request",
    "tools give what the daemon gives, with its freshness first",
    "answers are bounded: pages and long messages",
    "arguments that are wrong: how they would be right",
    "customers' text is fenced",
    "a value that no record has is told",
    "resources: lists, records, what is not there",
    "sync_now: progress, the end, and a time limit",
    "edit_record: only where it was asked for",
    "cancelled, and many at once",
    "the older era",
    "what its messages are, by the published schemas",
    "hostile lines",
    "the end of input, SIGTERM, a client that is gone",
    "configurations for clients")


def ficq():
    return program("ficq")  # noqa: F405


def golden():
    """Lines "> request" and "< answer", in order; the version of the program is left open."""
    with open(os.path.join(GOLDEN, "transcript")) as f:
        lines = f.read().splitlines()
    server = Server(ficq(), "--socket", "/nonexistent/ficd.sock")
    version = subprocess.run([ficq(), "--version"], capture_output=True, text=True).stdout.split()[1]
    got = []
    for line in lines:
        if line.startswith("> "):
            got.append(line)
            server.raw(line[2:].encode() + b"\n")
        elif line.startswith("< "):
            answer = server.process.stdout.readline().decode().rstrip("\n")
            got.append("< " + answer.replace('"version":"%s"' % version, '"version":"VERSION"'))
        else:
            got.append(line)
    assert server.close()[0] == 0
    if os.environ.get("GOLDEN_WRITE"):
        with open(os.path.join(GOLDEN, "transcript"), "w") as f:
            f.write("\n".join(got) + "\n")
        return
    for want, have in zip(lines, got):
        assert want == have, "\nwant %s\nhave %s" % (want, have)


def without_daemon():
    server = Server(ficq(), "--socket", "/nonexistent/ficd.sock")
    start = time.monotonic()
    assert server.result("server/discover")["supportedVersions"] == ["2026-07-28"]
    took_ms = (time.monotonic() - start) * 1000
    assert len(server.result("tools/list")["tools"]) == 8
    try:
        server.tool("search_conversations", query="refund")
        raise SystemExit("a tool worked without a daemon")
    except ToolError as error:
        assert "/nonexistent/ficd.sock" in str(error) and "ficd has to run" in str(error), error
    assert server.request("resources/list")["error"]["code"] == -32603
    assert server.close()[0] == 0
    return "%.0f ms to the first answer" % took_ms


def nonsense():
    server = Server(ficq(), "--socket", "/nonexistent/ficd.sock")
    for line, code in ((b"{", -32700), (b"[]", -32600), (b"7", -32600), (b'{"jsonrpc":"2.0","id":1}', -32600),
                       (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600), (b'{"id":[1],"method":"ping"}', -32600),
                       (b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}', -32602),
                       (b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', -32602),
                       (b'\xff\xfe', -32700), (b"[" * 100000, -32700)):
        server.raw(line + b"\n")
        answer = server.message()
        assert answer["error"]["code"] == code, (line[:60], answer)
    for line in (b"\n", b"\r\n", b'{"jsonrpc":"2.0","id":9,"result":{}}\n', b'{"jsonrpc":"2.0","method":"notifications/unknown"}\n'):
        server.raw(line)  # not answered: the next answer is that of the next request
    wrong = dict(META, **{"io.modelcontextprotocol/protocolVersion": "2030-01-01"})
    server.send({"jsonrpc": "2.0", "id": "v", "method": "tools/list", "params": {"_meta": wrong}})
    answer = server.message()
    assert answer["id"] == "v" and answer["error"]["code"] == -32022, answer
    assert answer["error"]["data"] == {"supported": ["2026-07-28"], "requested": "2030-01-01"}
    server.send({"jsonrpc": "2.0", "id": "c", "method": "tools/list",
                 "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}})
    assert server.message()["error"]["code"] == -32602
    assert server.request("tools/destroy")["error"]["code"] == -32601
    assert server.request("initialize", protocolVersion="2025-11-25")["error"]["code"] == -32601
    assert server.request("tools/call", name="drop_all")["error"]["code"] == -32602
    assert server.request("tools/list", cursor="x")["error"]["code"] == -32602
    assert server.close()[0] == 0


def compare_tools(server, daemon):
    want = daemon.call("query", resource="conversations", text="refund", limit=5)
    got = server.tool("search_conversations", query="refund", limit=5)
    assert got["conversations"] == want["rows"] and want["rows"], (got, want)
    assert got["next_cursor"] == want["next_cursor"]
    assert got["freshness"]["state"] == "fresh" and got["sync_info"]["state"] == "fresh"
    assert got["sync_info"]["data_complete"] is got["freshness"]["complete"]
    thread = daemon.call("thread", id=want["rows"][0]["id"])
    got = server.tool("get_conversation", id=want["rows"][0]["id"])
    assert [m["id"] for m in got["messages"]] == [m["id"] for m in thread["messages"]]
    assert all("doc" not in m for m in got["messages"]) and got["messages"][0]["body"] == thread["messages"][0]["body"]
    contacts = server.tool("query_records", resource="contacts", where="role = user", fields=["id", "email"], total=True, limit=3)
    count = server.tool("count_records", resource="contacts", where="role = user")
    assert contacts["total"] == count["total"] > 3 and set(contacts["records"][0]) == {"source", "resource", "id", "email"}, contacts
    groups = server.tool("count_records", group_by=["state"])
    assert groups["groups"] == daemon.call("aggregate", resource="conversations", group_by=["state"])["groups"]
    fresh = server.tool("get_data_freshness")
    assert fresh["total_conversations"] == fresh["records"] == groups["total"] and fresh["is_syncing"] is False, fresh
    assert fresh["coverage_start"] < fresh["coverage_end"] and fresh["last_sync"]
    assert server.tool("get_data_freshness", resource="tags")["total_conversations"] is None
    covered = server.tool("check_coverage", since="2d")
    assert covered["resources"][0]["gaps"] == [] and covered["freshness"]["requested"][0], covered
    status = server.tool("get_sync_status")
    assert status["sources"][0]["name"] == "acme" and status["runs"][0]["outcome"] == "ok"
    absent = server.tool("get_conversation", id="999999999999")
    assert absent["conversation"] is None and absent["absence"]["reason"] == "not_covered", absent


def bounded(server, daemon):
    found, cursor = [], {}
    while True:
        page = server.tool("query_records", resource="conversations", fields=["id", "doc"], limit=100, **cursor)
        assert len(json.dumps(page, separators=(",", ":"), ensure_ascii=False).encode()) <= 66000
        found += [row["id"] for row in page["records"]]
        if not page["next_cursor"]:
            break
        assert len(page["records"]) < 100
        cursor = {"cursor": page["next_cursor"]}
    assert found == [row["id"] for row in daemon.client().rows("conversations")]
    longest = max(daemon.client().rows("conversations"), key=lambda row: row.get("parts") or 0)["id"]
    messages, cursor, pages = [], {}, 0
    while True:
        page = server.tool("get_conversation", id=longest, **cursor)
        messages += [m["id"] for m in page["messages"]]
        pages += 1
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert messages == [m["id"] for m in daemon.call("thread", id=longest)["messages"]]
    return "%d records, a thread of %d in %d pages" % (len(found), len(messages), pages)


def wrong_arguments(server):
    for name, arguments, words in (
            ("search_conversations", {"limt": 3}, ("limt", 'did you mean "limit"')),
            ("search_conversations", {"limit": 1000}, ("from 1 to 100",)),
            ("search_conversations", {"limit": "5"}, ("integer",)),
            ("search_conversations", {"query": 5}, ("text",)),
            ("search_conversations", {"where": "stat = open"}, ("state", "Correct the arguments")),
            ("search_conversations", {"axis": "sideways"}, ("created, updated",)),
            ("query_records", {}, ("resource",)),
            ("query_records", {"resource": "conversation"}, ("conversations",)),
            ("query_records", {"resource": "tags", "fields": "id"}, ("list of texts",)),
            ("get_conversation", {}, ("id",)),
            ("get_conversation", {"id": "1", "cursor": "x"}, ("next_cursor",)),
            ("sync_now", {"wait": "yes"}, ("true or false",))):
        try:
            server.tool(name, **arguments)
        except ToolError as error:
            assert all(word in str(error) for word in words), (arguments, str(error))
        else:
            raise AssertionError((name, arguments))
    assert server.tool("search_conversations", limit=1, where=None, cursor=None)["conversations"]
    for arguments in ([], "x"):
        assert server.request("tools/call", name="get_sync_status", arguments=arguments)["error"]["code"] == -32602


def fenced(server):
    result = server.result("tools/call", name="search_conversations", arguments={"limit": 2})
    words, data = (block["text"] for block in result["content"])
    assert words.startswith("fresh, ") and "complete, as of 20" in words and "2 conversations." in words, words
    lines = data.split("\n")
    assert len(lines) == 3 and lines[0].startswith("--- data") and lines[2] == "--- end of data", lines
    assert json.loads(lines[1]) == result["structuredContent"]
    assert list(result["structuredContent"])[0] == "freshness"


def guessed(server):
    """A value that no record has is told, without any of the data."""
    lacks = "'resolved' is the state of none of the conversations that are held: count_records with group_by [\"state\"] tells what there is."
    for tool, more in (("search_conversations", {}), ("query_records", {"resource": "conversations"}), ("count_records", {})):
        for where, told in (("state = resolved", True), ("state = open and parts > 100000", False)):
            result = server.result("tools/call", name=tool, arguments=dict(more, where=where))
            words = result["content"][0]["text"]
            assert (" " + lacks in words) == told and (told or "of none" not in words), (tool, words)
            assert words.startswith("fresh, ") and not result.get("isError"), result


class Between:
    """A socket before the daemon's: at the first question for groups it hangs up, or says nothing more."""

    def __init__(self, folder, daemon, silent):
        self.path, self.daemon, self.silent = os.path.join(folder, "between-%d.sock" % silent), daemon, silent
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        held = []
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            behind = socket.socket(socket.AF_UNIX)
            behind.connect(self.daemon.socket_path)
            while True:
                ready = select.select([client, behind], [], [])[0]
                data = ready[0].recv(1 << 16)
                if not data or b"aggregate" in data:
                    break
                (behind if ready[0] is client else client).sendall(data)
            behind.close()
            if self.silent and data:
                held.append(client)  # is not closed
            else:
                client.close()


def hinted(folder, daemon):
    """Who cannot be asked for a hint does not cost the answer."""
    for silent in (False, True):
        between = Between(folder, daemon, silent)
        server = Server(ficq(), "--socket", between.path)
        server.result("server/discover")
        begin = time.monotonic()
        result = server.result("tools/call", name="query_records", arguments={"resource": "conversations", "where": "state = resolved"})
        words = result["content"][0]["text"]
        assert not result.get("isError") and " 0 records." in words and "of none" not in words, result
        assert time.monotonic() - begin < 30
        assert server.close()[0] == 0
        between.listener.close()


def resources(server, daemon):
    listed = server.result("resources/list")
    assert listed["cacheScope"] == "private"
    uris = [r["uri"] for r in listed["resources"]]
    assert "fic://acme/conversations" in uris and "fic://acme/tags" in uris, uris
    held = json.loads(server.result("resources/read", uri="fic://acme/conversations")["contents"][0]["text"])
    assert held["freshness"]["state"] == "fresh" and held["coverage"]["resource"] == "conversations"
    row = daemon.call("query", resource="conversations", limit=1)["rows"][0]
    content = server.result("resources/read", uri="fic://acme/conversations/" + row["id"])
    read = json.loads(content["contents"][0]["text"])
    assert content["ttlMs"] > 0 and read["conversation"]["id"] == row["id"] and read["messages"]
    tag = daemon.call("query", resource="tags", limit=1)["rows"][0]["id"]
    escaped = "".join("%%%02x" % byte for byte in tag.encode())
    read = json.loads(server.result("resources/read", uri="fic://acme/tags/" + escaped)["contents"][0]["text"])
    assert read["record"]["id"] == tag and read["record"]["doc"]
    for uri in ("fic://acme/conversations/999999999999", "fic://acme/tags/none"):
        error = server.request("resources/read", uri=uri)["error"]
        assert error["code"] == -32602 and error["data"] == {"uri": uri}, error
    for uri in ("http://x/y", "fic://", "fic://acme", "fic://acme//1", "fic://acme/tags/%zz", "fic://acme/tags/a/b", "fic://a/b/%00"):
        assert server.request("resources/read", uri=uri)["error"]["code"] == -32602, uri
    assert len(server.result("resources/templates/list")["resourceTemplates"]) == 2


def edits(server, daemon, sim):
    contact = sorted(sim.truth("contacts"))[0]
    unknown = server.request("tools/call", name="edit_record", arguments={"resource": "contacts", "id": contact, "set": {"name": "x"}})
    assert "no tool" in unknown["error"]["message"], unknown
    editor = Server(ficq(), "--socket", daemon.socket_path, "--edits")
    tools = {t["name"]: t for t in editor.result("tools/list")["tools"]}
    assert len(tools) == 9 and tools["edit_record"]["annotations"] == {
        "readOnlyHint": False, "openWorldHint": True, "destructiveHint": True, "idempotentHint": True}, tools["edit_record"]
    assert tools["edit_record"]["inputSchema"]["required"] == ["resource", "id", "set"]
    done = editor.tool("edit_record", resource="contacts", id=contact, set={"name": "By an agent"})
    assert done["edit"]["state"] == "pushed" and done["freshness"]["state"], done
    assert sim.truth("contacts")[contact][1]["name"] == "By an agent"
    sim.control("POST", "edit", {"resource": "contacts", "id": contact, "set": {"name": "By somebody else"}})
    lost = editor.tool("edit_record", resource="contacts", id=contact, set={"name": "Again"})
    assert lost["edit"]["state"] == "conflict" and sim.truth("contacts")[contact][1]["name"] == "By somebody else", lost
    for wrong, words in ((dict(resource="contacts", id=contact, set="name"), "an object"), (dict(resource="contacts", id=contact), "needs the argument"),
                         (dict(resource="contacts", id=contact, set={"nam": "x"}), "did you mean")):
        answer = editor.request("tools/call", name="edit_record", arguments=wrong)
        assert words in json.dumps(answer), (wrong, answer)
    daemon.call("edit_resolve", id=lost["edit"]["id"], resolution="theirs")
    assert editor.close()[0] == 0


def syncs(server, daemon, sim):
    sim.mutate(30, 7)
    notes = []
    done = server.tool("sync_now", notes=notes, token="t")
    assert done["finished"] is True and all(run["outcome"] == "ok" for run in done["runs"]) and done["runs"], done
    assert done["freshness"]["state"] == "fresh"
    steps = [note["params"]["progress"] for note in notes]
    assert steps == sorted(set(steps)) and all(n["params"]["progressToken"] == "t" for n in notes), notes
    compare(daemon, sim)  # noqa: F405
    some = daemon.call("query", resource="conversations", limit=1)["rows"][0]["id"]
    one = server.tool("sync_now", resource="conversations", ids=[some])
    assert one["finished"] and one["runs"][0]["kind"] == "one", one
    assert server.tool("sync_now", wait=False)["finished"] is False
    wait_until("the sync has ended", lambda: not any(  # noqa: F405
        r["syncing"] or r["waiting"] for r in daemon.call("status")["sources"][0]["resources"]))
    sim.faults({"kind": "slow", "delay_ms": 3000, "route": "/"})
    start = time.monotonic()
    late = server.tool("sync_now", timeout_s=1)
    sim.no_faults()
    assert late["finished"] is False and 0.9 < time.monotonic() - start < 15, late


def at_once(server, daemon):
    waiting = server.begin("tools/call", name="sync_now", arguments={})
    server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": waiting}})
    server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "nothing"}})
    first = server.begin("tools/call", name="get_data_freshness", arguments={})
    assert server.message()["id"] == first
    ids = [server.begin("tools/call", name="search_conversations", arguments={"query": "refund", "limit": 1}) for _ in range(6)]
    answered = sorted(server.message()["id"] for _ in ids)
    assert answered == ids, (answered, ids)
    twice = server.begin("tools/call", name="sync_now", arguments={}, id="same")
    server.begin("tools/call", name="get_sync_status", arguments={}, id="same")
    assert server.message()["error"]["code"] == -32600
    server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": twice}})
    assert server.tool("get_sync_status")["sources"]


def older(daemon):
    heard = []
    for version, want in (("2025-11-25", "2025-11-25"), ("2024-11-05", "2024-11-05"), ("2099-01-01", "2025-11-25")):
        server = Server(ficq(), "--socket", daemon.socket_path)
        answer = server.initialize(version)
        assert answer["protocolVersion"] == want and "resultType" not in answer, answer
        assert server.result("ping") == {}
        listed = server.result("tools/list")
        assert "ttlMs" not in listed and len(listed["tools"]) == 8
        assert server.tool("search_conversations", query="refund", limit=1)["conversations"]
        assert server.request("resources/read", uri="fic://acme/tags/none")["error"]["code"] == -32002
        server.result("resources/read", uri="fic://acme/tags")
        server.result("resources/list")
        server.result("resources/templates/list")
        assert server.request("logging/setLevel", level="info")["error"]["code"] == -32601
        assert server.close()[0] == 0
        heard.append(server)
    return heard


def judge(servers, version):
    whole = schema(version)
    if not whole:
        return None
    judged = Judge(whole)
    seen = 0
    outputs = {}
    for server in servers:
        for message in server.heard:
            name = "JSONRPCErrorResponse" if "error" in message else "ProgressNotification" if "method" in message else \
                RESULTS[server.asked[message["id"]]]
            value = message if name.startswith(("JSONRPC", "Progress")) else message["result"]
            errors = judged.errors({"$ref": "#/$defs/" + name}, value)
            assert not errors, (name, errors[:5])
            for tool in value.get("tools", []) if "result" in message else []:
                outputs[tool["name"]] = tool["outputSchema"]
            seen += 1
    return seen, outputs


def judge_tools(server, outputs):
    for tool, arguments in (("get_data_freshness", {}), ("search_conversations", {}), ("query_records", {"resource": "tags"}),
                            ("count_records", {"group_by": ["day"]}), ("check_coverage", {}), ("get_sync_status", {}),
                            ("sync_now", {}), ("get_conversation", {"id": "999999999999"})):
        found = server.tool(tool, notes=[], **arguments)
        errors = Judge(outputs[tool]).errors(outputs[tool], found)
        assert not errors, (tool, errors[:3])


def hostile(daemon):
    server = Server(ficq(), "--socket", daemon.socket_path)
    answers = 0
    nasty = [b'{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s","arguments":{"query":"%s"},"_meta":%s}}'
             % (i, name, word, json.dumps(META).encode())
             for i, (name, word) in enumerate(
                 (n, w) for n in (b"search_conversations", b"get_conversation", b"../../etc/passwd", b"\\u0000", b"%s%n")
                 for w in (b"\\u0000", b"\\ud800", b"%s%n%s", b"a" * 5000, b"\\\"(((((", b"<script>", b"\\u202e", b"-" * 300))]
    lines = (nasty + [b"{" * 5000, b'"' * 3000, b"\x00" * 50, b"null", b"-", b'{"method":7,"id":3}', b'{"jsonrpc":"2.0","id":1e99}']) * 22
    for line in lines:
        server.raw(line + b"\n")
        server.message()
        answers += 1
    server.raw(b"x" * (5 << 20) + b"\n")
    assert server.message()["error"]["code"] == -32700
    assert server.tool("get_sync_status")["sources"]
    assert server.close()[0] == 0
    return "%d lines" % (answers + 1)


def ends(daemon):
    server = Server(ficq(), "--socket", daemon.socket_path)
    for i in range(5):
        server.begin("tools/call", name="search_conversations", arguments={"limit": 1})
    server.raw(b'{"jsonrpc":"2.0","id":"last","method":"ping"}')  # without an end of line
    code, out = server.close()
    assert code == 0 and len(out.splitlines()) == 6, (code, out)
    server = Server(ficq(), "--socket", daemon.socket_path)
    server.tool("get_sync_status")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    server.kill()
    server = Server(ficq(), "--socket", daemon.socket_path)
    server.process.stdout.close()
    server.begin("server/discover")
    server.begin("server/discover")
    assert server.process.wait(10) == 0
    server.process.stdin.close()
    server.process.stderr.close()


def configurations():
    out = {}
    for client in ((), ("cursor",), ("vscode",), ("codex",)):
        done = subprocess.run([ficq(), "--socket", "/run/x.sock", "mcp", "--print-config", *client], capture_output=True, text=True)
        assert done.returncode == 0, done
        out[client] = done.stdout
    path = os.path.realpath(ficq())
    want = {"command": path, "args": ["--socket", "/run/x.sock", "mcp"]}
    assert json.loads(out[()]) == json.loads(out[("cursor",)]) == {"mcpServers": {"fic": want}}
    assert json.loads(out[("vscode",)]) == {"servers": {"fic": dict(want, type="stdio")}}
    assert "[mcp_servers.fic]" in out[("codex",)] and 'command = "%s"' % path in out[("codex",)]
    assert subprocess.run([ficq(), "mcp", "--print-config", "emacs"], capture_output=True).returncode == 64
    assert subprocess.run([ficq(), "mcp", "emacs"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 64


def main():
    names = iter(report.names)
    golden()
    report.ok(next(names))
    report.ok(next(names), without_daemon())
    nonsense()
    report.ok(next(names))
    with workplace() as (folder, started):  # noqa: F405
        sim = Sim(folder, "--seed", 5, "--conversations", 120, "--contacts", 60, "--rate", 0)  # noqa: F405
        started.append(sim)
        daemon = Daemon(folder, sim)  # noqa: F405
        started.append(daemon)
        daemon.wait_settled()
        server = Server(ficq(), "--socket", daemon.socket_path)
        compare_tools(server, daemon)
        report.ok(next(names))
        report.ok(next(names), bounded(server, daemon))
        wrong_arguments(server)
        report.ok(next(names))
        fenced(server)
        report.ok(next(names))
        guessed(server)
        hinted(folder, daemon)
        report.ok(next(names))
        resources(server, daemon)
        report.ok(next(names))
        syncs(server, daemon, sim)
        report.ok(next(names))
        edits(server, daemon, sim)
        report.ok(next(names))
        at_once(server, daemon)
        report.ok(next(names))
        olders = older(daemon)
        report.ok(next(names))
        server.result("server/discover")
        server.result("tools/list")
        newer = judge([server], "2026-07-28")
        if newer is None:
            report.skip(next(names), "the schemas are not there (FIC_MCP)")
        else:
            judge_tools(server, newer[1])
            report.ok(next(names), "%d messages" % (newer[0] + judge(olders, "2025-11-25")[0]))
        report.ok(next(names), hostile(daemon))
        assert server.close()[0] == 0
        ends(daemon)
        report.ok(next(names))
        daemon.stop()
        sim.stop()
    configurations()
    report.ok(next(names))


main()
