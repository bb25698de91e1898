"""``mintage attest``: a requirement that no command decides is met by a signed statement with its document."""

import pytest

WORDS = ("--says", "a person sees each answer", "--document", "plan.md")


@pytest.mark.slow
def test_statement_is_signed_asked_for_by_the_policy_and_stands_on_the_certificate(released):
    assert "asks nobody to attest 'oversight'" in released.run("attest", "buys", "oversight", *WORDS, expect=3).err
    with (released.root / "policies/buys.yaml").open("a") as stream:
        stream.write("  - {id: oversight, check: H1, asks: a person can override, controls: ['aia:14.4']}\n")
    released.commit("somebody must have said it")
    undecided = released.run("certify", "buys", expect=1)
    assert undecided.out.startswith("INCONCLUSIVE: buys is not decided: nobody has attested it: a person can override")
    assert "plan.md is not there" in released.run("attest", "buys", "oversight", *WORDS, expect=3).err
    released.write("plan.md", "who overrides, and how\n")
    days = released.run("attest", "buys", "oversight", *WORDS, "--days", "400", expect=2).err
    assert "from 1 to 366" in days
    signed = released.run("attest", "buys", "oversight", *WORDS, "--json").json
    assert signed["path"] == "policies/buys.attested/oversight.json" and signed["document"] == "plan.md"
    assert released.audit()[-1]["action"] == "requirement.attest"
    answer = released.run("certify", "buys")
    assert "aia:14.4  attested  oversight" in answer.out
    released.write("plan.md", "nobody can\n")
    assert "its document plan.md was changed since" in released.run("certify", "buys", expect=1).out
