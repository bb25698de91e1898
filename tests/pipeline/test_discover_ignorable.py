"""What Git is kept from: data, large files, secrets; never code, never what it holds already."""

from __future__ import annotations

from mintage.pipeline.discover.ignorable import LARGE, ignorable


def test_large_files_and_data_are_ignored_and_code_never():
    files = {"train.py": LARGE, "a.ipynb": LARGE, "notes.txt": 10, "big.txt": LARGE, "conf.json": 10, "d/x.parquet": 1}
    assert ignorable(files, tracked=()).data == ("big.txt", "d/x.parquet")


def test_what_git_holds_is_only_mentioned():
    found = ignorable({"a.csv": 1, "b.csv": 1, "server.pem": 1}, tracked={"a.csv", "server.pem"})
    assert (found.data, found.secrets, found.tracked) == (("b.csv",), (), ("a.csv",))


def test_a_crowd_is_one_line_unless_code_or_tracked_files_are_in_it():
    crowd = {f"img/cats/{n}.jpg": 1 for n in range(60)} | {f"img/dogs/{n}.jpg": 1 for n in range(60)}
    assert ignorable(crowd, tracked=()).data == ("img/",)
    assert ignorable({**crowd, "img/readme.md": 1}, tracked=()).data == ("img/cats/", "img/dogs/")
    assert ignorable(crowd, tracked={"img/cats/3.jpg"}).data == ("img/dogs/",)
    assert ignorable({f"pages/{n}.html": 1 for n in range(90)}, tracked=()).data == ()
    assert ignorable({f"texts/{n}.txt": 1 for n in range(90)}, tracked=()).data == ()


def test_a_few_pictures_of_the_documentation_stay():
    assert ignorable({f"docs/{n}.png": 1 for n in range(9)}, tracked=()).data == ()
