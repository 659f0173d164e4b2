#!/usr/bin/env python3
# run-tests: beside others
"""A judge from outside: prism, which knows the published description of the API, stands in for the provider and between daemon and simulator.

openapi_prism.py needs the description (FIC_OPENAPI, else ../shared/api/intercom-2.16.yaml) and node with npm, which installs prism into a
temporary folder (FIC_PRISM: the path of one that is installed). Without them it is skipped.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from prism import *  # noqa: E402,F403

DESCRIPTION = described("FIC_OPENAPI", "intercom-2.16.yaml")  # noqa: F405
ME = {"type": "admin", "id": "1", "app": {"type": "app", "id_code": "random", "name": "Random", "region": "US", "timezone": "UTC"}}
RANDOM_ANSWERS = 1000

# What the description says and its own examples do not keep; see also tests/apisim/openapi.py.
CONTRADICTED = [
    r"\.(tags|notes|companies)(\.data\[\])?\.(url|type) .*must match format \"uri\"",  # "/tags/12" in all examples
    r"\.email .*must be string",                                                       # leads without an address
    r"custom_attributes\.[^.]* .*must be string",                                      # examples have numbers
    r"statistics\.\w+ .*must be",                                                      # what has not happened yet is null
    r"conversation_rating\.remark .*must be string",                                   # a rating without words
    r"(author\.email|name) .*must be string",
    r"attachments\[\]\.(width|height) .*must be",                                      # only pictures have a size
    r"_default_description_ .*must be",                                                # null in the example of a search
    r"pages\.next .*must be object",                                                   # a URL in live answers
]


def resources(daemon):
    return {r["name"]: r for r in daemon.call("status")["sources"][0]["resources"]}


def requests_are_valid(prism, report):
    with workplace() as (folder, started):  # noqa: F405
        mock = Prism(folder, prism, "mock", "--errors", DESCRIPTION)
        started.append(mock)
        daemon = Daemon(folder, mock)  # noqa: F405
        started.append(daemon)
        # The examples are not one world, so single runs may fail; that the requests are good is what counts.
        for mode in ("full", "changes"):
            daemon.sync(mode)
        violations, answers = mock.violations(), mock.answers()
        routes = set(re.findall(r"\[HTTP SERVER\] (\w+) (/\S+)", mock.log()))
        assert not violations, violations
        assert "NO_PATH_MATCHED" not in mock.log() and "terminated with error" not in mock.log(), mock.log()[-3000:]
        assert answers >= 16 and len({path.split("?")[0] for _, path in routes}) >= 15, (answers, routes)
        assert all(method in ("get", "post") for method, _ in routes), routes
        daemon.stop()
        mock.stop()
        report.ok("no request that the description does not know", "%d requests" % answers)


def read_nonsense(daemon, relay, failed, end):
    rounds = 0
    while relay.count < RANDOM_ANSWERS and time.monotonic() < end:
        for run in daemon.sync("full" if rounds % 2 else "changes"):
            if run["outcome"] == "failed":
                failed[run["resource"]] = run["error"]
            assert run["calls"] < 400, run
        rounds += 1
        for r in resources(daemon).values():
            # What was never read without a fault is not held.
            if r["last_sync"] is None:
                assert r["coverage_ratio"] == 0 and r["state"] == "stale", r


def random_answers(prism, report):
    with workplace() as (folder, started):  # noqa: F405
        mock = Prism(folder, prism, "mock", "-d", "--seed", "20", DESCRIPTION)
        started.append(mock)
        relay = Relay(mock.url, ME)
        daemons, failed, errors = [], {}, []
        # Several of them, since most of the time goes into waiting before the next attempt.
        for name in "abcd":
            home = os.path.join(folder, name)
            os.mkdir(home)
            daemons.append(Daemon(home, relay, source_options="concurrency = 8\nbudget = 100%", retry="10ms"))  # noqa: F405
            started.append(daemons[-1])

        def work(daemon):
            try:
                read_nonsense(daemon, relay, failed, time.monotonic() + 120)
            except Exception as error:  # a failed check of another thread is a failed check
                errors.append(error)
        threads = [threading.Thread(target=work, args=(daemon,)) for daemon in daemons]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors, errors
        assert relay.count >= RANDOM_ANSWERS, relay.count
        assert failed and all(failed.values()), failed
        cpu, count = sum(daemon.cpu_seconds() for daemon in daemons), relay.count
        assert cpu < 60, cpu
        for daemon in daemons:
            daemon.stop()
            check = subprocess.run([program("ficd"), "--config", daemon.config_path, "--check-store"],  # noqa: F405
                                   capture_output=True, timeout=60)
            assert check.returncode == 0, check.stderr
        relay.stop()
        mock.stop()
        report.ok("random answers: no circle, no crash, no false claim", "%d answers, %.1f s CPU" % (count, cpu))


def simulator_keeps_to_it(prism, report):
    with workplace() as (folder, started):  # noqa: F405
        sim = Sim(folder, "--contacts", 300, "--companies", 60, "--conversations", 120, "--rate", 0)  # noqa: F405
        started.append(sim)
        proxy = Prism(folder, prism, "proxy", DESCRIPTION, sim.url)
        started.append(proxy)
        daemon = Daemon(folder, proxy)  # noqa: F405
        started.append(daemon)
        daemon.wait_settled(200)
        for seed in (1, 2):
            sim.mutate(80, seed)
            sim.control("POST", "clock", {"advance_s": 10})
            # The short lists would be asked for with If-None-Match: prism has no words for the answer 304.
            for resource in ("conversations", "contacts", "tickets"):
                daemon.sync(resource=resource)
        left = [v for v in proxy.violations() if not any(re.search(c, v) for c in CONTRADICTED)]
        assert not left, left[:20]
        answers = proxy.answers()
        assert answers > 150, answers
        compare(daemon, sim, ["conversations", "messages", "contacts", "tickets", "ticket_parts"])  # noqa: F405
        daemon.stop()
        proxy.stop()
        sim.stop()
        report.ok("the simulator's answers are what the description says", "%d answers" % answers)


def main():
    folder = tempfile.mkdtemp(prefix="fic-prism-", dir="/tmp")
    try:
        prism = install(folder)
        report = Report("no request that the description does not know",  # noqa: F405
                        "random answers: no circle, no crash, no false claim",
                        "the simulator's answers are what the description says")
        requests_are_valid(prism, report)
        random_answers(prism, report)
        simulator_keeps_to_it(prism, report)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
