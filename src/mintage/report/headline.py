"""Decide what a project's page says first: one verdict, and one sentence that a person can act on.

The most urgent of all models wins. For one model, the first of these that holds: a link of the chain of proof does not
verify; a decision to retrain was not acted on; the last certificate did not pass; the champion has no passing
certificate; the last decision is a warning; no certificate or no release yet; all is well. It is pure, and reads only
the story.

>>> headline(Story(project="flights")).sentence
'Nothing has run yet: `mintage run` executes the pipeline and records it.'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mintage.report.estimate import View
from mintage.report.numbers import estimated, number, short
from mintage.report.story import ModelStory, ProofNode, Story

__all__ = ["Headline", "Tone", "headline"]


Tone = Literal["good", "attention", "bad", "neutral"]


class Headline(View, frozen=True, kw_only=True):
    """The first thing on a page."""

    tone: Tone
    verdict: str
    """One or two words."""
    sentence: str


def headline(story: Story) -> Headline:
    """The verdict and the sentence for a story."""
    if not any(model.certificates or model.live for model in story.models):
        return _before_certificates(story)
    urgency = ("bad", "attention", "neutral", "good")
    return min(map(_of_model, story.models), key=lambda one: urgency.index(one.tone))


def _before_certificates(story: Story) -> Headline:
    if not story.runs:
        sentence = "Nothing has run yet: `mintage run` executes the pipeline and records it."
        return Headline(tone="neutral", verdict="Nothing yet", sentence=sentence)
    if story.runs[-1].status == "failed":
        sentence = f"The last run, {story.runs[-1].name}, failed: mend it and `mintage run` goes on from there."
        return Headline(tone="bad", verdict="Run failed", sentence=sentence)
    sentence = "The pipeline has run, but no model is certified: `mintage certify` judges it against its policy."
    return Headline(tone="neutral", verdict="Not certified", sentence=sentence)


def _of_model(model: ModelStory) -> Headline:
    for node in _nodes(model.proof):
        if node.state == "failed":
            why = f": {node.detail}" if node.detail else ""
            sentence = f"The {node.word} “{node.title}” behind {model.model} does not verify{why}."
            return Headline(tone="bad", verdict="Proof broken", sentence=sentence)
    last = model.decisions[-1] if model.decisions else None
    if last is not None and last.action == "retrain" and last.outcome is None:
        gain = (
            f" gains {estimated(last.gain.value, last.gain.low, last.gain.high)} a prediction"
            if last.gain
            else " is due"
        )
        cost = f" and costs {number(last.cost)}" if last.cost is not None else ""
        sentence = f"A new {model.model}{gain}{cost}: certify the challenger and release it as a canary."
        return Headline(tone="attention", verdict="Retrain", sentence=sentence)
    if model.certificates and model.certificates[-1].verdict != "PASS":
        judged = model.certificates[-1]
        sentence = f"{model.model} {short(judged.root)} may not be released. {judged.sentence}"
        tone: Tone = "bad" if judged.verdict == "FAIL" and model.live in (None, judged.root) else "attention"
        return Headline(tone=tone, verdict=judged.verdict, sentence=sentence)
    if model.live is not None and not _certified(model):
        sentence = f"{model.model} {short(model.live)} is live, and no passing certificate of it is on record."
        return Headline(tone="bad", verdict="Uncertified", sentence=sentence)
    if last is not None and last.action == "warn":
        return Headline(tone="attention", verdict="Watch", sentence=f"{model.model}: {last.sentence}")
    return _calm(model)


def _calm(model: ModelStory) -> Headline:
    if model.live is None:
        if not model.certificates:
            sentence = f"{model.model} is not certified: `mintage certify {model.model}` judges it against its policy."
            return Headline(tone="neutral", verdict="Not certified", sentence=sentence)
        sentence = (
            f"{model.model} is certified and serves nowhere: `mintage release {model.model}` writes its manifest."
        )
        return Headline(tone="neutral", verdict="Not released", sentence=sentence)
    where = f"serves {model.environment}" if model.environment else "is live"
    proven = " and proven down to its commit" if _proven(model.proof) else ""
    sentence = f"{model.model} {short(model.live)}{_past(model)} {where}, certified{proven}; nothing needs doing."
    return Headline(tone="good", verdict="All is well", sentence=sentence)


def _past(model: ModelStory) -> str:
    """How the champion came to replace the one before it, if one did."""
    took_over = [r for r in model.releases if r.root == model.live and r.replaced not in (None, r.root)]
    if not took_over:
        return ""
    how = " by a rollback" if took_over[-1].action == "rollback" else ""
    return f", which replaced {short(took_over[-1].replaced)}{how},"


def _certified(model: ModelStory) -> bool:
    return any(one.root == model.live and one.verdict == "PASS" for one in model.certificates)


def _proven(node: ProofNode | None) -> bool:
    return node is not None and all(one.state == "verified" for one in _nodes(node))


def _nodes(node: ProofNode | None) -> Iterator[ProofNode]:
    """The node and all that it rests on, from the commit up: what broke lowest is named first."""
    if node is not None:
        for below in node.upstream:
            yield from _nodes(below)
        yield node
