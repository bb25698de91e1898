"""A schedule as a DAG file of Airflow, 2 or 3. Airflow imports it; we only write it."""

from __future__ import annotations

from mintage.pipeline.triggers.job import Job, Place, checked_folder, in_clone, mark, unit_name
from mintage.repo.trigger import Trigger

__all__ = ["render_airflow"]

_DAG = """{mark}
import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id={dag!r},
    schedule={cron!r},
    start_date=pendulum.datetime(2020, 1, 1, tz={zone!r}),
    catchup=False,
    max_active_runs=1,
    tags=["mintage"],
):
    BashOperator(
        task_id="run",
        cwd={folder!r},
        bash_command={command!r},
    )
"""


def render_airflow(job: Job, trigger: Trigger, place: Place) -> dict[str, str]:
    """The DAG's file. Its command ends with a space: Airflow takes one that ends in .sh for a template's file."""
    name = unit_name(job).replace("-", "_")
    text = _DAG.format(
        mark=mark(job.project, "airflow"),
        dag=name,
        cron=trigger.cron.text,
        zone=trigger.timezone,
        folder=checked_folder(place.folder),
        command=f"{in_clone(job, program=place.program)} ",
    )
    return {f"{name}.py": text}
