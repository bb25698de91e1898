"""Real gateway processes and their clients, for the tests of this folder."""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from urllib.parse import urlsplit

from mintage.serve.control import start_gateway, wait_generation
from mintage.serve.desired import Challenger, Desired, Placement, Target, write_desired


class Client:
    """One keep-alive connection to a gateway."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        data = answer.read()
        self.headers = answer.headers
        return answer.status, json.loads(data) if answer.headers["content-type"] == "application/json" else data

    def infer(self, rows=((0.5, 1.0, "a"),), *, path="/v2/models/late/infer", **members):
        body = json.dumps({"inputs": tensors(rows), **members})
        return self.ask("POST", path, body, {"content-type": "application/json"})

    def close(self):
        self.connection.close()


def tensors(rows):
    kinds = (("x", "FP64"), ("y", "FP64"), ("name", "BYTES"))
    return [
        {"name": name, "datatype": kind, "shape": [len(rows)], "data": [row[at] for row in rows]}
        for at, (name, kind) in enumerate(kinds)
    ]


class Environment:
    """One environment's folder with the gateway that a test runs in it."""

    def __init__(self, folder):
        self.dir = folder
        self.generation = 0

    def desire(self, champion, challenger=None, share=0.0, salt="", *, model="late", expires=None):
        self.generation += 1
        target = Target(root=champion.root, folder=str(champion.folder), expires=expires)
        rival = challenger and Challenger(root=challenger.root, folder=str(challenger.folder), share=share)
        placement = Placement(champion=target, challenger=rival, salt=salt)
        write_desired(self.dir, Desired(generation=self.generation, models={model: placement}))
        return self.generation

    def start(self):
        self.state = start_gateway(self.dir, "127.0.0.1", 0, timeout_s=60)
        return self.state

    def follow(self):
        self.state = wait_generation(self.dir, self.generation, 30)
        return self.state

    def client(self):
        return Client(self.state.url)

    def kill(self):
        os.kill(self.state.pid, signal.SIGKILL)
        os.waitpid(self.state.pid, 0)


def until(condition, seconds=20.0):
    """Poll until ``condition()`` is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found
