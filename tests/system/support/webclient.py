"""A daemon that serves HTTP, and one who asks it."""
import http.client
import json
import os
import socket

from harness import Daemon, wait_until

TOKEN = "http-secret"


class Web:
    """Asks one daemon over HTTP."""

    def __init__(self, address):
        self.address = address

    def request(self, method, path, body=None, **headers):
        if isinstance(self.address, str):
            connection = http.client.HTTPConnection("localhost", timeout=30)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.address)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.address, timeout=30)
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer, data

    def rpc(self, method, token=None, **params):
        headers = {"Content_Type": "application/json"}
        if token:
            headers["Authorization"] = "Bearer " + token
        answer, data = self.request("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}), **headers)
        return answer.status, json.loads(data) if answer.getheader("Content-Type") == "application/json" else data


def web_port(daemon, before=0):
    """Where it listens, as its log says from a place on; a moment after its socket is there."""
    def listening():
        return [line for line in daemon.log_text()[before:].splitlines() if "listening on http://" in line]
    return int(wait_until("it listens on a port", listening, 30)[0].rsplit(":", 1)[1].rstrip("/"))


def start(folder, sim, http, more="", source_options=""):
    """A daemon with http = …, and where it listens."""
    daemon = Daemon(folder, sim, start=False, source_options=source_options)
    token_path = os.path.join(folder, "http_token")
    with open(token_path, "w") as f:
        f.write(TOKEN + "\n")
    os.chmod(token_path, 0o600)
    with open(daemon.config_path) as f:
        text = f.read()
    with open(daemon.config_path, "w") as f:
        f.write(text.replace("[ficd]\n", "[ficd]\nhttp = %s\nhttp_token = file:%s\n%s" % (http, token_path, more), 1))
    before = len(daemon.log_text()) if os.path.exists(daemon.log_path) else 0
    daemon.start()
    if http.startswith("/"):
        return daemon, Web(http)
    return daemon, Web(web_port(daemon, before))
