"""A schedule as a CronJob of Kubernetes that clones the repository and runs in a container."""

from __future__ import annotations

import re
import shlex
from typing import Any

from mintage.errors import ScheduleInvalidError
from mintage.pipeline.triggers.job import Job, Place, commit_line, mark, shell_lines, unit_name
from mintage.pipeline.triggers.yaml_text import yaml_text
from mintage.repo.trigger import Trigger

__all__ = ["render_kubernetes"]

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}")
_REPOSITORY = re.compile(
    r"(https://|ssh://(?:[A-Za-z0-9._-]+@)?)[A-Za-z0-9.-]+(:\d+)?/[\w./~+-]+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[\w./~+-]+"
)
_LONGEST = 52
"""A CronJob's name has room for what Kubernetes appends to its jobs'."""


def render_kubernetes(job: Job, trigger: Trigger, place: Place) -> dict[str, str]:
    """The manifest; raises ScheduleInvalidError without an image by digest and the repository's address."""
    image, repository = _checked(place)
    name, shared = (
        unit_name(job, limit=_LONGEST),
        f"mintage-{re.sub(r'[^a-z0-9]+', '-', job.project.lower())}".strip("-"),
    )
    clone = f"git clone -q --depth=1 --branch={job.branch} -- {shlex.quote(repository)} /mintage/project"
    folder = shlex.quote(f"/mintage/project/{place.prefix}".rstrip("/"))
    script = [clone, f"cd {folder}", *shell_lines(job), *([commit_line(job)] if job.commit else [])]
    environment: list[dict[str, Any]] = [{"name": "HOME", "value": "/mintage"}]
    for names, kind, source in (
        (job.variables, "configMapKeyRef", {"optional": True}),
        (job.secrets, "secretKeyRef", {}),
    ):
        environment += [{"name": each, "valueFrom": {kind: {"name": shared, "key": each, **source}}} for each in names]
    container = {
        "name": "run",
        "image": image,
        "command": ["sh", "-ec", "\n".join(script) + "\n"],
        "env": environment,
        "volumeMounts": [{"name": "work", "mountPath": "/mintage"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000},
        "containers": [container],
        "volumes": [{"name": "work", "emptyDir": {}}],
    }
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "mintage"}},
        "spec": {
            "schedule": trigger.cron.text,
            "timeZone": "Etc/UTC" if trigger.timezone == "UTC" else trigger.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        },
    }
    return {f"{name}.yaml": f"{mark(job.project, 'kubernetes')}\n{yaml_text(manifest)}"}


def _checked(place: Place) -> tuple[str, str]:
    if place.image is None or not _IMAGE.fullmatch(place.image):
        raise ScheduleInvalidError(
            "Kubernetes needs a container image by digest",
            expected="--image REGISTRY/NAME@sha256:…, with git, mintage and what the stages import",
            found="none" if place.image is None else repr(place.image[:200]),
            hint="a tag can be moved; `docker inspect --format '{{index .RepoDigests 0}}' NAME` says the digest",
        )
    if place.repository is None or not _REPOSITORY.fullmatch(place.repository):
        raise ScheduleInvalidError(
            "Kubernetes needs the repository's address",
            expected="--repository https://… or ssh://…, without a password in it",
            found="none" if place.repository is None else "an address that is not one of these",
            hint="without it the address of the Git remote `origin` is taken, if that is one",
        )
    return place.image, place.repository
