"""Actions, answers and jobs as bytes: what a worker refuses, and what a submitter does not believe."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from mintage.errors import NotPortableError, RecordInvalidError, RunError
from mintage.pipeline.action import Action, CodeFile, decode_action, encode_action
from mintage.pipeline.dispatch.answers import error_of, outcome_of, stage_outcome
from mintage.pipeline.dispatch.live_log import LiveLog
from mintage.pipeline.dispatch.messages import Answer, Message, encode, parse_job, parse_message
from mintage.pipeline.key import cache_key
from mintage.pipeline.mlflow_log.keep import KeptLog
from mintage.pipeline.sandbox import Finished
from mintage.pipeline.stage_run import StageOutcome
from mintage.record.envelope import Record
from mintage.record.envelope import encode as encode_record
from mintage.repo.locks import Item

NONE = "b3:" + "0" * 64
PARTS = {"command": ["sh", "a.sh"], "inputs": {"data/a.csv": NONE}, "params": {"depth": 3}, "code": {"a.sh": NONE}}


def action(**changed: Any) -> Action:
    made = Action(
        stage="a",
        key=cache_key(PARTS),
        parts=PARTS,
        command=("sh", "a.sh"),
        environment=NONE,
        inputs=(Item(path="data/a.csv", digest=NONE, size=3),),
        code={"a.sh": CodeFile(digest=NONE, executable=True)},
        out=("out/",),
    )
    return msgspec.structs.replace(made, **changed)


def test_an_action_comes_back_from_its_bytes_and_names_what_it_rests_on() -> None:
    data = encode_action(action())
    assert decode_action(data) == action()
    assert msgspec.json.decode(data)["upstream"] == [NONE, NONE]


@pytest.mark.parametrize(
    "changed",
    [
        {"parts": PARTS | {"params": {"depth": 4}}},
        {"inputs": ()},
        {"inputs": (Item(path="data/a.csv", digest="b3:" + "1" * 64, size=3),)},
        {"out": ("../elsewhere",)},
        {"metrics": ("/etc/motd",)},
        {"code": {"../a.sh": CodeFile(digest=NONE)}},
        {"environment": "none"},
        {"code": {"a.sh": CodeFile(digest="b3:" + "1" * 64)}},
        {"code": {}},
    ],
    ids=str,
)
def test_an_action_that_is_not_what_its_key_says_or_leads_out_is_refused(changed: dict[str, Any]) -> None:
    made = action(**changed)
    with pytest.raises(RecordInvalidError):
        decode_action(encode_record(Record(kind="action", version=0, upstream=(), body=msgspec.to_builtins(made))))


@pytest.mark.parametrize(
    "record",
    [
        Record(kind="run", version=0, upstream=(), body={}),
        Record(kind="action", version=0, upstream=(), body={"stage": "a"}),
        Record(kind="action", version=1, upstream=(), body=msgspec.to_builtins(action())),
    ],
    ids=["kind", "fields", "version"],
)
def test_what_is_no_action_of_this_version_is_refused(record: Record) -> None:
    with pytest.raises(RecordInvalidError):
        decode_action(encode_record(record))


def test_an_outcome_comes_back_from_an_answer_with_all_that_a_record_takes() -> None:
    made = StageOutcome(
        outputs=(Item(path="m", digest=NONE, size=2, folder=True),),
        metrics=(("auc", 0.5, 0), ("loss", math.inf, 3), ("worst", -math.inf, 0)),
        finished=Finished(exit_code=0, duration_s=1.5, timed_out=False, left=("sleep",)),
        log=NONE,
        notebook=NONE,
        remarks=("reads x",),
        seeds=("random.seed(3)",),
        used=({"libraries": {"numpy": "2.0"}},),
        mlflow=KeptLog(record=NONE, metrics={"loss": 0.5}, said="1 run"),
    )
    line = encode(Message(answer=Answer(action=NONE, outcome=outcome_of(made))))
    answer = parse_message(line).answer
    assert answer is not None and answer.outcome is not None
    assert stage_outcome(answer.outcome, log=NONE, notebook=NONE) == made


def test_an_error_comes_back_as_its_own_kind_and_an_unknown_one_as_a_failed_run() -> None:
    found = error_of({"code": "pipeline.not-portable", "message": "no", "hint": "elsewhere"})
    assert (type(found), found.message, found.hint) == (NotPortableError, "no", "elsewhere")
    assert type(error_of({"code": "of.a.later.version"})) is RunError


@pytest.mark.parametrize("line", [b"", b"{}x", b'{"action": 1}', b'{"action": "a", "remote": "b", "more": 1}'])
def test_what_is_no_job_is_refused(line: bytes) -> None:
    with pytest.raises(RecordInvalidError):
        parse_job(line)


def test_a_live_log_gives_whole_lines_without_secrets(tmp_path: Any) -> None:
    log = tmp_path / "a.log"
    live = LiveLog(log)
    log.write_text("before anything is known to hide\n")
    assert live.new_lines() == ""
    live.hide({"REGION": "eu", "DB_PASSWORD": "correct-horse"}, secrets={"PIN": "1234"})
    log.write_text("eu correct-horse\n12")
    assert live.new_lines() == "eu ***\n"
    with log.open("a") as stream:
        stream.write("34 said\nhalf")
    assert (live.new_lines(), live.new_lines()) == ("*** said\n", "")
