"""Views as the faces fill them: a certificate of a flights model, and the story of its year."""

from __future__ import annotations

import hashlib

import numpy as np

from mintage.report import certificate_view as c
from mintage.report import story as s
from mintage.report.estimate import Estimate


def digest(name: str, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.sha256(name.encode()).hexdigest()}"


def commit(name: str) -> str:
    return hashlib.sha1(name.encode()).hexdigest()


def make_certificate() -> c.CertificateView:
    rng = np.random.default_rng(7)
    late = rng.random(6130) < 0.21
    score = 1 / (1 + np.exp(-(-1.45 + 0.62 * late + 0.62 * rng.standard_normal(late.size))))
    train_score = score + 0.02 * late
    return c.CertificateView(
        identity=c.Identity(
            model="late",
            root=digest("model-1"),
            purpose="Tell whether a flight out of New York will arrive more than 15 minutes late, "
            "when its weather is known but not its departure.",
            owner="flight-desk@example.org",
            commit=commit("train"),
            run=digest("run-1", "b3"),
            certified_at="2013-03-01T06:12:40Z",
            signed_by="certifier",
            certificate=digest("certificate-1"),
        ),
        verdict="PASS",
        waivers=(
            c.Waiver(
                requirement="origin",
                until="2013-06-30",
                reason="`LGA` opens in July.",
                compensating="A dispatcher looks at each answer.",
                approver="ana@example.org",
                approved_at="2013-03-01T06:00:00Z",
                approval=commit("waiver"),
            ),
        ),
        findings=(
            c.Finding(
                finding="f-40130e385c",
                expect="label=late",
                answer="label on time (on time 0.81, late 0.19)",
                met=False,
                author="bo@example.org",
                at="2013-02-11T09:30:00Z",
                about="Snow in Boston.",
            ),
        ),
        clauses=(
            c.Clause(control="aia:10.2f", title="examination for bias", state="not covered", requirements=("origin",)),
            c.Clause(control="aia:15.1", title="fitting accuracy", state="proven", requirements=("auc", "gap")),
        ),
        catalogues=("`aia`: EU AI Act, as of 2024-07-12.",),
        sentence="All 7 requirements that must hold are met; `late` may be released to production.",
        requirements=_requirements(),
        roc=(_roc("train", late, train_score, Estimate(value=0.705)), _roc("hold-out", late, score, _AUC)),
        calibration=_calibration(late, score),
        scores=_scores(late, score),
        latency=_latency(rng),
        policy=c.PolicyFacts(
            path="policies/late.yaml",
            digest=digest("policy"),
            commit=commit("policy"),
            author="Rita Risk <risk@example.org>",
            domain_digest=digest("domain"),
            statistics=(
                "95 % intervals; PASS only if the bad end meets the threshold.",
                "A day's flights are resampled together: 2,000 draws over 7 days, expanded percentile.",
                "Latency: upper confidence limit of the quantile from order statistics.",
            ),
        ),
        order=c.Order(
            proven=False,
            sentence="Git shows the policy before the first training commit, but no checkpoint that its author "
            "does not control says so.",
        ),
        evidence=(
            c.Evidence(name="hold-out", digest=digest("holdout"), what="odd days, 15 to 28 February", rows=6130),
            c.Evidence(name="train", digest=digest("train-data"), what="1 January to 14 February", rows=37521),
            c.Evidence(
                name="predictions", digest=digest("scores", "b3"), what="scores of every hold-out row", rows=6130
            ),
            c.Evidence(name="model folder", digest=digest("model-1"), what="9 files, signed"),
        ),
        limitations=(
            "Trained on winter days only; summer thunderstorms were not seen.",
            "Cancelled flights have no label and are not part of any figure.",
        ),
        written_at="2013-03-01T06:12:41Z",
    )


_AUC = Estimate(value=0.663, low=0.628, high=0.687)


