"""How often a hold-out was judged on, from the command line: said, signed, limited, and missed when it is rewritten."""

from __future__ import annotations

import pytest

from small_project import SmallProject


@pytest.mark.slow
def test_the_second_model_on_a_hold_out_is_said_counted_limited_and_a_log_begun_anew_noticed(
    released: SmallProject,
) -> None:
    assert "  hold-out: the 2nd model judged on this hold-out, in 3 looks\n" in released.run("certify", "buys").out
    shown = released.run("verify", "buys").out
    assert "ok  hold-out the 2nd model judged on this hold-out, in 3 looks: entered in this clone's audit log" in shown

    released.write("policies/buys.yaml", released.read("policies/buys.yaml") + "holdout: {max_models: 1}\n")
    released.commit("one model on a hold-out")
    answer = released.run("certify", "buys", "--json", expect=1).json
    assert answer["verdict"] == "INCONCLUSIVE" and "the 2nd model judged on this hold-out" in answer["sentence"]
    assert (answer["holdout"]["models"], answer["holdout"]["looks"]) == (2, 4)
    assert {item["verdict"] for item in answer["results"]} == {"PASS"}

    for name in ("mintage.db", "mintage.db-wal", "mintage.db-shm", "audit.checkpoint"):
        (released.root / ".mintage" / name).unlink(missing_ok=True)
    assert "the audit log no longer begins with the checkpoint" in released.run("verify", "buys", expect=4).out
