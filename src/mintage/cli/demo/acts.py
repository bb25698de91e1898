"""The demo's acts: from a commit to certified production, through months of traffic, to the model's replacement."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from mintage.cli.console import progress
from mintage.cli.demo.narrator import Narrator
from mintage.cli.demo.verdicts import sum_up
from mintage.cli.demo.world import Month, World, ask, request_body, thin_out
from mintage.errors import RunError

__all__ = ["play"]

MONTHS = [Month(number) for number in range(3, 11)]
MODEL = "late"
ENVIRONMENT = "production"


def play(narrator: Narrator, *, every: int, requests: int) -> None:
    """Play all acts; what was started is ended, whatever happens."""
    try:
        _data(narrator, every)
        _run(narrator)
        _certify(narrator)
        url = _release(narrator)
        world = World(narrator.folder / "data")
        _predict(narrator, world, url)
        decision, decided = _traffic(narrator, world, url, requests)
        _retrain(narrator, decision, decided)
        margin = "0.01" if every == 1 else "0.1"
        _canary(narrator, world, url, requests=requests, margin=margin, months=MONTHS[MONTHS.index(decided) + 1 :])
        _prove(narrator)
    finally:
        _stop(narrator)
    narrator.step("What happened")
    for line in narrator.summary:
        narrator.tell(f"  {line}")


def _data(narrator: Narrator, every: int) -> None:
    narrator.step(
        "1. Data",
        "Will a flight out of New York be late? Two raw files, versioned by content; the commit ties them to the code.",
    )
    # A repository of its own, also where the folder lies inside another one, as in a clone of Mintage.
    narrator.git("init", "-q")
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/main"], cwd=narrator.folder, check=True)
    narrator.mintage("init", "--template", "flights", quiet=True)
    if every > 1:
        thin_out(narrator.folder / "data", every=every)
        _scale(narrator.folder, every)
    for key, value in (("user.name", "Mintage demo"), ("user.email", "demo@example.org"), ("commit.gpgsign", "false")):
        subprocess.run(["git", "config", key, value], cwd=narrator.folder, check=True)
    narrator.mintage("add", "data/flights.parquet", "data/weather.parquet")
    narrator.git("add", "-A", quiet=True)
    narrator.git("commit", "-qm", "project: pipeline, data, and the policy, written before any training", quiet=True)
    narrator.remember("data: two raw files versioned; the policy was committed before the first training")


def _run(narrator: Narrator) -> None:
    narrator.step(
        "2. Run", "Three stages in scratch folders, then the model: lowered exactly to ONNX, signed, no pickle."
    )
    narrator.mintage("run")
    narrator.git("add", "-A", quiet=True)
    narrator.git("commit", "-qm", "run: first model", quiet=True)
    narrator.tell("A second run does nothing; one changed parameter reruns only what depends on it:")
    narrator.mintage("run")
    narrator.tell(f"  (in {narrator.last_s:.2f} s)")
    params = narrator.folder / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("iterations: 40", "iterations: 41"))
    narrator.mintage("why", "train")
    narrator.mintage("run")
    narrator.tell("Taken back, the first results come from the store:")
    params.write_text(text)
    narrator.mintage("run")
    narrator.mintage("show", MODEL)


def _certify(narrator: Narrator) -> None:
    narrator.step("3. Certify", "Without a certificate nothing is released:")
    narrator.mintage("release", MODEL, "--to", ENVIRONMENT, "--why", "too early", expect=(1,))
    narrator.tell("The policy's thresholds are older than the model. Only certify opens the hold-out.")
    output = narrator.mintage("certify", MODEL)
    narrator.git("add", "-A", quiet=True)
    narrator.git("commit", "-qm", "certify: first model", quiet=True)
    narrator.tell(
        "Asked was how good it is, whether anything leaked, whether the data are enough, how it behaves on rows"
    )
    narrator.tell(f"that nobody has, and whether what is served is what was fitted: {sum_up(output)}.")
    narrator.remember(f"certificate: {_line_with(output, 'PASS: ')}")
    narrator.remember(f"asked: {sum_up(output)}")


def _release(narrator: Narrator) -> str:
    narrator.step("4. Release", "A manifest in Git says what runs; reconcile verifies everything, then makes it so.")
    narrator.mintage("release", MODEL, "--to", ENVIRONMENT, "--why", "first certified model")
    narrator.tell("One flipped bit in the stored model, and it is refused:")
    blob = _model_blob(narrator)
    whole = blob.read_bytes()
    blob.chmod(0o644)
    blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        narrator.mintage("reconcile", ENVIRONMENT, expect=(4,))
    finally:
        blob.write_bytes(whole)
        blob.chmod(0o444)
    narrator.tell("Put back, it is accepted:")
    narrator.mintage("reconcile", ENVIRONMENT)
    narrator.remember("release: refused without a certificate, refused tampered, then served from a manifest in Git")
    return _url(narrator)


def _predict(narrator: Narrator, world: World, url: str) -> None:
    narrator.step(
        "5. Predict", f"The Open Inference Protocol v2 over HTTP at {url}; a file goes through the same checks."
    )
    flight = world.flights(Month(3)).head(1).to_dicts()[0]
    body = request_body({**flight, "flight_id": "demo-1"})
    narrator.tell(
        f"$ curl -H 'content-type: application/json' {url}/v2/models/{MODEL}/infer -d '{body.decode()[:96]}…'"
    )
    score = next(ask(url, MODEL, [{**flight, "flight_id": "demo-1"}], progress=lambda _: None))
    narrator.tell(f"  flight {flight['carrier']} to {flight['dest']}: probability of being late {score:.3f}")
    narrator.tell(f"$ curl {url}/metrics | grep predictions_total")
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        metrics = answer.read().decode()
    for line in metrics.splitlines():
        if line.startswith("mintage_predictions_total"):
            narrator.tell(f"  {line}")


def _traffic(narrator: Narrator, world: World, url: str, requests: int) -> tuple[str, Month]:
    narrator.step(
        "6. Live traffic, and watching it",
        "Months arrive one by one; the labels of a month come when the next month has passed.",
    )
    for month in MONTHS:
        _month(narrator, world, url, month, requests)
        record, decision = _watch(narrator, month)
        narrator.remember(f"{month.after}: {decision['sentence']}")
        if decision["action"] == "retrain":
            return record, month
    raise RunError("no month led to a decision to retrain", found=", ".join(narrator.summary))


def _month(narrator: Narrator, world: World, url: str, month: Month, requests: int) -> None:
    """A month's flights ask for predictions; then the labels that are complete by its end arrive."""
    narrator.tell("")
    narrator.tell(f"-- {month.title}")
    single, rest = world.split(month, requests=requests)
    with progress(f"{len(single)} single requests", len(single)) as advance:
        scores = list(ask(url, MODEL, single, progress=advance))
    narrator.tell(f"{len(scores)} flights asked one by one over HTTP, mean score {sum(scores) / len(scores):.3f}")
    traffic = narrator.folder / "traffic"
    traffic.mkdir(exist_ok=True)
    ignored = narrator.folder / ".git" / "info" / "exclude"
    if "/traffic/" not in ignored.read_text():
        ignored.write_text(ignored.read_text() + "/traffic/\n")
    rest.write_parquet(traffic / f"{month.name}.parquet")
    narrator.mintage("predict", MODEL, f"traffic/{month.name}.parquet", f"traffic/{month.name}.scored.parquet")
    for earlier in MONTHS:
        if earlier.labelled == month.after:
            world.labels(earlier).write_parquet(traffic / f"{earlier.name}.labels.parquet")
            narrator.mintage("labels", MODEL, f"traffic/{earlier.name}.labels.parquet", "--observed-at", month.after)


