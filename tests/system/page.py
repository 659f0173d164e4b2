#!/usr/bin/env python3
"""The status page: nothing from elsewhere, no text that becomes markup, and in a browser, where there is one: it shows, follows and starts syncs."""
# run-tests: beside others
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
from browser import Browser, missing  # noqa: E402
from harness import *  # noqa: E402,F403
from webclient import TOKEN, start  # noqa: E402

IN_BROWSER = ["it renders, and the console has nothing to say", "what strangers wrote stays text", "a sync is started, with the token alone",
              "it looks while it is looked at", "a daemon that is gone, and back", "where even looking needs the token"]
report = Report(  # noqa: F405
    "the files, their types and policy",
    "nothing from elsewhere, and no way from text to markup",
    "for links and bookmarks, not for other sites' pages",
    *IN_BROWSER)

FILES = {"/": "text/html; charset=utf-8", "/page.css": "text/css; charset=utf-8", "/page.js": "text/javascript; charset=utf-8",
         "/page.svg": "image/svg+xml"}
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
SINKS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc", "DOMParser", "createContextualFragment",
         "javascript:", "localStorage", "cookie")


def files(web):
    texts = {}
    for path, kind in FILES.items():
        answer, data = web.request("GET", path)
        headers = {key.lower(): text for key, text in answer.getheaders()}
        assert answer.status == 200 and headers["content-type"] == kind, (path, answer.status, headers)
        assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff", headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'", policy
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'", policy
        assert "unsafe" not in str(policy) and not any(key.startswith("access-control") for key in headers), headers
        answer, nothing = web.request("HEAD", path)
        assert answer.status == 200 and nothing == b"" and int(answer.getheader("Content-Length")) == len(data)
        assert web.request("POST", path, "{}")[0].status == 405
        texts[path] = data.decode()
    assert web.request("GET", "/page.html")[0].status == web.request("GET", "/page.txt")[0].status == 404
    return texts


def harmless(texts):
    for path, text in texts.items():
        addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", re.sub(r"/\*.*?\*/", "", text, flags=re.S))
        assert addresses == (["http://www.w3.org/2000/svg"] if path == "/page.svg" else []), (path, addresses)
    page, script = texts["/"], texts["/page.js"]
    for sink in SINKS:
        assert sink not in script, sink
    assert not re.search(r"\son\w+\s*=|\sstyle\s*=|<style|<script(?! src=\"/page\.js\")", page), "a script or a style in the page itself"
    assert not re.search(r"setAttribute\(\s*['\"](?:on|style|href|src)", script) and len(script) < 24000, len(script)
    # Attributes that can run or load something are given no value by the script at all.
    assert not re.search(r"[{,]\s*['\"]?(?:on\w+|href|src|style|action)['\"]?\s*:", script)


def visitors(web):
    def status(path, **headers):
        return web.request("GET", path, **{"Sec_Fetch_" + key: value for key, value in headers.items()})[0].status

    assert status("/", Site="none", Mode="navigate", Dest="document") == 200
    assert status("/", Site="cross-site", Mode="navigate", Dest="document") == 200
    assert status("/", Site="cross-site", Mode="navigate", Dest="iframe") == 403
    assert status("/", Site="cross-site", Mode="no-cors", Dest="image") == 403
    for path in ("/page.js", "/status", "/metrics"):
        assert status(path, Site="cross-site", Mode="navigate", Dest="document") == 403, path
    assert web.request("GET", "/", Host="evil.example")[0].status == 421


def runs_of(daemon):
    return len(daemon.call("runs", limit=1000)["runs"])


