import re

from mintage.serve.metrics import Metrics

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)*\})? [0-9.e+-]+$')


def sample_of(text, start):
    return float(next(line for line in text.splitlines() if line.startswith(start)).rpartition(" ")[2])


def test_every_line_is_a_comment_or_a_sample_and_every_family_has_help_and_type():
    metrics = Metrics()
    metrics.predicted("late", "champion", rows=1, seconds=0.00005)
    metrics.failed("", "serve.not-json")
    text = metrics.render(generation=4, roots=[("late", "sha256:ab", "champion")])
    assert text.endswith("\n")
    for line in text.splitlines():
        assert line.startswith("# ") or SAMPLE.match(line), line
    for line in text.splitlines():
        if not line.startswith("#"):
            family = re.sub(r"_(bucket|sum|count)$", "", line.partition("{")[0].partition(" ")[0])
            assert f"# TYPE {family} " in text
            assert f"# HELP {family} " in text


def test_predictions_count_rows_and_the_histogram_counts_requests_cumulatively():
    metrics = Metrics()
    for seconds in (0.00005, 0.0001, 0.002, 9.0):
        metrics.predicted("late", "champion", rows=3, seconds=seconds)
    text = metrics.render(generation=0, roots=[])
    assert sample_of(text, "mintage_predictions_total") == 12
    bucket = 'mintage_prediction_latency_seconds_bucket{model="late",variant="champion",le="%s"}'
    assert [sample_of(text, bucket % le) for le in ("0.0001", "0.001", "0.0025", "2.5", "+Inf")] == [2, 2, 3, 3, 4]
    assert sample_of(text, "mintage_prediction_latency_seconds_count") == 4


def test_label_values_are_escaped():
    metrics = Metrics()
    metrics.failed('a"b\\c\nd', "serve.x")
    assert 'model="a\\"b\\\\c\\nd"' in metrics.render(generation=0, roots=[])