def _requirements() -> tuple[c.Requirement, ...]:
    pairs = (
        ("auc", "AUC on the hold-out", "auc", "PASS", _AUC, 0.60, "at least", None, 6130, "rows"),
        (
            "trivial",
            "Better than the best trivial model",
            "better_than_trivial",
            "PASS",
            Estimate(value=0.121, low=0.083, high=0.158),
            0.0,
            "at least",
            None,
            6130,
            "rows",
        ),
        (
            "gap",
            "Overfitting gap, train minus hold-out",
            "overfit_gap",
            "PASS",
            Estimate(value=0.033, low=-0.004, high=0.070),
            0.10,
            "at most",
            None,
            14,
            "days",
        ),
        (
            "shared",
            "Rows shared across the split",
            "shared_rows",
            "PASS",
            Estimate(value=0.0, high=0.0006),
            0.001,
            "at most",
            None,
            6130,
            "rows",
        ),
        (
            "parity",
            "Export parity, largest difference",
            "export_parity",
            "PASS",
            Estimate(value=2.2e-16),
            1e-12,
            "at most",
            None,
            6130,
            "rows",
        ),
        (
            "p99",
            "Latency, 99th percentile",
            "latency",
            "PASS",
            Estimate(value=1.31, high=1.74),
            10.0,
            "at most",
            "ms",
            4000,
            "requests",
        ),
        (
            "p50",
            "Latency, median",
            "latency",
            "PASS",
            Estimate(value=0.62, high=0.64),
            1.0,
            "at most",
            "ms",
            4000,
            "requests",
        ),
    )
    rows = [
        c.Requirement(id=i, title=t, check=k, verdict=v, measured=m, threshold=h, direction=d, unit=u, n=n, n_of=of)
        for i, t, k, v, m, h, d, u, n, of in pairs
    ]
    rows += [
        c.Requirement(
            id="calibration",
            title="Calibration slope",
            check="calibration",
            verdict="INCONCLUSIVE",
            severity="should",
            measured=Estimate(value=0.93, low=0.71, high=1.16),
            threshold=0.8,
            n=14,
            n_of="days",
            settle="About 22 more days with labels would settle it.",
        ),
        c.Requirement(
            id="origin",
            title="AUC of each origin",
            check="auc_by_group",
            verdict="FAIL",
            severity="note",
            measured=Estimate(value=0.571, low=0.548, high=0.594),
            threshold=0.60,
            n=1804,
            reason="LGA is the worst of three origins; EWR and JFK are above the threshold.",
            waived_until="2013-06-30",
            controls=("aia:10.2f",),
            details=(("slice 1", "origin is LGA and dest is one of 40"), ("slices looked at", "1,389")),
            examples=c.ExampleTable(head=("", "rows"), lines=(("origin is LGA and dest is one of 40", "93"),)),
        ),
    ]
    return tuple(rows)


def _roc(sample, late, score, auc) -> c.Roc:
    order = np.argsort(-score)
    hit = np.cumsum(late[order]) / late.sum()
    false = np.cumsum(~late[order]) / (~late).sum()
    points = ((0.0, 0.0), *((float(x), float(y)) for x, y in zip(false, hit, strict=True)))
    return c.Roc(sample=sample, points=points, auc=auc)


def _calibration(late, score) -> c.Calibration:
    bins = []
    for part in np.array_split(np.argsort(score), 10):
        share, n = float(late[part].mean()), len(part)
        half = 2.4 * (share * (1 - share) / n) ** 0.5
        observed = Estimate(value=share, low=max(0.0, share - half), high=min(1.0, share + half))
        bins.append(c.CalibrationBin(predicted=float(score[part].mean()), observed=observed, rows=n))
    return c.Calibration(bins=tuple(bins), summary="Slope 0.930 [0.710, 1.160]; a slope of 1 is perfect.")


def _scores(late, score) -> c.Scores:
    edges = np.linspace(0, 0.7, 29)
    yes, _ = np.histogram(score[late], edges)
    no, _ = np.histogram(score[~late], edges)
    bins = (
        c.ScoreBin(low=float(a), high=float(b), positives=int(p), negatives=int(n))
        for a, b, p, n in zip(edges[:-1], edges[1:], yes, no, strict=True)
    )
    return c.Scores(bins=tuple(bins), threshold=0.35, positive="late", negative="on time")


def _latency(rng) -> c.Latency:
    times = 0.5 + rng.gamma(2.0, 0.09, 4000)
    counts, edges = np.histogram(times, 40)
    bins = (
        c.TimeBin(low_ms=float(a), high_ms=float(b), requests=int(n))
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    )
    return c.Latency(
        bins=tuple(bins),
        quantiles=(
            c.Quantile(name="median", ms=Estimate(value=0.65, high=0.66), limit_ms=1.0),
            c.Quantile(name="p99", ms=Estimate(value=1.09, high=1.16), limit_ms=10.0),
        ),
        load="4,000 single-row requests at 400 a second, 4 connections, loopback, 2 cores.",
    )


_MONTHS = ("Mar 2013", "Apr 2013", "May 2013", "Jun 2013", "Jul 2013", "Aug 2013", "Sep 2013", "Oct 2013")
_OLD, _NEW = digest("model-1"), digest("model-2")
_GAINS = (
    (0.002, 0.000, 0.004, "none"),
    (0.006, 0.002, 0.010, "none"),
    (0.012, 0.000, 0.021, "warn"),
    (0.036, 0.024, 0.052, "retrain"),
)


