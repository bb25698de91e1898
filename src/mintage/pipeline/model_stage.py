"""The implicit stage ``model:<name>``: from a fitted estimator to a signed folder, with a lock and a cache key.

It runs after the user's stages. The estimator is opened by another process; lowering, proof, golden vectors, profile,
card and signature are done here, on validation data. The card's facts are those that determine the model, so the same
inputs give the same id at another commit; the commit is in the record and in the signed provenance beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mintage.errors import FileMissingError
from mintage.pipeline.environment import own_environment
from mintage.pipeline.facts import Inspector, StageResult
from mintage.pipeline.graph import maker_of, order
from mintage.pipeline.model_folder import model_folder
from mintage.pipeline.stage_data import find_item
from mintage.record.digest import blake3_bytes
from mintage.repo.locks import Item, Lock
from mintage.repo.workspace import Workspace
from mintage.store.publish import publish_bytes

if TYPE_CHECKING:
    from mintage.attest.keys import Signer
    from mintage.pipeline.session import RunSession

__all__ = ["ModelStage", "model_stages"]

MODEL_BUILD = 2
"""Part of the key: raised when the builder's output changes for the same input."""


def model_stages(workspace: Workspace, *, signer: Callable[[], Signer] | None) -> list[ModelStage]:
    """One stage for each model of the project; without a ``signer`` they can be looked at but not run."""
    return [ModelStage(model, signer) for model in workspace.project(allow_unmade=True).models]


class ModelStage:
    """Builds one model."""

    def __init__(self, model: str, signer: Callable[[], Signer] | None) -> None:
        self.model = model
        self.name = f"model:{model}"
        self._signer = signer

    def prepare(self, inspector: Inspector, session: RunSession) -> str | None:
        """Write models/<name>.yaml with what can be inferred, if nobody wrote it; keep the tables that it names."""
        path = f"models/{self.model}.yaml"
        if (inspector.workspace.root / path).exists():
            self._keep_named(inspector)
            return None
        from mintage.pipeline.infer.infer import infer_model

        owner = inspector.workspace.git.author() or session.actor()
        text = infer_model(inspector, self.model, owner=owner)
        publish_bytes(inspector.workspace.root / path, text.encode())
        return path

    def _keep_named(self, inspector: Inspector) -> None:
        data = inspector.workspace.model_spec(self.model).data
        unknown = [path for path in (data.train, data.validation, data.holdout) if path is not None]
        if any(find_item(inspector.locks, path) is None for path in unknown):
            from mintage.pipeline.infer.beside import keep_tables

            keep_tables(inspector, unknown)

    def parts(self, inspector: Inspector) -> dict[str, Any]:
        """Estimator, validation data, model file and environment, by digest; parameters and metrics by value."""
        spec = inspector.workspace.model_spec(self.model)
        estimator = self._output(inspector, inspector.project.models[self.model].source)
        validation = self._output(inspector, spec.data.validation)
        model_file = inspector.workspace.root / "models" / f"{self.model}.yaml"
        environment = inspector.environment(maker_of(inspector.project.stages, estimator.path))
        parts = {
            "format": MODEL_BUILD,
            "estimator": {estimator.path: estimator.digest},
            "validation": {validation.path: validation.digest},
            "model_file": blake3_bytes(model_file.read_bytes()),
            "environment": environment.key,
            "facts": self._facts(inspector),
        }
        if environment.named is not None:  # then the model is built in another environment than it is read in
            parts["builder"] = own_environment(inspector.cache).key
        return parts

    def execute(self, inspector: Inspector, session: RunSession) -> StageResult:
        """Build, sign, keep, and record the model."""
        from mintage.pipeline.model_build import build_and_record

        assert self._signer is not None
        spec = inspector.workspace.model_spec(self.model)
        return build_and_record(
            inspector,
            session,
            spec=spec,
            estimator=self._output(inspector, inspector.project.models[self.model].source),
            validation=self._output(inspector, spec.data.validation),
            facts=self._facts(inspector),
            run=self._run(inspector),
            stages={name: str(inspector.locks[name].key) for name in self._upstream(inspector)},
            signer=self._signer(),
        )

    def restore(self, inspector: Inspector, result: StageResult) -> None:
        """Put the folder back from the store."""
        assert result.root is not None
        folder = model_folder(inspector.workspace, self.model, result.root)
        inspector.store.verify_tree(result.outputs[0].digest)
        inspector.store.checkout_tree(result.outputs[0].digest, folder)

    def in_place(self, inspector: Inspector, lock: Lock) -> bool:
        """Whether the folder is there with exactly the files of the lock, and the store has the records behind it."""
        if lock.root is None or not lock.outputs:
            return False
        if lock.record is None or not inspector.store.has(lock.record) or not inspector.is_recorded(lock.run):
            return False
        folder = model_folder(inspector.workspace, self.model, lock.root)
        return folder.is_dir() and inspector.cache.digest(folder)[0] == lock.outputs[0].digest

    def _upstream(self, inspector: Inspector) -> list[str]:
        stages = inspector.project.stages
        maker = maker_of(stages, inspector.project.models[self.model].source)
        return list(order(stages, target=maker))

    def _run(self, inspector: Inspector) -> str:
        """The record of the run that fitted the estimator."""
        maker = maker_of(inspector.project.stages, inspector.project.models[self.model].source)
        lock = inspector.locks.get(maker or "")
        if lock is None or lock.run is None:
            raise FileMissingError(f"stage {maker} has no record yet", hint="run it with `mintage run`")
        from mintage.pipeline.adopt import ADOPTED

        if inspector.store.has(lock.run) and inspector.store.get_record(lock.run).kind == ADOPTED:
            raise FileMissingError(
                f"no run of Mintage's made the outputs of stage {maker}: they were imported",
                expected="a run that proves how the estimator was made",
                hint=f"run it once: `mintage run {maker} --force`",
            )
        return lock.run

    def _output(self, inspector: Inspector, path: str) -> Item:
        item = find_item(inspector.locks, path, inspector.store)
        if item is None:
            raise FileMissingError(
                f"{path} of model {self.model} is not made yet",
                expected="what a stage writes or reads",
                where=f"models/{self.model}.yaml",
                hint="run `mintage run`, or correct the path",
            )
        return item

    def _facts(self, inspector: Inspector) -> dict[str, Any]:
        """What the card says of the making: data by digest, parameters, metrics of the project's stages."""
        upstream = self._upstream(inspector)
        locks = [inspector.locks[name] for name in upstream if name in inspector.locks]
        made = {item.path for lock in locks for item in lock.outputs}
        data = {item.path: item.digest for lock in locks for item in lock.inputs if item.path not in made}
        params: dict[str, Any] = {}
        for lock in locks:
            params |= lock.parts.get("params", {})
        metrics: dict[str, float] = {}
        for name in inspector.project.stages:
            metrics |= inspector.metrics(name)
        return {"data": data, "params": params, "metrics": metrics}