def rendered(browser, url):
    browser.go(url)
    browser.wait("the table is there", "document.querySelectorAll('.coverage tbody tr').length === 16 && "
                 "document.querySelectorAll('.plot circle').length > 5 && !document.querySelector('.busy')")
    assert browser.run("return document.querySelectorAll('.coverage tbody rect.age0').length") >= 16
    assert browser.run("return document.querySelector('#verdict').textContent") == "everything is fresh"
    assert browser.run("return [...document.querySelectorAll('time')].every(t => t.title && Date.parse(t.dateTime) > 1e12)")
    for width in (320, 390, 1280):
        browser.emulate("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 1000)
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "wider than %d" % width
    said = browser.console()
    assert said == [], said


def hostile(browser, sim, daemon):
    browser.wait("the workspace is named", "document.querySelector('.names p').textContent.includes('onerror')")
    sim.faults({"kind": "status", "status": 400, "code": EVIL, "route": "/tags"})
    daemon.sync("full", resource="tags")
    browser.wait("the error is told", "document.querySelector('.errors').textContent.includes('<script>')")
    sim.no_faults()
    assert browser.run("return document.querySelectorAll('#sources img, #sources script, #sources iframe').length") == 0
    assert browser.run("return document.title") != "owned" and browser.console() == []
    daemon.sync("full", resource="tags")


def starts(browser, daemon):
    before = runs_of(daemon)
    button, field = "#sources button", "#ask-token"
    browser.wait("nothing is under way", "document.querySelector('%s').getAttribute('aria-disabled') === 'false'" % button)
    browser.click(button)
    browser.wait("the token is asked for", "document.querySelector('#ask').open")
    browser.type(field, "wrong\n")
    browser.wait("it is refused", "document.querySelector('#ask').open && document.querySelector('#notice').textContent.includes('refused')")
    assert browser.run("return sessionStorage.length") == 0 and runs_of(daemon) == before
    browser.type(field, TOKEN + "\n")
    browser.wait("it has begun", "document.querySelector('#notice').textContent.includes('has begun')")
    wait_until("runs have ended", lambda: runs_of(daemon) > before)  # noqa: F405
    assert browser.run("return [sessionStorage.getItem('fic-token'), localStorage.length, document.cookie]") == [TOKEN, 0, ""]
    now = runs_of(daemon)
    browser.wait("nothing is under way", "document.querySelector('%s').getAttribute('aria-disabled') === 'false'" % button)
    browser.click(button)
    wait_until("it is not asked again", lambda: runs_of(daemon) > now)  # noqa: F405
    assert not browser.run("return document.querySelector('#ask').open")
    browser.console()  # the refusals


def follows(browser):
    asked = "return performance.getEntriesByType('resource').filter(e => e.name.endsWith('/rpc')).length"
    browser.run("performance.clearResourceTimings()")
    browser.wait("it looks again", asked[7:] + " > 0", 15)
    browser.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))")
    time.sleep(1)
    browser.run("performance.clearResourceTimings()")
    time.sleep(7)
    assert browser.run(asked) == 0, "it asks though nobody sees it"
    browser.run("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    browser.wait("it looks again", asked[7:] + " > 0", 5)


def gone_and_back(browser, daemon, port):
    daemon.stop()
    browser.wait("it says so", "document.querySelector('#notice').textContent.includes('does not answer')", 15)
    assert browser.run("return document.querySelectorAll('.coverage tbody tr').length") == 16, "what was known is gone"
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("http = 127.0.0.1:0", "http = 127.0.0.1:%d" % port))
    daemon.start()
    browser.wait("it is live again", "document.querySelector('#notice').textContent === '' && !document.body.classList.contains('down')", 45)
    browser.console()  # the connections that were refused


def locked(browser, url):
    browser.go(url)
    browser.run("sessionStorage.clear()")
    browser.go(url)
    browser.wait("the token is asked for", "document.querySelector('#ask').open")
    assert browser.run("return document.querySelector('#sources').childElementCount") == 0
    browser.type("#ask-token", TOKEN + "\n")
    browser.wait("the table is there", "document.querySelectorAll('.coverage tbody tr').length === 16")


with workplace() as (folder, started):  # noqa: F405
    sim = Sim(folder, "--seed", 5, "--conversations", 60, "--contacts", 30, "--rate", 0, "--app-name", EVIL)  # noqa: F405
    started.append(sim)
    daemon, web = start(folder, sim, "127.0.0.1:0")
    started.append(daemon)
    texts = files(web)
    report.ok("the files, their types and policy")
    harmless(texts)
    report.ok("nothing from elsewhere, and no way from text to markup")
    visitors(web)
    report.ok("for links and bookmarks, not for other sites' pages")
    if missing():
        for name in IN_BROWSER:
            report.skip(name, missing() + " is not installed")
    else:
        browser = Browser()
        started.append(browser)
        url = "http://127.0.0.1:%d/" % web.address
        daemon.wait_settled()
        rendered(browser, url)
        report.ok(IN_BROWSER[0])
        hostile(browser, sim, daemon)
        report.ok(IN_BROWSER[1])
        starts(browser, daemon)
        report.ok(IN_BROWSER[2])
        follows(browser)
        report.ok(IN_BROWSER[3])
        gone_and_back(browser, daemon, web.address)
        report.ok(IN_BROWSER[4])
        daemon.stop()
        daemon, web = start(folder, sim, "127.0.0.1:0", "allow_read = uid:0\n")
        started.append(daemon)
        locked(browser, "http://127.0.0.1:%d/" % web.address)
        report.ok(IN_BROWSER[5])
        browser.close()
    daemon.stop()
    sim.stop()
