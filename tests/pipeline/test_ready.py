"""Which stage runs next: needs, jobs, resources, mutexes, and what a failure leaves out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mintage.pipeline.ready import Capacity, Demand, ReadyQueue


def queue(names: str, needs: dict[str, str] | None = None, capacity: Capacity | None = None, **demands: Demand):
    return ReadyQueue(
        list(names),
        needs={name: tuple(makers) for name, makers in (needs or {}).items()},
        demands=demands,
        capacity=capacity or Capacity(jobs=9),
    )


def given_out(ready: ReadyQueue) -> str:
    found = ""
    while (name := ready.next()) is not None:
        found += name
    return found


def test_no_more_than_jobs_run_at_once() -> None:
    ready = queue("abc", capacity=Capacity(jobs=2))
    assert given_out(ready) == "ab"
    ready.done("a")
    assert given_out(ready) == "c"


def test_a_stage_that_does_not_fit_lets_a_smaller_one_go_first() -> None:
    ready = queue("abc", capacity=Capacity(jobs=3, cpu=4), a=Demand(cpu=3), b=Demand(cpu=2), c=Demand(cpu=1))
    assert given_out(ready) == "ac"
    ready.done("a")
    assert given_out(ready) == "b"


def test_a_stage_larger_than_the_machine_runs_alone() -> None:
    ready = queue("ab", capacity=Capacity(jobs=2, memory_gib=8), a=Demand(memory_gib=64), b=Demand(memory_gib=1))
    assert given_out(ready) == "a"
    ready.done("a")
    assert given_out(ready) == "b"


def test_a_mutex_is_held_by_one_stage_at_a_time() -> None:
    ready = queue("abc", a=Demand(mutex=("gpu0",)), b=Demand(mutex=("gpu0",)))
    assert given_out(ready) == "ac"


def test_what_is_recorded_runs_alone() -> None:
    ready = queue("abc", b=Demand(alone=True))
    assert given_out(ready) == "ac"
    ready.done("a")
    assert given_out(ready) == ""
    ready.done("c")
    assert given_out(ready) == "b"


def test_a_failure_leaves_out_what_needs_it_and_nothing_else() -> None:
    ready = queue("abcd", {"b": "a", "c": "b", "d": ""})
    assert given_out(ready) == "ad"
    assert ready.fail("a") == ["b", "c"]
    ready.done("d")
    assert ready.is_over


@given(st.integers(1, 12), st.integers(1, 4), st.randoms(use_true_random=False))
def test_each_stage_is_given_out_once_and_after_what_it_needs(count: int, jobs: int, random) -> None:
    names = [f"s{index}" for index in range(count)]
    needs = {name: random.sample(names[:index], random.randint(0, index)) for index, name in enumerate(names)}
    demands = {name: Demand(cpu=random.choice([0.5, 1, 2, 8])) for name in names}
    ready = ReadyQueue(names, needs=needs, demands=demands, capacity=Capacity(jobs=jobs, cpu=4))
    done: list[str] = []
    running: list[str] = []
    while not ready.is_over:
        while (name := ready.next()) is not None:
            assert set(needs[name]) <= set(done)
            running.append(name)
            assert len(running) <= jobs
        done.append(running.pop(random.randrange(len(running))))
        ready.done(done[-1])
    assert sorted(done) == sorted(names)
