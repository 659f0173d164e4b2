#!/usr/bin/env python3
"""/metrics: the text is as the formats want it, everything is there before it happens, and what happens is counted."""
# run-tests: beside others
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from harness import *  # noqa: E402,F403
from webclient import TOKEN, start  # noqa: E402

report = Report(  # noqa: F405
    "the text, in both formats",
    "all families, 0 before anything happens",
    "a sync, questions, errors and webhooks are counted",
    "who may read it",
    "promtool finds nothing",
    "nobody connected: no wake-ups")

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\]|\\[\\n"])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\[\\n"])*)"')
LABELS = {"source", "resource", "result", "code_class", "method", "freshness", "version", "op", "kind", "le"}
FAMILIES = {
    "ficd_build_info": "gauge", "ficd_start_time_seconds": "gauge", "ficd_config_reload_failures_total": "counter",
    "ficd_loop_lag_seconds": "gauge", "ficd_connections_cut_total": "counter", "ficd_queries_total": "counter", "ficd_source_up": "gauge",
    "ficd_alerts_raised": "gauge", "ficd_alert_notices_total": "counter",
    "ficd_sync_last_success_timestamp_seconds": "gauge", "ficd_sync_last_attempt_timestamp_seconds": "gauge",
    "ficd_sync_runs_total": "counter", "ficd_sync_duration_seconds": "gauge", "ficd_sync_records_total": "counter",
    "ficd_records": "gauge", "ficd_data_as_of_timestamp_seconds": "gauge", "ficd_coverage_ratio": "gauge",
    "ficd_coverage_gap_seconds": "gauge", "ficd_dead_letters": "gauge", "ficd_edits": "gauge", "ficd_api_requests_total": "counter",
    "ficd_api_request_duration_seconds": "histogram", "ficd_ratelimit_limit": "gauge", "ficd_ratelimit_remaining": "gauge",
    "ficd_ratelimit_waits_seconds_total": "counter", "ficd_store_bytes": "gauge", "ficd_store_segments": "gauge",
    "ficd_store_errors_total": "counter", "ficd_webhook_events_total": "counter", "process_resident_memory_bytes": "gauge",
    "process_cpu_seconds_total": "counter", "process_open_fds": "gauge", "process_start_time_seconds": "gauge"}


def belongs(sample, family, kind, openmetrics):
    if kind == "histogram":
        return sample in (family + "_bucket", family + "_sum", family + "_count")
    return sample == (family + "_total" if openmetrics and kind == "counter" else family)


def parse(text, openmetrics=False):
    """{(name, labels): value} and {family: type}; fails where a reader would."""
    assert text.endswith("# EOF\n" if openmetrics else "\n") and ("# EOF" in text) == openmetrics
    families, values, family, helped = {}, {}, None, None
    for line in text.splitlines():
        if line == "# EOF":
            continue
        if line.startswith("# HELP "):
            helped = line.split(" ", 3)[2]
            assert helped not in families and len(line.split(" ", 3)) == 4, line
        elif line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family == helped and family not in families and kind in ("gauge", "counter", "histogram"), line
            families[family] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            labels = LABEL.findall(labels or "")
            assert belongs(name, family, families[family], openmetrics), (line, family)
            assert {key for key, _ in labels} <= LABELS and len(dict(labels)) == len(labels), line
            key = name, frozenset(labels)
            assert key not in values, "twice: " + line
            values[key] = float(value)
    return values, families


def scrape(web, **headers):
    answer, data = web.request("GET", "/metrics", **headers)
    assert answer.status == 200 and answer.getheader("Cache-Control") == "no-store", answer.status
    return answer.getheader("Content-Type"), data.decode()


def read(web):
    return parse(scrape(web)[1])[0]


def value(values, name, **labels):
    return values[name, frozenset(labels.items())]


