"""The export for KServe: a ServingRuntime, an InferenceService, the kustomization that fits them to a cluster.

The pod is the image of the export docker; the model comes from storage and is verified, by the key in a ConfigMap, when
the pod starts. See docs/spec/export-kserve.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from mintage.attest.keys import PublicKey
from mintage.model.export.docker import PORT, example_request, model_folder, signed_by
from mintage.model.export.docker_name import dns_name
from mintage.model.export.golden_json import resource, template_text
from mintage.model.package import Package
from mintage.record.names import check_name

__all__ = ["EXPORT", "KServe"]

IMAGE = "mintage-serve"
_TRUST, _TOKEN = "/etc/mintage/trust", "/etc/mintage/token"
_FORMAT = {"name": "mintage", "version": "0"}


class KServe:
    """The export ``kserve``."""

    name = "kserve"
    about = "whoever runs KServe: an InferenceService and its runtime, to fit to a cluster with kustomize"

    def files(self, package: Package) -> Mapping[str, bytes]:
        model = check_name(package.signature.model, what="model")
        key, name = signed_by(package), dns_name(model)
        readme = template_text(
            resource("kserve_files", "README.md.txt").decode(),
            model=model,
            name=name,
            root=package.root,
            key=key.key_id,
            image=f"mintage-{name}",
            rows=str(len(package.golden.values)),
        )
        return {
            "README.md": readme.encode(),
            "example.json": example_request(package),
            "inference-service.yaml": _yaml(_service(name, package, key)),
            "kustomization.yaml": _yaml(_kustomization(name, package.root)),
            "serving-runtime.yaml": _yaml(_runtime(name)),
            "smoke_test.py": resource("docker_files", "smoke_test.py.txt"),
            "trust.pem": key.pem,
            **model_folder(package),
        }


def _service(name: str, package: Package, key: PublicKey) -> dict[str, Any]:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "annotations": {"mintage.model/root": package.root, "mintage.model/key": key.key_id},
        },
        "spec": {
            "predictor": {
                "minReplicas": 1,
                "maxReplicas": 3,
                "automountServiceAccountToken": False,
                "model": {
                    "modelFormat": _FORMAT,
                    "protocolVersion": "v2",
                    "runtime": f"mintage-{name}",
                    "storageUri": "pvc://replaced-by-kustomize",
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "256Mi"},
                        "limits": {"cpu": "1", "memory": "1Gi"},
                    },
                },
            }
        },
    }


def _runtime(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": {"name": f"mintage-{name}"},
        "spec": {
            "supportedModelFormats": [{**_FORMAT, "autoSelect": False}],
            "protocolVersions": ["v2"],
            "multiModel": False,
            "containers": [_container()],
            "volumes": [
                {"name": "trust", "configMap": {"name": f"{name}-trust"}},
                {"name": "token", "secret": {"secretName": f"{name}-token"}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
        },
    }


def _container() -> dict[str, Any]:
    key, token = f"{_TRUST}/trust.pem", f"{_TOKEN}/token"
    return {
        "name": "kserve-container",
        "image": f"{IMAGE}:replaced-by-kustomize",
        "command": ["mintage", "serve"],
        "args": ["/mnt/models", "--trust", key, "--host", "0.0.0.0", "--port", str(PORT), "--token-file", token],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": _probe("ready", period=5),
        "livenessProbe": {**_probe("live", period=10), "initialDelaySeconds": 15},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [
            {"name": "trust", "mountPath": _TRUST, "readOnly": True},
            {"name": "token", "mountPath": _TOKEN, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    }


def _probe(what: str, *, period: int) -> dict[str, Any]:
    ask = {"path": f"/v2/health/{what}", "port": PORT}
    return {"httpGet": ask, "periodSeconds": period, "timeoutSeconds": 3, "failureThreshold": 3}


def _kustomization(name: str, root: str) -> dict[str, Any]:
    """What differs from cluster to cluster: the image, and where the model lies."""
    where = [
        {"op": "replace", "path": "/spec/predictor/model/storageUri", "value": f"pvc://models/{name}/{root[7:23]}"}
    ]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["serving-runtime.yaml", "inference-service.yaml"],
        "images": [{"name": IMAGE, "newName": f"registry.example.org/mintage-{name}", "newTag": root[7:23]}],
        "patches": [{"target": {"kind": "InferenceService", "name": name}, "patch": json.dumps(where)}],
        "configMapGenerator": [
            {"name": f"{name}-trust", "files": ["trust.pem"], "options": {"disableNameSuffixHash": True}}
        ],
    }


def _yaml(value: Mapping[str, Any]) -> bytes:
    text: str = yaml.dump(value, Dumper=_Plain, sort_keys=False)
    return text.encode()


class _Plain(yaml.SafeDumper):
    """No anchors: what stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


EXPORT = KServe()