def _watch(narrator: Narrator, month: Month) -> tuple[str, dict[str, str]]:
    narrator.mintage("monitor", MODEL, "--as-of", month.after)
    output = subprocess.run(
        _quiet("show", "decision", "--json"), cwd=narrator.folder, capture_output=True, text=True, check=True
    ).stdout
    found = json.loads(output)
    return str(found["record"]), found["decision"]


def _retrain(narrator: Narrator, decision: str, month: Month) -> None:
    narrator.step(
        "7. Retrain", "The decision starts a run on a new branch; the challenger is certified against the champion."
    )
    as_of = month.after
    branch = f"retrain/{MODEL}-{as_of}"
    narrator.mintage("retrain", MODEL, "--decision", decision)
    narrator.git("merge", "-q", "--ff-only", branch)
    narrator.mintage("checkout")
    narrator.mintage(
        "release", MODEL, "--to", ENVIRONMENT, "--canary", "20", "--decision", decision, "--why", f"retrain of {as_of}"
    )
    narrator.mintage("reconcile", ENVIRONMENT)
    narrator.remember("retrain: a challenger, certified against the champion, gets 20 % of the traffic")


def _canary(narrator: Narrator, world: World, url: str, *, requests: int, margin: str, months: list[Month]) -> None:
    """Traffic for both models until the outcomes allow a promotion; then a rollback, and its undoing."""
    for month in months:
        _month(narrator, world, url, month, requests)
        command = ("release", MODEL, "--to", ENVIRONMENT, "--promote", "--margin", margin, "--as-of", month.after)
        output = narrator.mintage(*command, expect=(0, 1))
        if "promoted" in output:
            break
    else:
        raise RunError("the canary was not promoted", found=output)
    narrator.mintage("reconcile", ENVIRONMENT)
    narrator.remember(f"canary: {_line_with(output, 'promoted: ')}")
    narrator.tell("A rollback is a revert commit; and so is undoing it:")
    narrator.mintage("rollback", f"{ENVIRONMENT}/{MODEL}")
    narrator.mintage("reconcile", ENVIRONMENT)
    narrator.mintage("rollback", f"{ENVIRONMENT}/{MODEL}")
    narrator.mintage("reconcile", ENVIRONMENT)
    narrator.mintage("log", "-n", "3")
    narrator.remember("rollback: one revert commit took the old model back, one more the new one")