def texts(web):
    kind, text = scrape(web)
    assert kind == "text/plain; version=0.0.4; charset=utf-8", kind
    values, families = parse(text)
    assert families == FAMILIES, set(families.items()) ^ set(FAMILIES.items())
    kind, text = scrape(web, Accept="application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8", kind
    others, families = parse(text, True)
    assert families == {re.sub("_total$", "", k): v for k, v in FAMILIES.items()}
    assert set(values) == set(others)


def nothing_yet(values):
    assert value(values, "ficd_source_up", source="acme") == 0
    for method in ("query", "aggregate", "get", "thread", "freshness"):
        for worth in ("fresh", "partial", "stale", "error"):
            assert value(values, "ficd_queries_total", method=method, freshness=worth) == 0
    for code in ("2xx", "4xx", "5xx", "none"):
        assert value(values, "ficd_api_requests_total", source="acme", code_class=code) in (0, 1)
    for resource in ("conversations", "tags"):
        for result in ("ok", "failed", "canceled"):
            assert value(values, "ficd_sync_runs_total", source="acme", resource=resource, result=result) == 0
        assert value(values, "ficd_sync_last_success_timestamp_seconds", source="acme", resource=resource) == 0
    for result in ("taken", "repeated", "ignored", "refused"):
        assert value(values, "ficd_webhook_events_total", source="acme", result=result) == 0
    assert value(values, "ficd_coverage_ratio", source="acme", resource="conversations") == 0
    assert value(values, "ficd_coverage_gap_seconds", source="acme", resource="conversations") > 86400
    assert abs(value(values, "process_start_time_seconds") - time.time()) < 300


def histogram(values):
    buckets = sorted((float(dict(labels)["le"]), count) for (name, labels), count in values.items()
                     if name == "ficd_api_request_duration_seconds_bucket")
    assert all(a[1] <= b[1] for a, b in zip(buckets, buckets[1:])) and buckets[-1][0] == float("inf")
    count = value(values, "ficd_api_request_duration_seconds_count", source="acme")
    assert buckets[-1][1] == count
    return count


def counted(daemon, web, sim):
    before = read(web)
    assert histogram(before) == sum(v for (name, _), v in before.items() if name == "ficd_api_requests_total") > 10
    assert value(before, "ficd_source_up", source="acme") == 1
    for row in daemon.call("status")["sources"][0]["resources"]:
        labels = {"source": "acme", "resource": row["name"]}
        assert value(before, "ficd_records", **labels) == row["records"], row
        assert value(before, "ficd_coverage_ratio", **labels) == row["coverage_ratio"], row
        assert abs(value(before, "ficd_data_as_of_timestamp_seconds", **labels) - time.time()) < 600, row
    web.rpc("query", resource="tags")
    web.rpc("get", resource="tags", id="none")
    web.rpc("query", resource="nothing")
    sim.mutate(5, 3, kinds=["reply"])
    sim.control("POST", "clock", {"advance_s": 10})
    assert web.rpc("sync", TOKEN, resource="conversations", wait=True)[0] == 200
    sim.faults({"kind": "status", "status": 500, "count": 1, "route": "/tags"})
    assert web.rpc("sync", TOKEN, resource="tags", mode="full", wait=True)[0] == 200
    sim.no_faults()
    web.request("POST", "/webhooks/acme", "{}")
    after = read(web)
    grown = {(name, tuple(sorted(dict(labels).items()))): after[name, labels] - before.get((name, labels), 0)
             for name, labels in after if after[name, labels] != before.get((name, labels), 0)}

    def growth(name, **labels):
        return grown.get((name, tuple(sorted(labels.items()))), 0)

    assert growth("ficd_queries_total", method="query", freshness="fresh") == 1, grown
    assert growth("ficd_queries_total", method="query", freshness="error") == 1, grown
    assert growth("ficd_queries_total", method="get", freshness="fresh") + growth("ficd_queries_total", method="get", freshness="error") == 1
    assert growth("ficd_sync_runs_total", source="acme", resource="tags", result="ok") == 1, grown
    assert growth("ficd_sync_records_total", source="acme", resource="conversations", op="updated") > 0, grown
    assert growth("ficd_sync_last_success_timestamp_seconds", source="acme", resource="tags") > 0, grown
    assert growth("ficd_sync_duration_seconds", source="acme", resource="tags") != 0, grown
    assert growth("ficd_api_requests_total", source="acme", code_class="2xx") >= 1, grown
    assert growth("ficd_api_requests_total", source="acme", code_class="5xx") == 1, grown
    assert growth("ficd_webhook_events_total", source="acme", result="refused") == 1, grown
    assert histogram(after) > histogram(before)
    sim.faults({"kind": "rate429", "count": 1, "retry_after": 1, "route": "/tags"})
    web.rpc("sync", TOKEN, resource="tags", mode="full", wait=True)
    sim.no_faults()
    waited = value(read(web), "ficd_ratelimit_waits_seconds_total", source="acme")
    assert waited - value(after, "ficd_ratelimit_waits_seconds_total", source="acme") >= 1, waited


def promtool(web):
    """What it says about the text; None where it is not installed."""
    if not shutil.which("promtool"):
        return None
    done = subprocess.run(["promtool", "check", "metrics"], input=scrape(web)[1], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def idle(daemon):
    """Turns of the loop in four seconds in which nobody asks; of the quietest ones, since a run may be due, and what was opened for one is closed later."""
    least = None
    for _ in range(4):
        before = daemon.call("status")["loop"]["turns"]
        time.sleep(4)
        turns = daemon.call("status")["loop"]["turns"] - before
        least = turns if least is None else min(least, turns)
        if least <= 8:
            break
    return least


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 6, "--conversations", 40, "--contacts", 20, "--rate", 0)  # noqa: F405
    started.append(sim)
    sim.faults({"kind": "slow", "delay_ms": 3000, "route": "/"})
    secret = os.path.join(folder, "secret")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("client-secret\n")
    daemon, web = start(folder, sim, "127.0.0.1:0", source_options="webhook_secret = file:" + secret)
    started.append(daemon)
    texts(web)
    report.ok("the text, in both formats")
    nothing_yet(read(web))
    report.ok("all families, 0 before anything happens")
    sim.no_faults()
    daemon.wait_settled()
    counted(daemon, web, sim)
    report.ok("a sync, questions, errors and webhooks are counted")
    daemon.stop()
    daemon, closed = start(folder, sim, "127.0.0.1:0", "allow_read = uid:0\n")
    started.append(daemon)
    assert closed.request("GET", "/metrics")[0].status == 401
    assert closed.request("GET", "/metrics", Authorization="Bearer " + TOKEN)[0].status == 200
    daemon.stop()
    report.ok("who may read it")
    daemon, web = start(folder, sim, "127.0.0.1:0")
    started.append(daemon)
    daemon.wait_settled()
    said = promtool(web)
    assert said in (None, (0, "")), said
    if said:
        report.ok("promtool finds nothing")
    else:
        report.skip("promtool finds nothing", "promtool is not installed")
    turns = idle(daemon)
    assert turns <= 8, "%d turns of the loop while nobody asked" % turns
    report.ok("nobody connected: no wake-ups", "%d turns in 4 s, those of the two questions about it among them" % turns)
    daemon.stop()
    sim.stop()
