#!/usr/bin/env python3
"""Alerts: told once, by every way, again when a way failed, remembered over a restart, and never in anybody's way."""
# run-tests: beside others
import http.server
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from mail_server import MailServer  # noqa: E402
from webclient import Web  # noqa: E402

report = Report(  # noqa: F405
    "ficq alerts test: every way, with its outcome",
    "what holds is told by every way",
    "a way that fails is tried again",
    "it is told once, and remembered over a restart",
    "a program that hangs holds nobody up",
    "a reload takes other alerts, or none of a wrong file",
    "metrics and status tell")


class Hook:
    """A webhook's end: keeps what is posted; the next `failures` posts are refused."""

    def __init__(self):
        self.posts, self.failures, self.changed = [], 0, threading.Condition()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with hook.changed:
                    refused, hook.failures = hook.failures > 0, max(0, hook.failures - 1)
                    if not refused:
                        hook.posts.append((self.path, self.headers["Content-Type"], json.loads(body)))
                    hook.changed.notify_all()
                self.send_response(500 if refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.posts) >= count, seconds), \
                "%d posts came, %d were expected" % (len(self.posts), count)
            return self.posts[count - 1]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def secret(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(text + "\n")
    os.chmod(path, 0o600)
    return path


def script(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o700)
    return path


def ficq(daemon, *words):
    return subprocess.run([program("ficq"), "-S", daemon.socket_path, *words], capture_output=True, text=True, timeout=60,  # noqa: F405
                          stdin=subprocess.DEVNULL)


def fail_runs(daemon, sim, count):
    sim.faults({"route": "/tags", "kind": "status", "status": 403})
    for _ in range(count):
        assert daemon.sync(resource="tags")[0]["outcome"] == "failed"


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 7, "--contacts", 20, "--companies", 5, "--conversations", 10, "--rate", 0)  # noqa: F405
    started.append(sim)
    hook, mails = Hook(), MailServer(user="me", password="word")
    told = os.path.join(folder, "told")
    page = script(folder, "page", 'echo "$FICD_ALERT $FICD_EVENT $FICD_SUBJECT" >>%s.words; cat >>%s' % (told, told))
    everything = """
[alert ops]
when = sync_failure_rate >= 20%%, no_success > 2h, dead_letters > 0
slack = file:%s
email = ops@example.org, boss@example.org
smtp = localhost:%d
smtp_user = me
smtp_password = file:%s
from = cache@example.org
command = %s
""" % (secret(folder, "slack", "http://127.0.0.1:%d/services/T0/B0/secret" % hook.port), mails.port,
       secret(folder, "password", "word"), page)
    daemon = Daemon(folder, sim, resource_sections=everything)  # noqa: F405
    started.append(daemon)
    daemon.wait_settled()

    results = {r["way"]: r for r in daemon.call("alerts_test")["results"]}
    assert [results[w]["sent"] for w in ("slack", "email", "command")] == [True] * 3, results
    path, kind, body = hook.wait(1)
    assert path == "/services/T0/B0/secret" and kind == "application/json", (path, kind)
    assert "test of the alert ops" in body["text"], body
    mail = mails.wait(1)
    assert mail["known"] and mail["from"].startswith("FROM:<cache@example.org>"), mail
    assert mail["to"] == ["TO:<ops@example.org>", "TO:<boss@example.org>"], mail
    lines = mail["lines"]
    assert any(line.startswith("Subject: ficd on ") for line in lines) and "Auto-Submitted: auto-generated" in lines, lines
    answer = ficq(daemon, "alerts", "test", "opps")
    assert answer.returncode == 1 and "no alert 'opps'" in answer.stderr, answer
    answer = ficq(daemon, "alerts", "test", "ops")
    assert answer.returncode == 0 and answer.stdout.count("ops") == 3, answer
    mails.password = "another"
    answer = ficq(daemon, "alerts", "test")
    assert answer.returncode == 69 and "denied" in answer.stdout, answer
    mails.password = "word"
    assert "secret" not in daemon.log_text() and "secret" not in answer.stdout
    report.ok("ficq alerts test: every way, with its outcome")

    posts, letters = len(hook.posts), len(mails.mails)
    calm = daemon.call("alerts")["alerts"]
    assert calm[0]["name"] == "ops" and calm[0]["raised"] == [], calm
    hook.failures = 1
    mails.failures = 1
    os.unlink(told)
    fail_runs(daemon, sim, 30)
    raised = wait_until("raised", lambda: daemon.call("alerts")["alerts"][0]["raised"], 20)  # noqa: F405
    assert [r["condition"] for r in raised] == ["sync_failure_rate >= 20%"], raised
    wait_until("told", lambda: os.path.exists(told) and open(told).read().endswith("\n"), 20)  # noqa: F405
    notice = json.loads(open(told).read())
    assert notice["event"] == "raised" and notice["alert"] == "ops", notice
    assert notice["items"][0]["source"] == "acme" and "runs of the last 24 hours failed" in notice["items"][0]["text"], notice
    assert open(told + ".words").read().splitlines()[-1].startswith("ops raised ficd on "), open(told + ".words").read()
    report.ok("what holds is told by every way")

    post = hook.wait(posts + 1)[2]["text"]
    assert "sync_failure_rate >= 20%" in post and "acme: " in post, post
    letter = "\n".join(mails.wait(letters + 1)["lines"])
    assert "runs of the last 24 hours failed" in letter, letter
    ways = {w["way"]: w for w in daemon.call("alerts")["alerts"][0]["ways"]}
    assert ways["slack"]["failed"] == 1 and ways["email"]["failed"] == 1 and ways["command"]["failed"] == 0, ways
    report.ok("a way that fails is tried again")

    posts = len(hook.posts)
    daemon.stop()
    sim.restarted()
    daemon.start()
    fail_runs(daemon, sim, 3)
    raised = wait_until("looked at again", lambda: (daemon.call("alerts")["alerts"][0]["raised"] or [{}])[0].get("text"), 20)  # noqa: F405
    time.sleep(0.2)  # a notice that must not come has no event
    assert len(hook.posts) == posts, hook.posts[posts:]
    answer = ficq(daemon, "alerts", "-o", "csv")
    assert answer.returncode == 0 and "ops,acme,,sync_failure_rate >= 20%," in answer.stdout, answer
    assert "ops by email: 0 sent" in ficq(daemon, "alerts").stdout
    report.ok("it is told once, and remembered over a restart")

    hung = script(folder, "hung", "trap '' TERM; sleep 600")
    with open(daemon.config_path) as f:
        config = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(config.replace(page, hung).replace("[ficd]\n", "[ficd]\nshutdown_timeout = 2s\n"))
    assert ficq(daemon, "reload").returncode == 0
    asking = daemon.client(5)
    asking.send(b'{"jsonrpc": "2.0", "id": 1, "method": "alerts_test", "params": {"name": "ops"}}\n')
    begun = time.monotonic()
    for _ in range(50):
        daemon.call("hello")
    assert time.monotonic() - begun < 10, "a hanging program held the daemon up"
    asking.close()
    report.ok("a program that hangs holds nobody up")

    with open(daemon.config_path, "w") as f:
        f.write(config.replace("no_success > 2h", "no_succes > 2h"))
    answer = ficq(daemon, "reload")
    assert answer.returncode != 0 and "did you mean no_success" in answer.stderr, answer
    with open(daemon.config_path, "w") as f:
        f.write(config.replace("[alert ops]", "[alert others]").replace("dead_letters > 0", "dead_letters > 5"))
    answer = ficq(daemon, "reload")
    assert answer.returncode == 0 and "restart" not in answer.stdout, answer
    posts = len(hook.posts)
    fresh = daemon.call("alerts")["alerts"]
    assert [a["name"] for a in fresh] == ["others"] and fresh[0]["when"][2] == "dead_letters > 5", fresh
    assert "others" not in hook.wait(posts + 1)[2]["text"]  # the same condition, newly asked for, is told
    report.ok("a reload takes other alerts, or none of a wrong file")

    assert daemon.call("status")["alerts"] == 1
    answer = ficq(daemon, "status")
    assert "alerts  1 raised" in answer.stdout, answer.stdout
    with open(daemon.config_path) as f:
        config = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(config.replace("[ficd]\n", "[ficd]\nhttp = %s/http.sock\n" % folder, 1))
    daemon.stop()
    sim.restarted()
    daemon.start()
    metrics = Web(os.path.join(folder, "http.sock")).request("GET", "/metrics")[1].decode()
    assert 'ficd_alerts_raised{alert="others"} 1' in metrics, metrics
    assert 'ficd_alert_notices_total{alert="others",way="email",result="sent"} 0' in metrics, metrics
    report.ok("metrics and status tell")
    daemon.stop()
    hook.close()
    mails.close()
