#!/usr/bin/env python3
"""Webhooks: only the provider's, each followed once and soon, and what is lost or forged costs nothing."""
# run-tests: beside others
import hashlib
import hmac
import http.client
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from webclient import web_port  # noqa: E402

report = Report(  # noqa: F405
    "a signed one brings the change",
    "equal and repeated ones are one",
    "forged, foreign, broken ones",
    "hundreds at once",
    "lost ones, and sources without a secret")

SECRET = "client-secret"


def post(port, path, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def event(topic, item, number, secret=SECRET):
    body = json.dumps({"type": "notification_event", "topic": topic, "id": "notif_%s" % number, "created_at": int(time.time()),
                       "data": {"type": "notification_event_data", "item": item}})
    return body, "sha1=" + hmac.new(secret.encode(), body.encode(), hashlib.sha1).hexdigest()


def send(port, topic, item, number):
    body, signature = event(topic, item, number)
    return post(port, "/webhooks/acme", body, X_Hub_Signature=signature, Host="hooks.example.org")


def start(folder, sim):
    daemon = Daemon(folder, sim, start=False, source_options="webhook_secret = file:%s/secret\n" % folder,  # noqa: F405
                    resource_sections="[resource acme/conversations]\nevery = 1h\n[resource acme/contacts]\nevery = 1h\n")
    with open(os.path.join(folder, "secret"), "w") as f:
        f.write(SECRET + "\n")
    os.chmod(os.path.join(folder, "secret"), 0o600)
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[ficd]\n", "[ficd]\nhttp = 127.0.0.1:0\n", 1))
    daemon.start()
    return daemon, web_port(daemon)


def changed(sim, daemon):
    """Conversations that are not held as the provider has them."""
    truth = sim.truth("conversations")
    held = {row["id"]: row for row in daemon.client().rows("conversations", doc=True)}
    return [key for key, (_, row) in truth.items() if key in held and row.get("updated_at") != held[key]["doc"].get("updated_at")]


def runs_of(daemon, kind="one"):
    return [r for r in daemon.call("runs", limit=1000)["runs"] if r["kind"] == kind]


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 4, "--conversations", 80, "--contacts", 40, "--rate", 0)  # noqa: F405
    started.append(sim)
    daemon, port = start(folder, sim)
    started.append(daemon)
    daemon.wait_settled()
    sim.mutate(25, 11)
    stale = changed(sim, daemon)
    assert stale, "nothing changed"
    start_s = time.monotonic()
    assert send(port, "conversation.user.replied", {"type": "conversation", "id": stale[0]}, "a")[0] == 200
    wait_until("it was read", lambda: stale[0] not in changed(sim, daemon), 20, 0.01)  # noqa: F405
    took = time.monotonic() - start_s
    report.ok("a signed one brings the change", "%.0f ms" % (took * 1000))

    one = len(runs_of(daemon))
    for _ in range(20):
        assert send(port, "conversation.user.replied", {"type": "conversation", "id": stale[0]}, "a")[0] == 200
    for number in range(20):
        send(port, "conversation.read", {"type": "conversation", "id": stale[-1]}, "b%d" % number)
    wait_until("it was read", lambda: stale[-1] not in changed(sim, daemon), 20, 0.01)  # noqa: F405
    wait_until("runs ended", lambda: not any(r["syncing"] for r in daemon.call("status")["sources"][0]["resources"]))  # noqa: F405
    extra = len(runs_of(daemon)) - one
    assert 1 <= extra <= 12, "%d runs for twenty webhooks about one conversation" % extra
    report.ok("equal and repeated ones are one", "%d runs for 40" % extra)

    runs = len(daemon.call("runs", limit=1000)["runs"])
    body, signature = event("conversation.user.replied", {"type": "conversation", "id": stale[0]}, "c")
    for path, data, headers, status in (
            ("/webhooks/acme", body, {}, 401), ("/webhooks/acme", body, {"X_Hub_Signature": "sha1=" + "0" * 40}, 401),
            ("/webhooks/acme", body + " ", {"X_Hub_Signature": signature}, 401),
            ("/webhooks/acme", body, {"X_Hub_Signature": signature[5:]}, 401),
            ("/webhooks/acme", body, {"X_Hub_Signature": event("x", {}, "c", "other")[1]}, 401),
            ("/webhooks/other", body, {"X_Hub_Signature": signature}, 401),
            ("/webhooks/acme/x", body, {"X_Hub_Signature": signature}, 401),
            ("/webhooks/", body, {"X_Hub_Signature": signature}, 404)):
        assert post(port, path, data, **headers)[0] == status, (path, headers)
    for data in ("", "{", "[]", "null", "{}", '{"type":"notification_event"}', '{"type":' * 200):
        signed = "sha1=" + hmac.new(SECRET.encode(), data.encode(), hashlib.sha1).hexdigest()
        assert post(port, "/webhooks/acme", data, X_Hub_Signature=signed)[0] == 400, data[:30]
    for topic, item in (("ping", {"type": "ping"}), ("visitor.signed_up", {"id": "1"}), ("conversation.user.replied", {"id": "../../x"}),
                        ("conversation.user.replied", {"id": "9" * 400}), ("admin.added_to_workspace", {"id": 3})):
        assert send(port, topic, item, "d" + topic + str(len(str(item))))[0] == 200
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("HEAD", "/webhooks/acme")
    assert connection.getresponse().status == 200
    connection.close()
    assert daemon.call("status")["sources"]
    report.ok("forged, foreign, broken ones")

    sim.mutate(60, 12)
    stale = changed(sim, daemon)
    for n, key in enumerate(stale * 4):
        assert send(port, "conversation.admin.replied", {"type": "conversation", "id": key}, "e%d" % n)[0] == 200
    wait_until("all were read", lambda: not changed(sim, daemon), 60, 0.05)  # noqa: F405
    report.ok("hundreds at once", "%d webhooks about %d conversations" % (len(stale) * 4, len(stale)))

    sim.mutate(40, 13)  # nobody tells
    daemon.sync()
    compare(daemon, sim)  # noqa: F405
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("webhook_secret", ";webhook_secret"))
    daemon.call("reload")
    assert send(port, "conversation.user.replied", {"type": "conversation", "id": "1"}, "z")[0] == 401
    daemon.stop()
    sim.stop()
    report.ok("lost ones, and sources without a secret")