def _prove(narrator: Narrator) -> None:
    narrator.step("8. Prove", "From the live endpoint back to model, certificate, run, data and commit:")
    output = narrator.mintage("verify", f"{ENVIRONMENT}/{MODEL}")
    narrator.mintage("audit", "verify")
    narrator.remember(f"proof: {output.strip().splitlines()[-1]}")
    report = narrator.mintage("report")
    narrator.remember(f"the story with pictures: {report.strip()}")


def _stop(narrator: Narrator) -> None:
    """End the gateway, also after an error or an interrupt."""
    if (narrator.folder / ".mintage").is_dir():
        subprocess.run(_quiet("stop", ENVIRONMENT), cwd=narrator.folder, capture_output=True, check=False)


def _quiet(*words: str) -> list[str]:
    return [sys.executable, "-m", "mintage", *words]


def _url(narrator: Narrator) -> str:
    live = narrator.folder / ".mintage" / "environments" / ENVIRONMENT / "live.json"
    return str(json.loads(live.read_text())["url"])


def _model_blob(narrator: Narrator) -> Path:
    """The stored bytes of the model's graph."""
    output = subprocess.run(
        _quiet("show", MODEL, "--json"), cwd=narrator.folder, capture_output=True, text=True, check=True
    ).stdout
    digest = next(file["digest"] for file in json.loads(output)["files"] if file["path"] == "model.onnx")
    value = str(digest).removeprefix("b3:")
    return narrator.folder / ".mintage" / "store" / "b3" / value[:2] / value[2:]


def _scale(folder: Path, every: int) -> None:
    """Fit the project to fewer rows, before the first training: smaller leaves, wider gates, a cheaper retrain.

    With a tenth of the flights nothing is wrong with the model, but no interval is narrow enough for the full gates.
    """
    changes = {
        "params.yaml": {"rows_per_leaf: 500": f"rows_per_leaf: {max(500 // every, 20)}"},
        "policies/late.yaml": {
            "min: 0.60": "min: 0.50",
            "against: [prior, tree]": "min: -0.10\n    against: [prior, tree]",
            "margin: 0.005": "margin: 0.05",
            "max: 0.10": "max: 0.30",
        },
        "models/late.yaml": {"{compute: 5, review: 175, rollout: 100}": "{compute: 5}"},
    }
    for name, words in changes.items():
        text = (folder / name).read_text()
        for old, new in words.items():
            if old not in text:
                raise RunError(f"the template's {name} is not as the demo expects", expected=old, where=str(folder))
            text = text.replace(old, new)
        (folder / name).write_text(text)


def _line_with(output: str, start: str) -> str:
    """The first line that begins with ``start``."""
    return next((line.strip() for line in output.splitlines() if line.strip().startswith(start)), "")
