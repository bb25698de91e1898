"""The export kserve: its documents against the structure that KServe and Kubernetes have. There is no cluster."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Annotated, Any, Literal

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta
from serve_exports import TOKEN, signed_package, smoke_test, write_files
from serve_process import serving

from mintage.errors import RefusedError, UsageError
from mintage.model.export.docker_name import dns_name
from mintage.model.export.kserve import EXPORT
from mintage.model.package import Package

YAMLS = ("inference-service.yaml", "serving-runtime.yaml", "kustomization.yaml")
Name = Annotated[str, Meta(pattern="^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=53)]  # and -predictor fits into 63
Quantity = Annotated[str, Meta(pattern=r"^\d+(m|Ki|Mi|Gi)?$")]
Root = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A part of the documents that this export uses: strict, with the names of the custom resources' definitions."""


class HttpGet(Part):
    path: Literal["/v2/health/ready", "/v2/health/live"]
    port: Literal[8080]


class Probe(Part):
    http_get: HttpGet
    period_seconds: int
    timeout_seconds: int
    failure_threshold: int
    initial_delay_seconds: int = 0


class Port(Part):
    container_port: Literal[8080]
    protocol: Literal["TCP"]


class Mount(Part):
    name: Name
    mount_path: str
    read_only: bool = False


class Capabilities(Part):
    drop: tuple[Literal["ALL"]]


class Security(Part):
    allow_privilege_escalation: Literal[0]
    capabilities: Capabilities
    privileged: Literal[0]
    read_only_root_filesystem: bool
    run_as_non_root: bool


class Container(Part):
    name: Literal["kserve-container"]
    image: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*:[\w.-]{1,128}$")]
    command: tuple[str, ...]
    args: tuple[str, ...]
    ports: tuple[Port]
    readiness_probe: Probe
    liveness_probe: Probe
    security_context: dict[str, Any]
    volume_mounts: tuple[Mount, ...]


class Format(Part):
    name: Name
    version: Annotated[str, Meta(pattern=r"^\d+(\.\d+){0,2}$")]
    auto_select: bool | None = None


class RuntimeSpec(Part):
    supported_model_formats: tuple[Format]
    protocol_versions: tuple[Literal["v2"]]
    multi_model: bool
    containers: tuple[Container]
    volumes: tuple[dict[str, Any], ...]


class Metadata(Part):
    name: Name
    annotations: dict[Annotated[str, Meta(pattern=r"^[a-z.]{1,253}/[a-z]{1,63}$")], Root] = {}


class Runtime(Part):
    api_version: Literal["serving.kserve.io/v1alpha1"]
    kind: Literal["ServingRuntime"]
    metadata: Metadata
    spec: RuntimeSpec


class Resources(Part):
    requests: dict[Literal["cpu", "memory"], Quantity]
    limits: dict[Literal["cpu", "memory"], Quantity]


class Model(Part):
    model_format: Format
    protocol_version: Literal["v2"]
    runtime: Name
    storage_uri: Annotated[str, Meta(pattern="^(pvc|oci)://[^/]+")]
    resources: Resources


class Predictor(Part):
    min_replicas: Annotated[int, Meta(ge=1)]
    max_replicas: Annotated[int, Meta(ge=1)]
    automount_service_account_token: bool
    model: Model


class ServiceSpec(Part):
    predictor: Predictor


class Service(Part):
    api_version: Literal["serving.kserve.io/v1beta1"]
    kind: Literal["InferenceService"]
    metadata: Metadata
    spec: ServiceSpec


@pytest.fixture(scope="module")
def package(tmp_path_factory, signer):
    return signed_package("two targets", tmp_path_factory.mktemp("kserve") / "model", signer)


@pytest.fixture(scope="module")
def files(package):
    return EXPORT.files(package)


def renamed(package, name):
    signature = msgspec.structs.replace(package.signature, model=name)
    return Package(
        folder=package.folder,
        root=package.root,
        key_id=package.key_id,
        signature=signature,
        files=package.files,
        key=package.key,
    )


def documents(files):
    return [yaml.safe_load(files[name]) for name in YAMLS]


def test_the_documents_have_the_structure_of_the_definitions(files, package, signer):
    service, runtime, _ = documents(files)
    found, how = msgspec.convert(service, Service), msgspec.convert(runtime, Runtime)
    assert found.spec.predictor.model.runtime == how.metadata.name
    assert found.spec.predictor.model.model_format.name == how.spec.supported_model_formats[0].name
    assert found.metadata.annotations == {"mintage.model/root": package.root, "mintage.model/key": signer.key_id}
    (container,) = how.spec.containers
    security = container.security_context
    assert (security["runAsNonRoot"], security["readOnlyRootFilesystem"]) == (True, True)
    assert (security["privileged"], security["allowPrivilegeEscalation"]) == (False, False)
    mounted = {mount.name: mount.mount_path for mount in container.volume_mounts}
    assert set(mounted) == {volume["name"] for volume in how.spec.volumes}
    for option, volume in (("--trust", "trust"), ("--token-file", "token")):
        assert container.args[container.args.index(option) + 1].startswith(f"{mounted[volume]}/")


