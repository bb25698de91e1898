"""A worker that does its work and then spoils what it says, or says nothing: ``python faulty_worker.py FAULT ONCE …``

It spoils the first time, which the folder ONCE remembers, and with FAULT in capitals every time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

REAL = [sys.executable, "-P", "-m", "mintage", "worker"]


def main() -> None:
    fault, once, words = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    first = not once.exists()
    once.mkdir(exist_ok=True)
    if not first and fault.islower():
        os.execv(REAL[0], [*REAL, *words])
    fault = fault.lower()
    if fault == "silent":
        signal.pause()
    if fault == "rubbish":
        say("hello")
        sys.stdin.read()
        return
    if fault == "dead":
        os.kill(os.getpid(), signal.SIGKILL)
    job = sys.stdin.readline()
    with subprocess.Popen([*REAL, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(job)
        process.stdin.flush()  # it stays open: closed, it would end the worker
        *before, last = process.stdout.read().splitlines()
    message = json.loads(last)
    spoil(fault, message["answer"], json.loads(job))
    lines = [*before, json.dumps(message)]
    if fault == "twice":
        message["answer"]["outcome"]["outputs"][0]["digest"] = "b3:" + "0" * 64
        lines.append(json.dumps(message))
    say("\n".join(lines))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def spoil(fault: str, answer: dict[str, Any], job: dict[str, Any]) -> None:
    output = answer["outcome"]["outputs"][0]
    blob = Path(job["remote"], "b3", output["digest"][3:5], output["digest"][5:])
    if fault == "absent":
        output["digest"] = "b3:" + "0" * 64
    elif fault == "other":  # bytes that are there, but are not what the stage made
        output["digest"] = answer["log"]
    elif fault == "bytes":
        blob.chmod(0o644)
        blob.write_bytes(bytes(output["size"]))
    elif fault == "path":
        output["path"] = "../elsewhere.txt"
    elif fault == "action":
        answer["action"] = "b3:" + "1" * 64


if __name__ == "__main__":
    main()
