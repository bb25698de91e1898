"""A built wheel works outside the clone, with everything inside that it needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import mintage


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("mintage-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts folder of a new environment that has the wheel and sees this environment's other packages."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3.*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    # A line of a .pth file only extends the path: this environment's own .pth, which leads to the clone, is not read.
    (site / "others.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")) + "\n")
    return folder / "bin"


def test_wheel_holds_the_package_and_nothing_of_the_repository(wheel: Path, root: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = root / "src"
    ours = {
        path.relative_to(source).as_posix()
        for path in (source / "mintage").rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache", ".mintage"} & set(path.parts)
    }
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == ours
    assert "mintage/templates/flights/data/flights.parquet" in packed
    assert "mintage/templates/flights/data/weather.parquet" in packed
    assert "mintage/py.typed" in packed
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_wheel_holds_the_same_bytes_when_it_is_built_again(wheel: Path, root: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=root,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_installed_wheel_runs_outside_the_clone(installed: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [installed / "mintage", "--version"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert shown == f"mintage {mintage.__version__}\n"
    where = subprocess.run(
        [installed / "python", "-c", "import mintage; print(mintage.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_installed_wheel_starts_a_project_from_its_template(installed: Path, tmp_path: Path) -> None:
    subprocess.run(
        [installed / "mintage", "init", "--template", "flights"], cwd=tmp_path, check=True, capture_output=True
    )
    assert (tmp_path / "data" / "flights.parquet").stat().st_size > 1_000_000


def test_installed_wheel_finds_the_built_in_checks(installed: Path, root: Path, tmp_path: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    code = (
        "from importlib.metadata import entry_points\n"
        "print(*sorted({point.name for point in entry_points(group='mintage.checks') if point.load()}))"
    )
    shown = subprocess.run(
        [installed / "python", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert shown.split() == sorted(project["entry-points"]["mintage.checks"])
