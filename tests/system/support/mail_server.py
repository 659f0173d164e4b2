#!/usr/bin/env python3
"""A mail server that keeps what it gets. As a program: prints its port, then each mail as a line of JSON.

usage: mail_server.py [--certificate FILE --key FILE] [--user NAME --password WORD] [--refuse ADDRESS]
"""
import argparse
import base64
import json
import socket
import ssl
import threading


class MailServer:
    def __init__(self, certificate=None, key=None, user=None, password=None, refuse=None, mailed=None):
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.user, self.password, self.refuse, self.mailed = user, password, refuse, mailed
        self.mails, self.commands, self.failures = [], [], 0  # the next so many connections are refused
        self.changed = threading.Condition()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def close(self):
        self.socket.close()

    def talk(self, connection):
        try:
            Dialogue(self, connection).run()
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            connection.close()

    def keep(self, mail):
        with self.changed:
            self.mails.append(mail)
            self.changed.notify_all()
        if self.mailed:
            self.mailed(mail)

    def wait(self, count, seconds=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, seconds), \
                "%d mails came, %d were expected" % (len(self.mails), count)
            return self.mails[count - 1]


class Dialogue:
    def __init__(self, server, connection):
        self.server, self.connection = server, connection
        self.connection.settimeout(20)
        self.file = connection.makefile("rwb")
        self.secure = self.known = False
        self.to = []
        self.sender = None

    def say(self, text):
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()

    def line(self):
        line = self.file.readline()
        if not line:
            raise ValueError("the end")
        return line.rstrip(b"\r\n").decode()

    def run(self):
        if self.server.failures:
            self.server.failures -= 1
            return self.say("421 too busy")
        self.say("220 here")
        while True:
            line = self.line()
            word, _, rest = line.partition(" ")
            self.server.commands.append(("tls " if self.secure else "") + line)
            method = getattr(self, "on_" + word.lower(), None)
            if not method:
                self.say("500 what?")
            elif method(rest) == "end":
                return None

    def on_ehlo(self, _rest):
        offers = ["here"]
        if self.server.context and not self.secure:
            offers.append("STARTTLS")
        if self.server.user:
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            self.say("250-" + offer)
        self.say("250 " + offers[-1])

    def on_starttls(self, _rest):
        if not self.server.context:
            return self.say("502 no")
        self.say("220 go on")
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rwb")
        self.secure = True
        return None

    def on_auth(self, rest):
        method, _, words = rest.partition(" ")
        if not words:
            self.say("334 ")
            words = self.line()
        said = base64.b64decode(words).decode().split("\0")
        self.known = method == "PLAIN" and said[1:] == [self.server.user, self.server.password]
        self.say("235 welcome" if self.known else "535 no such user")

    def on_mail(self, rest):
        if self.server.user and not self.known:
            return self.say("530 who are you?")
        self.sender = rest
        return self.say("250 fine")

    def on_rcpt(self, rest):
        if self.server.refuse and self.server.refuse in rest:
            return self.say("550 no such mailbox here")
        self.to.append(rest)
        return self.say("250 fine")

    def on_data(self, _rest):
        self.say("354 go on")
        lines = []
        while True:
            line = self.line()
            if line == ".":
                break
            lines.append(line[1:] if line.startswith("..") else line)
        self.server.keep({"from": self.sender, "to": self.to, "secure": self.secure, "known": self.known, "lines": lines})
        self.say("250 taken")

    def on_quit(self, _rest):
        self.say("221 bye")
        return "end"


def main():
    parser = argparse.ArgumentParser()
    for name in ("certificate", "key", "user", "password", "refuse"):
        parser.add_argument("--" + name)
    options = parser.parse_args()
    server = MailServer(mailed=lambda mail: print(json.dumps(mail), flush=True), **vars(options))
    print(server.port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
