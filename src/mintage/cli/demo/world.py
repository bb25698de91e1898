"""The world around the demo's project: flights that depart month after month, and labels that arrive late.

It plays the application that asks for predictions (one HTTP request a flight for a sample, files for the rest) and the
warehouse that learns what came true. Nothing of it is part of the project.
"""

from __future__ import annotations

import calendar
import datetime
import http.client
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mintage.errors import ExtraMissingError, RunError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Month", "World", "thin_out"]

INPUTS = {
    "carrier": "BYTES",
    "origin": "BYTES",
    "dest": "BYTES",
    "minute_of_day": "FP64",
    "weekday": "FP64",
    "distance": "FP64",
    "humid": "FP64",
    "wind_speed": "FP64",
    "wind_gust": "FP64",
    "precip": "FP64",
    "visib": "FP64",
}


@dataclass(frozen=True)
class Month:
    """A month of 2013."""

    number: int

    @property
    def name(self) -> str:
        """``2013-03``."""
        return f"2013-{self.number:02d}"

    @property
    def title(self) -> str:
        """``March``."""
        return calendar.month_name[self.number]

    @property
    def after(self) -> str:
        """The first day of the next month, when all its flights have departed."""
        return datetime.date(2013, self.number + 1, 1).isoformat()

    @property
    def labelled(self) -> str:
        """The day on which its labels are complete: when the next month has passed."""
        return datetime.date(2013, self.number + 2, 1).isoformat()


def thin_out(data: Path, *, every: int) -> None:
    """Keep every n-th flight of the project's data: all days, fewer rows."""
    table = _polars().read_parquet(data / "flights.parquet")
    table.gather_every(every).write_parquet(data / "flights.parquet")


class World:
    """All flights of the project's data with their weather, as an application would know them."""

    def __init__(self, data: Path) -> None:
        pl = _polars()
        flights = pl.read_parquet(data / "flights.parquet").filter(pl.col("arr_delay").is_not_null())
        weather = pl.read_parquet(data / "weather.parquet")
        weather = weather.unique(["origin", "hour"], keep="first", maintain_order=True)
        departs = pl.col("scheduled_departure")
        self._rows = (
            flights.with_columns(hour=departs.dt.truncate("1h"))
            .join(weather, on=["origin", "hour"], how="left", maintain_order="left")
            .select(
                "scheduled_departure",
                *[name for name in INPUTS if name not in ("minute_of_day", "weekday", "distance")],
                flight_id=pl.format("{}-{}{}-{}", departs.dt.strftime("%Y%m%dT%H%M"), "carrier", "flight", "origin"),
                minute_of_day=departs.dt.hour() * 60.0 + departs.dt.minute(),
                weekday=departs.dt.weekday().cast(pl.Float64),
                distance=pl.col("distance").cast(pl.Float64),
                late=(pl.col("arr_delay") > 15).cast(pl.Int64),
            )
        )

    def flights(self, month: Month) -> pl.DataFrame:
        """A month's flights, in order of departure."""
        chosen = _polars().col("scheduled_departure").dt.month() == month.number
        rows: pl.DataFrame = self._rows.filter(chosen)
        return rows

    def split(self, month: Month, *, requests: int) -> tuple[list[dict[str, Any]], pl.DataFrame]:
        """A sample of the month's flights for single requests, spread over its days, and all others."""
        rows = self.flights(month)
        chosen = sorted(random.Random(month.number).sample(range(rows.height), min(requests, rows.height)))
        pl = _polars()
        picked = pl.int_range(pl.len()).is_in(pl.Series(chosen, dtype=pl.Int64).implode())
        return rows.filter(picked).drop("late").to_dicts(), rows.filter(~picked).drop("late")

    def labels(self, month: Month) -> pl.DataFrame:
        """What came true of a month's flights: request_id, label."""
        return self.flights(month).select(request_id="flight_id", label="late")


def ask(url: str, model: str, rows: list[dict[str, Any]], *, progress: Callable[[float], None]) -> Iterator[float]:
    """Send one request a flight over one connection; yields the score of each. Raises RunError if one is refused."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    try:
        for index, row in enumerate(rows):
            connection.request("POST", f"/v2/models/{model}/infer", body=request_body(row))
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != 200:
                raise RunError("the gateway refused a flight", found=json.dumps(answer), where=url)
            yield next(output["data"][0] for output in answer["outputs"] if output["name"] == "score")
            progress(index + 1)
    finally:
        connection.close()


def request_body(row: dict[str, Any]) -> bytes:
    """One flight as an inference request (Open Inference Protocol v2)."""
    return json.dumps(
        {
            "id": row["flight_id"],
            "parameters": {"event_time": row["scheduled_departure"].isoformat()},
            "inputs": [
                {"name": name, "datatype": kind, "shape": [1], "data": [row[name]]} for name, kind in INPUTS.items()
            ],
        }
    ).encode()


def _polars() -> Any:
    try:
        import polars
    except ImportError as error:
        raise ExtraMissingError(
            "the demo needs polars and scikit-learn", hint="install them with `pip install 'mintage[demo]'`"
        ) from error
    return polars