def make_story() -> s.Story:
    return s.Story(
        project="flights",
        commit=commit("head"),
        branch="main",
        events=_events(),
        runs=_runs(),
        models=(_model_story(),),
        audit="214 entries verified against 9 checkpoints.",
        written_at="2013-11-01T00:04:10Z",
    )


def _events() -> tuple[s.Event, ...]:
    rows = (
        ("commit", "2013-03-01T06:00:00Z", "project created from the flights template", commit("init"), "neutral"),
        (
            "data",
            "2013-03-01T06:01:00Z",
            "flights.parquet, weather.parquet: 362,891 rows",
            digest("data", "b3"),
            "good",
        ),
        ("run", "2013-03-01T06:04:00Z", "prepare, train, evaluate in 9.4 s", digest("run-1", "b3"), "good"),
        ("model", "2013-03-01T06:05:00Z", "late built: equal to scikit-learn on 8,266 rows", _OLD, "good"),
        ("certificate", "2013-03-01T06:12:40Z", "PASS: 7 of 7 that must hold", digest("certificate-1"), "good"),
        ("release", "2013-03-01T06:20:00Z", "first champion in production", commit("release-1"), "good"),
        ("predictions", "2013-08-01T00:00:00Z", "139,212 predictions since March", None, "good"),
        ("drift", "2013-07-02T00:00:00Z", "humid, precip and visib moved", digest("drift", "b3"), "attention"),
        (
            "decision",
            "2013-08-01T00:01:00Z",
            "retrain: gain 0.036 against a cost of 0.010",
            digest("dec", "b3"),
            "attention",
        ),
        ("run", "2013-08-01T00:09:00Z", "challenger trained to the end of May", digest("run-2", "b3"), "good"),
        ("certificate", "2013-08-01T00:15:00Z", "PASS: better than the champion", digest("certificate-2"), "good"),
        ("release", "2013-09-01T00:00:00Z", "challenger promoted", commit("release-3"), "good"),
        ("predictions", "2013-11-01T00:00:00Z", "223,830 predictions since March", None, "good"),
    )
    return tuple(s.Event(word=w, at=a, title=t, digest=d, tone=tone) for w, a, t, d, tone in rows)


def _runs() -> tuple[s.Run, ...]:
    first = {"train.auc": 0.7045, "validation.auc": 0.6242, "validation.log_loss": 0.4783}
    second = {"train.auc": 0.6931, "validation.auc": 0.6884, "validation.log_loss": 0.4411}
    return (
        s.Run(
            id="1",
            name="winter",
            started="2013-03-01T06:03:50Z",
            seconds=9.4,
            commit=commit("train"),
            branch="main",
            record=digest("run-1", "b3"),
            metrics=first,
        ),
        s.Run(
            id="2", name="trees of 8", status="failed", started="2013-03-01T06:30:10Z", seconds=2.1, commit=commit("t8")
        ),
        s.Run(
            id="3",
            name="retrain-2013-08-01",
            started="2013-08-01T00:08:20Z",
            seconds=21.7,
            commit=commit("retrain"),
            branch="retrain/late-2013-08-01",
            record=digest("run-2", "b3"),
            metrics=second,
        ),
    )


def _model_story() -> s.ModelStory:
    return s.ModelStory(
        model="late",
        purpose="Tell whether a flight out of New York will arrive more than 15 minutes late.",
        environment="production",
        live=_NEW,
        endpoint="http://127.0.0.1:8321/v2/models/late",
        certificates=(
            s.CertificateSummary(
                root=_OLD,
                verdict="PASS",
                sentence="All 7 requirements that must hold are met.",
                at="2013-03-01T06:12:40Z",
                passed=7,
                total=9,
                digest=digest("certificate-1"),
                page="certificates/late-1.html",
            ),
            s.CertificateSummary(
                root=_NEW,
                verdict="PASS",
                sentence="All 8 requirements that must hold are met, among them: better than the champion.",
                at="2013-08-01T00:15:00Z",
                passed=9,
                total=9,
                digest=digest("certificate-2"),
            ),
        ),
        releases=(
            _release("2013-03-01T06:20:00Z", "release", _OLD, "The first model with a passing certificate.", None),
            _release(
                "2013-08-01T00:20:00Z", "canary", _NEW, "Decision of 1 August: gain 0.036 against 0.010.", _OLD, 0.2
            ),
            _release(
                "2013-09-01T00:00:00Z", "promote", _NEW, "The canary's loss is lower by 0.017 [0.007, 0.031].", _OLD
            ),
            _release("2013-09-02T00:00:00Z", "rollback", _OLD, "A drill: a rollback is a revert commit.", _NEW),
            _release("2013-09-02T00:10:00Z", "promote", _NEW, "The drill is over.", _OLD),
        ),
        periods=_periods(),
        reference=Estimate(value=0.478, low=0.452, high=0.503),
        drift=_drift(),
        decisions=_decisions(),
        proof=_proof(),
    )


