"""Keys that are joined with what runs saw: pure, on a world of files each of which names the one to open next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mintage.pipeline.key import cache_key, explain
from mintage.pipeline.seen.key import Look, Saw, Seen, joined, listed_names, rejoined, without
from mintage.pipeline.seen.sources import narrowed, sources_among
from mintage.pipeline.table import SUFFIXES
from mintage.record.digest import blake3_bytes

NAMES = ("a", "b", "c", "d")
EDITS = st.tuples(st.sampled_from(NAMES), st.sampled_from((*NAMES, "", None)))
STEPS = st.lists(st.tuples(st.lists(EDITS, max_size=2), st.sampled_from(NAMES), st.booleans()), max_size=20)


class World:
    """Files whose text names the file to open next; the parameter names the first. One folder is listed if file ``a``
    is opened. What a run gives is all that it read, and that there was no more."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.results: dict[str, object] = {}
        self.notes: dict[str, list[Seen]] = {}
        self.lock: tuple[str, Seen] | None = None

    def run(self, first: str) -> tuple[object, Saw]:
        """What a run really does."""
        read: dict[str, str] = {}
        name = first
        while name in self.files and name not in read:
            read[name] = self.files[name]
            name = self.files[name]
        names = tuple(sorted(self.files)) if "a" in read else ()
        digests = {path: blake3_bytes(text.encode()) for path, text in read.items()}
        absent = () if name in self.files else (name,)
        saw = Saw(code=digests, listed={"dir": names} if names else {}, absent=absent)
        return (sorted(read.items()), names), saw

    def bring(self, first: str) -> object:
        """The result from the cache, or of a run whose result is filed there."""
        parts = {"code": {"fit.py": "b3:0"}, "params": first}
        look = Look(
            digest=lambda path: blake3_bytes(self.files[path].encode()) if path in self.files else None,
            names=lambda folder: tuple(sorted(self.files)),
            lacks=lambda path: path not in self.files,
            noted=lambda key: self.notes.get(key, ()),
            has=self.results.__contains__,
        )
        key, last = self.lock or (None, Seen())
        whole, found, seen = joined(parts, last, key=key, look=lambda: look)
        assert found == cache_key(whole)
        if found not in self.results:
            result, saw = self.run(first)
            whole = rejoined(without(whole, seen.code), saw)
            found, seen = cache_key(whole), saw.names
            self.results[found] = result
            self.notes.setdefault(cache_key(without(whole, seen.code)), []).insert(0, seen)
        self.lock = found, seen
        return self.results[found]


@given(STEPS)
def test_a_result_from_the_cache_is_what_a_run_would_give(
    steps: list[tuple[list[tuple[str, str | None]], str, bool]],
) -> None:
    world = World()
    for edits, first, forget in steps:
        for name, text in edits:
            if text is None:
                world.files.pop(name, None)
            else:
                world.files[name] = text
        if forget:
            world.lock = None
        assert world.bring(first) == world.run(first)[0]
        before = len(world.results)
        world.lock = None if forget else world.lock
        world.bring(first)
        assert len(world.results) == before


def test_of_more_than_fifty_names_the_key_has_a_digest_and_a_miss_says_so() -> None:
    few, many = [f"lib/{number}.py" for number in range(50)], [f"lib/{number}.py" for number in range(51)]
    assert len(listed_names(few, "lib")) == 50
    old, new = ({"listed": {"lib": listed_names(paths, "lib")}} for paths in (few, many))
    assert str(new["listed"]["lib"]).startswith("b3:")
    assert explain(old, new) == ["other code files lie in lib"]


def test_of_a_crowd_of_code_a_stage_gets_what_lies_in_its_own_topmost_folders() -> None:
    paths = [f"{folder}/{number}.py" for folder in ("one", "two") for number in range(750)]
    assert narrowed(paths, ["one/1.py"]) == paths[:750]
    assert narrowed(paths, ["one/1.py", "two/1.py"]) == []
    assert narrowed(paths[:1000], ["x.py"]) == paths[:1000]


def test_tables_are_no_code_as_one_that_no_stage_declares_is_unseen() -> None:
    assert sources_among(["pkg/a.py", *(f"pkg/rows{suffix}" for suffix in SUFFIXES)]) == ["pkg/a.py"]


def test_files_of_mintage_and_of_environments_are_no_code_around_a_stage() -> None:
    ours = ["mintage.yaml", "params.yaml", "models/m.yaml", "policies/m.yaml", "mintage.lock/x.json", ".venv/a.py"]
    assert sources_among([*ours, "models/net.py", "policies/x.py"]) == ["models/net.py", "policies/x.py"]
