"""What the three kinds of locks pin, and what is refused with its line."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from mintage.errors import FileMalformedError, LockInvalidError
from mintage.pipeline.locked.pylock import read_pylock
from mintage.pipeline.locked.requirements_file import read_requirements
from mintage.pipeline.locked.resolve import read_pins
from mintage.pipeline.locked.uv_lock import read_uv_lock
from mintage.repo.locked_python import LockedPython
from mintage.repo.project import parse_project
from programs import program

ZERO, ONE = "0" * 64, "1" * 64
LINUX = {
    "sys_platform": "linux",
    "python_version": "3.12",
    "python_full_version": "3.12.1",
    "platform_machine": "x86_64",
}
SOURCE = 'source = { registry = "https://example.org/simple" }\n'


def pins_of(text: str, markers: dict[str, str] = LINUX) -> dict[str, str]:
    return {pin.name: pin.version for pin in read_requirements(text, markers, where="r.txt")}


def test_a_requirements_file_is_read_with_its_continuations_comments_extras_and_options() -> None:
    text = (
        "# made by hand\n--index-url https://example.org/simple\n"
        f"Ruamel.Yaml==0.18 \\\n    --hash=sha256:{ZERO} \\\n    --hash=sha256:{ONE}  # via me\n    # via you\n"
        f"uvicorn[standard]==0.30 ; python_version >= '3.9' --hash=sha256:{ZERO}\n"
        f"colorama==0.4 ; sys_platform == 'win32' \\\n    --hash=sha256:{ZERO}\n"
        f"thing @ https://example.org/thing-1-py3-none-any.whl --hash=sha256:{ONE.upper()}\n"
    )
    assert pins_of(text) == {
        "ruamel-yaml": "0.18",
        "uvicorn": "0.30",
        "thing": "https://example.org/thing-1-py3-none-any.whl",
    }
    (first, *_) = read_requirements(text, LINUX, where="r.txt")
    assert first.hashes == (ZERO, ONE)


def test_a_package_may_be_pinned_once_a_platform_but_not_twice_for_one() -> None:
    two = (
        f"six==1 ; sys_platform == 'win32' --hash=sha256:{ZERO}\nsix==2 ; sys_platform != 'win32' --hash=sha256:{ONE}\n"
    )
    assert pins_of(two) == {"six": "2"}
    with pytest.raises(LockInvalidError, match="pinned twice") as caught:
        pins_of(two.replace("!= 'win32'", "!= 'cygwin'"), {**LINUX, "sys_platform": "win32"})
    assert caught.value.where == "r.txt:2"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("six==1.17", "no hash of six"),
        (f"six --hash=sha256:{ZERO}", "does not pin six"),
        (f"six>=1 --hash=sha256:{ZERO}", "does not pin six"),
        (f"six==1.* --hash=sha256:{ZERO}", "does not pin six"),
        (f"six==1,<2 --hash=sha256:{ZERO}", "does not pin six"),
        (f"six==1.17 --hash=md5:{ZERO[:32]}", "no hash of six"),
        ("-r other.txt", "another file"),
        ("-c limits.txt", "another file"),
        ("-e .", "another file"),
        ("--editable=.", "another file"),
        ("--no-binary :all:", "sources to be built"),
        ("./wheels/six.whl", "cannot be read"),
        ("six == ", "cannot be read"),
    ],
)
def test_a_line_that_does_not_pin_by_hash_is_refused_with_its_number(line: str, message: str) -> None:
    with pytest.raises(LockInvalidError, match=message) as caught:
        pins_of(f"# a lock\n\nidna==3 --hash=sha256:{ONE}\n{line}\n")
    assert caught.value.where == "r.txt:4"


def test_a_requirements_file_that_pins_nothing_is_refused_but_one_for_other_platforms_is_empty() -> None:
    with pytest.raises(LockInvalidError, match="pins nothing"):
        pins_of("# nothing\n--no-index\n")
    assert pins_of(f"colorama==0.4 ; sys_platform == 'win32' --hash=sha256:{ZERO}\n") == {}


def uv_lock(*, own: str = 'dependencies = [{ name = "app" }]\n', more: str = "", top: str = "") -> str:
    wheel = f'wheels = [{{ url = "https://example.org/x.whl", hash = "sha256:{ZERO}", size = 1 }}]\n'
    named = "".join(
        f'[[package]]\nname = "{name}"\nversion = "1"\n{SOURCE}{needs}{wheel}'
        for name, needs in (
            ("app", 'dependencies = [{ name = "deep" }, { name = "win", marker = "sys_platform == \'win32\'" }]\n'),
            ("deep", 'dependencies = [{ name = "app" }]\n'),
            ("win", ""),
            ("pen", ""),
            ("check", ""),
            ("unused", ""),
        )
    )
    mine = f'[[package]]\nname = "mine"\nversion = "0"\nsource = {{ virtual = "." }}\n{own}'
    return f"version = 1\nrevision = 3\n{top}{mine}{named}{more}"


CHOICES = (
    'dependencies = [{ name = "app" }]\n'
    '[package.optional-dependencies]\nplots = [{ name = "pen" }]\n'
    '[package.dev-dependencies]\ntest = [{ name = "check" }]\n'
)


def taken(text: str, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = (), **markers: str) -> list[str]:
    found = read_uv_lock(text, LINUX | markers, extras=extras, groups=groups, where="uv.lock")
    return sorted(pin.name for pin in found)


def test_of_a_uv_lock_that_is_taken_to_which_the_project_leads_here() -> None:
    assert taken(uv_lock()) == ["app", "deep"]
    assert taken(uv_lock(), sys_platform="win32") == ["app", "deep", "win"]
    chosen = uv_lock(own=CHOICES)
    assert taken(chosen, extras=("plots",)) == ["app", "deep", "pen"]
    assert taken(chosen, groups=("test",)) == ["app", "check", "deep"]


def test_a_dependency_takes_the_extras_and_the_version_that_it_names() -> None:
    wheels = f'wheels = [{{ url = "u", hash = "sha256:{ZERO}" }}]\n'
    two = "".join(
        f'[[package]]\nname = "fork"\nversion = "{version}"\n{SOURCE}{wheels}'
        f'[package.optional-dependencies]\nfast = [{{ name = "pen" }}]\n'
        for version in (1, 2)
    )
    own = 'dependencies = [{ name = "fork", version = "2", extra = ["fast"] }]\n'
    found = read_uv_lock(uv_lock(own=own, more=two), LINUX, extras=(), groups=(), where="uv.lock")
    assert sorted((pin.name, pin.version) for pin in found) == [("fork", "2"), ("pen", "1")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"own": 'dependencies = [{ name = "beside" }]\n'}, "takes beside from git"),
        ({"own": 'dependencies = [{ name = "built" }]\n'}, "no wheel of built"),
        ({"own": 'dependencies = [{ name = "gone" }]\n'}, "cannot be read"),
        ({"own": 'dependencies = [{ name = "app", marker = "no marker" }]\n'}, "cannot be read"),
        ({"top": 'conflicts = [[{ package = "mine", extra = "a" }]]\n'}, "conflict"),
        ({"own": "dependencies = ["}, "cannot be read"),
    ],
)
def test_what_no_hash_pins_in_a_uv_lock_is_refused(change: dict[str, str], message: str) -> None:
    more = (
        '[[package]]\nname = "beside"\nversion = "1"\nsource = { git = "https://example.org/b.git#0" }\n'
        f'[[package]]\nname = "built"\nversion = "1"\n{SOURCE}sdist = {{ url = "u", hash = "sha256:{ZERO}" }}\n'
    )
    with pytest.raises(LockInvalidError, match=message) as caught:
        taken(uv_lock(more=more, **change))
    assert str(caught.value.where).startswith("uv.lock")


def test_an_extra_that_the_lock_has_not_is_named_with_those_that_it_has() -> None:
    with pytest.raises(LockInvalidError, match="no extra plot") as caught:
        taken(uv_lock(own=CHOICES), extras=("plot",))
    assert caught.value.expected == "plots"
    with pytest.raises(LockInvalidError, match="no group test"):
        taken(uv_lock(), groups=("test",))


PYLOCK = (
    'lock-version = "1.0"\ncreated-by = "x"\nextras = ["plots"]\ndependency-groups = ["test"]\n'
    '[[packages]]\nname = "app"\nversion = "1"\nwheels = [{ url = "u", hashes = { sha256 = "00" } }]\n'
    '[[packages]]\nname = "pen"\nversion = "2"\nmarker = "\'plots\' in extras"\n'
    'wheels = [{ url = "u", hashes = { sha256 = "01" } }]\n'
    '[[packages]]\nname = "win"\nversion = "2"\nmarker = "sys_platform == \'win32\'"\n'
    'wheels = [{ url = "u", hashes = { sha256 = "02" } }]\n'
)


def test_of_a_pylock_the_packages_are_taken_whose_markers_hold() -> None:
    plain = read_pylock(PYLOCK, LINUX, extras=(), groups=(), where="pylock.toml")
    assert [pin.name for pin in plain] == ["app"]
    more = read_pylock(PYLOCK, LINUX, extras=("plots",), groups=(), where="pylock.toml")
    assert [(pin.name, pin.hashes) for pin in more] == [("app", ("00",)), ("pen", ("01",))]


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        (PYLOCK.replace('"1.0"', '"2.0"'), "not known", "pylock.toml"),
        (PYLOCK.replace("sha256 = ", "md5 = "), "no wheel of app with a SHA-256", "pylock.toml:6"),
        (PYLOCK + '[[packages]]\nname = "mine"\ndirectory = { path = "." }\n', "from a folder", "pylock.toml:20"),
        (PYLOCK.replace("lock-version", "version"), "cannot be read", "pylock.toml"),
        ("[[packages]\n", "cannot be read", "pylock.toml"),
    ],
)
def test_what_no_hash_pins_in_a_pylock_is_refused(text: str, message: str, where: str) -> None:
    with pytest.raises(LockInvalidError, match=message) as caught:
        read_pylock(text, LINUX, extras=(), groups=(), where="pylock.toml")
    assert caught.value.where == where


OTHER_PLATFORMS = [
    ("linux", "Linux", "posix", "x86_64"),
    ("win32", "Windows", "nt", "AMD64"),
    ("darwin", "Darwin", "posix", "arm64"),
]
REAL = """\
[project]
name = "real"
version = "0"
requires-python = ">=3.10"
dependencies = ["scikit-learn", "pandas[performance]", "uvicorn[standard]", "redis", "ipykernel"]
[project.optional-dependencies]
boost = ["lightgbm", "xgboost-cpu; sys_platform != 'darwin'"]
[dependency-groups]
dev = ["pytest", "coverage[toml]"]
"""


@pytest.mark.slow
@pytest.mark.skipif(program("uv") is None, reason="needs uv: pip install uv")
def test_what_is_taken_of_real_locks_is_what_uv_exports_of_them_for_every_platform(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(REAL)
    if subprocess.run([str(program("uv")), "lock", "-q"], cwd=tmp_path, check=False).returncode != 0:
        pytest.skip("needs a package index")
    text = (tmp_path / "uv.lock").read_text()
    for extras, groups in (((), ()), (("boost",), ("dev",))):
        words = [str(program("uv")), "export", "-q", "--frozen", "--no-emit-project", "--no-header", "--no-annotate"]
        words += [
            "--no-default-groups",
            *(f"--extra={name}" for name in extras),
            *(f"--group={name}" for name in groups),
        ]
        exported = [
            subprocess.run([*words, "--format", form], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
            for form in ("requirements.txt", "pylock.toml")
        ]
        for python, (sys_platform, system, os_name, machine) in itertools.product(("3.10", "3.12"), OTHER_PLATFORMS):
            markers = {
                "python_version": python,
                "python_full_version": f"{python}.9",
                "implementation_name": "cpython",
                "sys_platform": sys_platform,
                "platform_system": system,
                "os_name": os_name,
                "platform_machine": machine,
                "platform_python_implementation": "CPython",
            }
            taken_here = {
                pin.name: pin.version
                for pin in read_uv_lock(text, markers, extras=extras, groups=groups, where="uv.lock")
            }
            assert len(taken_here) > 20
            assert taken_here == pins_of(exported[0], markers)
            pylock = read_pylock(exported[1], markers, extras=(), groups=(), where="pylock.toml")
            assert taken_here == {pin.name: pin.version for pin in pylock}


def test_a_lock_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LockInvalidError, match="no text"):
        read_pins(tmp_path / "r.txt", LockedPython(lock="r.txt"), python="3.12")


@pytest.mark.parametrize(
    ("written", "message", "where"),
    [
        ("{lock: poetry.lock}", "no lock that Mintage reads", "mintage.yaml:2:1"),
        ("{lock: ../r.txt}", "no path in the project", "mintage.yaml:2:1"),
        ("{lock: uv.lock, version: 3.10}", "a number to YAML", "mintage.yaml:2:25"),
        ("{lock: uv.lock, version: '3.12.1'}", "not a version", "mintage.yaml:2:1"),
        ("{lock: r.txt, extras: [plots]}", "no extras", "mintage.yaml:2:1"),
        ("{lock: uv.lock, groups: ['--all']}", "not the name", "mintage.yaml:2:1"),
        ("{lock: uv.lock, extra: [plots]}", "unknown key 'extra'", "mintage.yaml:2:25"),
        ("{version: '3.12'}", "'lock' is missing", "mintage.yaml:2:1"),
    ],
)
def test_what_mintage_yaml_cannot_mean_is_refused_with_its_place(written: str, message: str, where: str) -> None:
    with pytest.raises(FileMalformedError, match=message) as caught:
        parse_project(f"project: p\npython: {written}\n".encode(), where="mintage.yaml")
    assert caught.value.where == where


def test_members_of_a_matrix_may_have_an_environment_each() -> None:
    stage = "{run: python a.py, out: ['${matrix.v}'], python: {lock: uv.lock, version: '${matrix.v}'}"
    text = f"project: p\nstages:\n  a: {stage}, matrix: {{v: ['3.11', '3.12']}}}}\n"
    stages = parse_project(text.encode(), where="mintage.yaml").stages
    assert [str(stage.python) for stage in stages.values()] == [
        "uv.lock for Python 3.11",
        "uv.lock for Python 3.12",
    ]
    with pytest.raises(FileMalformedError, match="not a version"):
        parse_project(text.replace("'3.12'", "three").encode(), where="mintage.yaml")
