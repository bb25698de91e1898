from msgspec.structs import replace

from mintage.report.estimate import Estimate
from mintage.report.headline import headline
from mintage.report.story import CertificateSummary, Decision, ModelStory, ProofNode, Run, Story

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
PASS = CertificateSummary(root=NEW, verdict="PASS", sentence="All requirements are met.")
FAIL = CertificateSummary(root=NEW, verdict="FAIL", sentence="The AUC is below 0.600.")
LIVE = ModelStory(model="late", environment="production", live=NEW, certificates=(PASS,))
RETRAIN = Decision(
    period="Jun", action="retrain", sentence="It pays.", gain=Estimate(value=0.036, low=0.024, high=0.052), cost=0.01
)


def of(*models: ModelStory, runs: tuple[Run, ...] = ()):
    return headline(Story(project="flights", models=models, runs=runs))


def test_an_empty_project_is_told_to_run():
    assert of().verdict == "Nothing yet"
    assert of(ModelStory(model="late")).verdict == "Nothing yet"


def test_a_failed_run_is_named_before_anything_is_certified():
    told = of(ModelStory(model="late"), runs=(Run(id="1", name="winter", status="failed"),))
    assert (told.tone, told.verdict) == ("bad", "Run failed")


def test_a_live_certified_model_is_well():
    told = of(LIVE)
    assert (told.tone, told.verdict) == ("good", "All is well")
    assert told.sentence == "late bbbbbbbb serves production, certified; nothing needs doing."


def test_a_broken_link_of_the_proof_comes_before_all_else_and_the_lowest_is_named():
    data = ProofNode(word="data", title="flights.parquet", state="failed", detail="its digest differs")
    run = ProofNode(word="run", title="winter", state="failed", upstream=(data,))
    told = of(replace(LIVE, decisions=(RETRAIN,), proof=run))
    assert (told.tone, told.verdict) == ("bad", "Proof broken")
    assert told.sentence == "The data “flights.parquet” behind late does not verify: its digest differs."


def test_a_decision_to_retrain_asks_for_action_until_something_came_of_it():
    told = of(replace(LIVE, decisions=(RETRAIN,)))
    assert (told.tone, told.verdict) == ("attention", "Retrain")
    assert "gains 0.036 [0.024, 0.052] a prediction and costs 0.010" in told.sentence
    assert of(replace(LIVE, decisions=(replace(RETRAIN, outcome="promoted"),))).verdict == "All is well"


def test_a_live_model_without_a_passing_certificate_is_never_well():
    assert of(replace(LIVE, live=OLD)).verdict == "Uncertified"
    assert of(replace(LIVE, certificates=())).tone == "bad"


def test_a_challenger_that_failed_is_less_urgent_than_a_champion_that_did():
    passed = replace(PASS, root=OLD)
    assert of(replace(LIVE, live=OLD, certificates=(passed, FAIL))).tone == "attention"
    assert of(replace(LIVE, certificates=(FAIL,))).tone == "bad"


def test_a_warning_is_passed_on():
    warn = Decision(period="May", action="warn", sentence="It may pay.")
    assert of(replace(LIVE, decisions=(warn,))).sentence == "late: It may pay."


def test_a_certified_model_that_serves_nowhere_is_told_to_be_released():
    assert "mintage release late" in of(replace(LIVE, live=None)).sentence


def test_the_most_urgent_model_speaks():
    other = ModelStory(model="other", live=OLD, certificates=(replace(FAIL, root=OLD),))
    assert "other" in of(LIVE, other).sentence
    assert "other" in of(other, LIVE).sentence
