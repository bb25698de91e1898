"""The export docker: what its files say, read and done step by step. No image is built: that takes Docker."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
import yaml
from hand_made import TASKS
from hypothesis import given, settings
from hypothesis import strategies as st
from serve_exports import TOKEN, labels_of, parse_dockerfile, signed_package, smoke_test, write_files
from serve_gateways import Client
from serve_process import serving
from serve_tasks import build_task_model

from mintage.errors import RefusedError, RootMismatchError, UsageError
from mintage.model.export.docker import EXPORT
from mintage.model.export.docker_file import quoted, render
from mintage.model.export.docker_name import dns_name
from mintage.model.export.docker_wheel import own_wheel
from mintage.model.package import open_package

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "src/mintage/model/export/docker_files/requirements.txt"


@pytest.fixture(scope="module")
def package(tmp_path_factory, signer):
    return signed_package("multiclass", tmp_path_factory.mktemp("docker") / "model", signer)


@pytest.fixture(scope="module")
def files(package):
    return EXPORT.files(package)


def test_the_dockerfile_has_only_exec_forms_and_no_root_user(files, package, signer):
    text = files["Dockerfile"].decode()
    instructions = parse_dockerfile(text)
    names = [name for name, _ in instructions]
    assert names[:2] == ["ARG", "FROM"]
    assert all(isinstance(words, list) for name, words in instructions if name in ("RUN", "COPY", "ENTRYPOINT", "CMD"))
    said = dict(instructions)
    assert (said["USER"], said["EXPOSE"]) == ("10001:10001", "8080")
    assert said["ENTRYPOINT"] == ["mintage", "serve"]
    assert said["CMD"][:3] == ["model", "--trust", "trust.pem"]
    assert names.index("USER") > max(at for at, name in enumerate(names) if name in ("RUN", "COPY"))
    probe = json.loads(said["HEALTHCHECK"].partition(" CMD ")[2])
    assert "/v2/health/ready" in probe[2]
    assert said["LABEL"]["mintage.model.root"] == package.root
    assert said["LABEL"]["mintage.model.key"] == signer.key_id


def test_what_is_copied_is_there_and_all_that_is_sent_to_the_builder(files):
    sources = [
        word for name, words in parse_dockerfile(files["Dockerfile"].decode()) if name == "COPY" for word in words[:-1]
    ]
    assert all(word in files or any(name.startswith(word) for name in files) for word in sources)
    ignored = files[".dockerignore"].decode().split()
    assert ignored[0] == "*"
    assert {word.lstrip("!") for word in ignored[1:]} == {word.rstrip("/") for word in sources}


@settings(deadline=None)
@given(st.text(), st.text(min_size=1))
def test_no_text_leaves_its_quotes_in_a_label(key, value):
    text = render([("LABEL", {"key": key, value: "x"})])
    assert text.count("\n") == 1
    assert text.isascii() and text[:-1].isprintable()
    assert labels_of(text[6:-1])["key"] == labels_of(f'"a"={quoted(key)}')["a"]
    if key.isascii() and key.isprintable() and value != "key":
        assert labels_of(text[6:-1])["key"] == key


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_every_models_name_becomes_a_name_of_a_service(name):
    made = dns_name(name)
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", made)
    assert name == name.lower() or made != dns_name(name.lower())


@pytest.mark.parametrize("name", ['x"\nRUN rm', "a b", "$(id)", "", "../x", "é"])
def test_a_model_of_a_name_that_no_gateway_serves_is_refused(signer, name, package):
    odd = type(package)(
        folder=package.folder,
        root=package.root,
        key_id=package.key_id,
        signature=msgspec.structs.replace(package.signature, model=name),
        files=package.files,
        key=package.key,
    )
    with pytest.raises(UsageError):
        EXPORT.files(odd)


def test_a_model_that_no_key_proved_is_refused(tmp_path, signer):
    build_task_model("binary", tmp_path / "model", signer)
    with pytest.raises(RefusedError, match="not proven by a key"):
        EXPORT.files(open_package(tmp_path / "model"))


def test_a_signature_that_was_swapped_meanwhile_is_refused(tmp_path, signer):
    package = signed_package("binary", tmp_path / "model", signer)
    other, _ = build_task_model("regression", tmp_path / "other", signer)
    shutil.copy(other.folder / "model.sig", package.folder / "model.sig")
    with pytest.raises(RootMismatchError):
        EXPORT.files(package)


def test_compose_keeps_to_this_machine_and_to_a_read_only_disk(files):
    found = yaml.safe_load(files["compose.yaml"])
    service = found["services"]["model"]
    assert service["ports"] == ["127.0.0.1:8080:8080"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "/run/secrets/" + service["secrets"][0] in files["Dockerfile"].decode()
    assert set(service["secrets"]) == set(found["secrets"])


def test_the_readme_names_every_file_and_leaves_no_gap(files, package):
    text = files["README.md"].decode()
    assert "{{" not in text
    assert package.root in text
    named = {name for name in files if "/" not in name and name != "README.md"}
    assert [name for name in named if f"`{name}`" not in text] == []


def test_two_exports_are_the_same_bytes(files, package):
    assert EXPORT.files(package) == files


def pins(path):
    return set(re.findall(r"^([A-Za-z0-9._-]+==[^ \\]+(?: ; [^\\\n]+)?)", path.read_text(), flags=re.MULTILINE))


def test_the_requirements_are_the_locks_with_hashes_and_no_address():
    text = LOCK.read_text(encoding="utf-8")
    entries = [
        line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    assert len(entries) > 15
    assert [entry[:40] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert re.findall(r"https?:|index-url|find-links|file:", text) == []
    names = {pin.partition(" ;")[0].strip() for pin in pins(LOCK)}
    assert names <= {pin.partition(" ;")[0].strip() for pin in pins(ROOT / "requirements" / "dev.txt")}
    for needed in ("uvicorn", "httptools", "onnxruntime", "pyarrow", "cryptography"):
        assert any(name.startswith(f"{needed}==") for name in names)


def test_the_wheel_holds_the_package_with_true_digests_and_the_same_bytes_again():
    name, data = own_wheel()
    assert own_wheel() == (name, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {member: archive.read(member) for member in archive.namelist()}
    folder = name.removesuffix("-py3-none-any.whl") + ".dist-info"
    record = content.pop(f"{folder}/RECORD").decode().splitlines()
    assert record.pop() == f"{folder}/RECORD,,"
    for line in record:
        member, digest, size = line.rsplit(",", 2)
        found = base64.urlsafe_b64encode(hashlib.sha256(content[member]).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == (f"sha256={found}", len(content.pop(member)))
    assert content == {}
    source = ROOT / "src"
    ours = {
        path.relative_to(source).as_posix()
        for path in (source / "mintage").rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache", ".mintage"} & set(path.parts)
    }
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {member for member in archive.namelist() if ".dist-info/" not in member} == ours


@pytest.mark.parametrize("task", TASKS)
def test_the_smoke_test_passes_for_every_task_and_is_red_after_one_label_or_value_changed(tmp_path, signer, task):
    package = signed_package(task, tmp_path / "model", signer)
    folder = write_files(EXPORT.files(package), tmp_path / "export")
    (folder / "token.txt").write_text(f"{TOKEN}\n")
    with serving(*("model", "--trust", "trust.pem", "--port", 0, "--token-file", "token.txt"), cwd=folder) as served:
        code, said = smoke_test(folder, served.url, "--token-file", "token.txt")
        assert (code, said[:20]) == (0, "ok: 200 golden rows,"), said
        client = Client(served.url)
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        name = package.signature.model
        assert client.ask("POST", f"/v2/models/{name}/infer", (folder / "example.json").read_bytes(), headers)[0] == 200
        client.close()
        assert smoke_test(folder, served.url)[0] == 1
        path = folder / "model" / "golden" / "expected.json"
        expected = json.loads(path.read_text())
        if expected["labels"][7]:
            expected["labels"][7][0] ^= 1
        else:
            expected["values"][7][0] += 1e-6
        path.write_text(json.dumps(expected))
        code, said = smoke_test(folder, served.url, "--token-file", "token.txt")
        assert (code, "1 of 200 golden rows differ, the first is 7" in said) == (1, True)


@pytest.mark.slow
def test_the_dockerfile_done_step_by_step_gives_the_golden_answers_and_a_flipped_bit_starts_nothing(
    tmp_path, package, files
):
    context = write_files(files, tmp_path / "context")
    place, environment = tmp_path / "image", tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    secret = tmp_path / "secrets" / "mintage-token"
    secret.parent.mkdir()
    secret.write_text(f"{TOKEN}\n")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MINTAGE"))}
    variables |= {"PATH": str(environment / "bin")}
    command = []
    for name, words in parse_dockerfile(files["Dockerfile"].decode()):
        if name == "WORKDIR":
            place.mkdir()
        elif name == "COPY":
            for word in words[:-1]:
                if (context / word).is_dir():
                    shutil.copytree(context / word, place / words[-1])
                else:
                    shutil.copy(context / word, place / words[-1])
        elif name == "RUN":
            done = subprocess.run(
                [environment / "bin" / words[0], *words[1:]],
                cwd=place,
                env=variables,
                capture_output=True,
                text=True,
                check=False,
            )
            if re.search("establish a new connection|Network is unreachable|Name or service not known", done.stderr):
                pytest.skip("pip reaches no package index; give it one (PIP_INDEX_URL), or a cache of the requirements")
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        elif name in ("ENTRYPOINT", "CMD"):
            command += words
    command = [word.replace("/run/secrets/", f"{secret.parent}/") for word in command]
    command[command.index("--port") + 1] = "0"
    command[0] = str(environment / "bin" / command[0])
    with serving(command=command, cwd=place, env=variables) as served:
        assert served.url.startswith("http://0.0.0.0:"), served.end()
        code, said = smoke_test(context, served.url.replace("0.0.0.0", "127.0.0.1"), "--token-file", secret)
        assert (code, said[:20]) == (0, "ok: 200 golden rows,"), said
        assert served.end()[0] == 0
    again = "from mintage.model.export.docker_wheel import own_wheel; open('again.whl', 'wb').write(own_wheel()[1])"
    subprocess.run([environment / "bin" / "python", "-c", again], cwd=tmp_path, env=variables, check=True)
    assert (tmp_path / "again.whl").read_bytes() == next(context.glob("*.whl")).read_bytes()  # an installed one too
    graph = place / "model" / "model.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(bytes(data))
    done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (4, "")
    assert "model.onnx" in done.stderr