def _release(at, action, root, reason, replaced, *share) -> s.Release:
    return s.Release(
        at=at,
        environment="production",
        action=action,
        root=root,
        reason=reason,
        replaced=replaced,
        share=share[0] if share else None,
        commit=commit(at),
        author="Olga Operations",
    )


def _periods() -> tuple[s.Period, ...]:
    losses = (0.487, 0.519, 0.501, 0.588, 0.577, 0.466, None, None)
    periods = []
    for index, (month, loss) in enumerate(zip(_MONTHS, losses, strict=True)):
        rows = 27_800 + (index * 977) % 1900
        both = index == 5
        served = [s.Served(root=_NEW if index > 5 else _OLD, role="champion", rows=rows - (5_600 if both else 0))]
        points = []
        if loss is not None:
            interval = Estimate(value=loss, low=loss - 0.03, high=loss + 0.034)
            points.append(s.LossPoint(root=_OLD, role="champion", loss=interval, rows=served[0].rows))
        if index in (3, 4) and loss is not None:
            better = Estimate(value=loss - 0.036, low=loss - 0.062, high=loss - 0.006)
            points.append(s.LossPoint(root=_NEW, role="candidate", loss=better, rows=rows))
        if both and loss is not None:
            served.append(s.Served(root=_NEW, role="challenger", rows=5_600))
            better = Estimate(value=loss - 0.017, low=loss - 0.05, high=loss + 0.018)
            points.append(s.LossPoint(root=_NEW, role="challenger", loss=better, rows=5_600))
        periods.append(s.Period(label=month, served=tuple(served), losses=tuple(points)))
    return tuple(periods)


def _drift() -> s.Drift:
    speed = {
        "humid": 0.031,
        "precip": 0.024,
        "visib": 0.012,
        "wind_speed": 0.008,
        "wind_gust": 0.006,
        "minute_of_day": 0.0022,
        "dest": 0.003,
        "carrier": 0.0015,
        "distance": 0.001,
        "weekday": 0.0004,
        "origin": 0.0007,
    }
    cells = []
    for name, step in speed.items():
        for index, month in enumerate(_MONTHS):
            effect = step * (1 + index if index < 5 else 9 - index)
            cells.append(s.DriftCell(feature=name, period=month, effect=effect, alarm=effect > 0.05))
    return s.Drift(cells=tuple(cells), effect="share of a day's traffic that moved to another bin", material=0.02)


def _decisions() -> tuple[s.Decision, ...]:
    made = []
    for month, (gain, low, high, action) in zip(_MONTHS, _GAINS, strict=False):
        words = {
            "none": "A new model would gain less than it costs.",
            "warn": "A new model may pay: the gain's lower limit is below the cost.",
            "retrain": "A new model pays: even the lower limit of its gain is above the cost.",
        }
        made.append(
            s.Decision(
                period=month,
                action=action,
                sentence=words[action],
                at=f"2013-{5 + len(made):02d}-01T00:01:00Z",
                gain=Estimate(value=gain, low=low, high=high),
                cost=0.010,
                net=round((gain - 0.010) * 28_000, 2),
                moved=("humid", "precip", "visib") if action != "none" else (),
                outcome="Challenger trained, certified, canary in August, promoted on 1 September."
                if action == "retrain"
                else None,
                digest=digest(f"decision-{month}", "b3"),
            )
        )
    return tuple(made)


def _proof() -> s.ProofNode:
    def node(word, title, digest_, *upstream, detail=None):
        return s.ProofNode(word=word, title=title, state="verified", digest=digest_, upstream=upstream, detail=detail)

    head = node("commit", "release: promote late", commit("release-3"), detail="on branch main")
    data = node(
        "data", "flights.parquet, weather.parquet", digest("data", "b3"), detail="2 files, 2.9 MB, every byte hashed"
    )
    run = node(
        "run", "retrain-2013-08-01", digest("run-2", "b3"), data, node("commit", "retrain late", commit("retrain"))
    )
    model = node("model", "late", _NEW, run, detail="9 files match model.sig, signed by “builder”")
    policy = node("policy", "policies/late.yaml", digest("policy"))
    certificate = node("certificate", "PASS", digest("certificate-2"), policy, detail="signed by “certifier”")
    release = node("release", "releases/production/late.yaml", digest("manifest"), head)
    return node("endpoint", "production answers with this model", _NEW, release, certificate, model)