def test_kustomize_replaces_what_is_there_and_makes_what_is_mounted(files):
    service, runtime, kustomization = documents(files)
    assert all(name in files for name in kustomization["resources"])
    (image,) = kustomization["images"]
    assert runtime["spec"]["containers"][0]["image"].startswith(f"{image['name']}:")
    (patch,) = kustomization["patches"]
    assert patch["target"] == {"kind": service["kind"], "name": service["metadata"]["name"]}
    (operation,) = json.loads(patch["patch"])
    target = service
    for step in operation["path"].split("/")[1:]:
        target = target[step]
    assert operation["op"] == "replace" and target.startswith("pvc://")
    assert re.fullmatch(r"pvc://models/[a-z0-9-]+/[0-9a-f]{16}", operation["value"])
    (config,) = kustomization["configMapGenerator"]
    volumes = {volume["name"]: volume for volume in runtime["spec"]["volumes"]}
    assert volumes["trust"]["configMap"]["name"] == config["name"]
    assert config["options"]["disableNameSuffixHash"] is True
    readme = files["README.md"].decode()
    assert f"create secret generic {volumes['token']['secret']['secretName']} --from-file=token=" in readme
    assert f"inferenceservice/{service['metadata']['name']}" in readme
    assert "{{" not in readme


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_any_name_of_a_model_gives_valid_names_and_plain_yaml(package, name):
    found = EXPORT.files(renamed(package, name))
    for part in YAMLS:
        assert b"\t" not in found[part] and b"&id" not in found[part]
    service, runtime, _ = documents(found)
    made = msgspec.convert(service, Service).metadata.name
    assert made == dns_name(name)
    msgspec.convert(runtime, Runtime)


@settings(deadline=None)
@given(st.text())
def test_a_name_that_is_none_gets_no_document(package, name):
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) is None:
        with pytest.raises(UsageError):
            EXPORT.files(renamed(package, name))


def test_a_model_that_no_key_proved_is_refused(package):
    unproven = Package(
        folder=package.folder, root=package.root, key_id=None, signature=package.signature, files=package.files
    )
    with pytest.raises(RefusedError, match="not proven by a key"):
        EXPORT.files(unproven)


def test_the_containers_command_serves_the_model_as_storage_gives_it(tmp_path, files):
    """The paths of the pod are folders here; the model lies behind a link, as KServe mounts it from a registry."""
    folder = write_files(files, tmp_path / "export")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "models").symlink_to(folder / "model")
    (container,) = yaml.safe_load(files["serving-runtime.yaml"])["spec"]["containers"]
    here = {
        "/mnt/models": tmp_path / "models",
        "/etc/mintage/trust/trust.pem": folder / "trust.pem",
        "/etc/mintage/token/token": tmp_path / "token",
        "8080": "0",
    }
    command = [sys.executable, "-m", *container["command"], *(str(here.get(word, word)) for word in container["args"])]
    with serving(command=command) as served:
        url = served.url.replace("0.0.0.0", "127.0.0.1")
        code, said = smoke_test(folder, url, "--token-file", tmp_path / "token", "--host", "flights.example.org")
        assert (code, said[:20]) == (0, "ok: 200 golden rows,"), said
        assert served.end()[0] == 0


CHECK = '''
"""Whether documents fit the classes that KServe's own package has of its custom resources."""
import json, pathlib, re, sys, types
import kubernetes.client.models as core
place = next(p for p in map(pathlib.Path, sys.path) if (p / "kserve" / "models").is_dir())
package = types.ModuleType("kserve")  # its own start imports servers that nothing here needs
package.__path__ = [str(place / "kserve")]
sys.modules["kserve"] = package
import kserve.models as ours

def find(name):
    name = {"K8sIoApiCoreV1PodSpec": "V1PodSpec"}.get(name, name)
    return getattr(ours, name, None) or getattr(core, name)

def check(value, kind, where):
    kind = re.sub(r"^Dict\\[(.*)\\]$", r"dict(\\1)", re.sub(r"^List\\[", "list[", kind))
    if kind.startswith("list["):
        assert isinstance(value, list), where
        for at, item in enumerate(value):
            check(item, kind[5:-1], f"{where}[{at}]")
    elif kind.startswith("dict("):
        for key, item in value.items():
            check(item, kind[5:-1].partition(", ")[2], f"{where}.{key}")
    elif kind in ("str", "int", "bool", "float"):
        assert type(value).__name__ == kind, (where, kind, value)
    elif kind not in ("object", "IntOrString"):
        known = find(kind)
        names = {json_name: name for name, json_name in known.attribute_map.items()}
        for key, item in value.items():
            assert key in names, f"{where}: {kind} has no {key}"
            check(item, known.openapi_types[names[key]], f"{where}.{key}")
        known(**{names[key]: item for key, item in value.items()})  # raises for what is required and not there

for name, value in json.load(sys.stdin).items():
    check(value, name, name)
    print(name)
'''


@pytest.mark.slow
def test_the_documents_fit_the_classes_of_kserves_own_package(tmp_path, files):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MINTAGE"))}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    for words in (["--no-deps", "kserve>=0.15"], ["kubernetes>=31", "six"]):
        done = subprocess.run([*pip, *words], env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"pip could not install {words[-1]}; give it a package index")
    service, runtime, _ = documents(files)

    def judge(**given):
        return subprocess.run(
            [python, "-c", CHECK], input=json.dumps(given), env=environment, capture_output=True, text=True, check=False
        )

    done = judge(V1beta1InferenceService=service, V1alpha1ServingRuntime=runtime, V1alpha1ClusterServingRuntime=runtime)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == [
        "V1beta1InferenceService",
        "V1alpha1ServingRuntime",
        "V1alpha1ClusterServingRuntime",
    ]
    service["spec"]["predictor"]["model"]["storageURI"] = "pvc://x"
    assert "has no storageURI" in judge(V1beta1InferenceService=service).stderr
    del runtime["spec"]["containers"][0]["name"]
    assert judge(V1alpha1ServingRuntime=runtime).returncode != 0
