"""A bearing's geometry as a table says it: four orders, or the dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping

from faultbench.api import DataError, Geometry

ORDERS = ("bpfo", "bpfi", "bsf", "ftf")
DIMENSIONS = ("balls", "ball_mm", "pitch_mm")
CONTACT = "contact_deg"
_HOW = f"give {', '.join(ORDERS)} (events per turn of the shaft), or {', '.join(DIMENSIONS)} and, where it is not 0, {CONTACT}"
_MOST_BALLS = 200


def geometry(name: str, said: Mapping[str, float]) -> Geometry:
    """The geometry that orders or dimensions give.

    Args:
        name: What it is called.
        said: Numbers by the names in `ORDERS`, or in `DIMENSIONS` and `CONTACT`.

    Raises:
        DataError: Something is missing, too much, or impossible.
    """
    keys = {key for key, value in said.items() if value is not None}
    what = f"geometry {name!a}"
    if not all(math.isfinite(said[key]) for key in keys):
        raise DataError(f"{what} holds a number that is not finite: {_HOW}")
    if keys == set(ORDERS):
        return _of_orders(what, Geometry(name, *(float(said[key]) for key in ORDERS)))
    if keys - {CONTACT} == set(DIMENSIONS):
        return _of_dimensions(what, name, said)
    raise DataError(f"{what} has {', '.join(sorted(ascii(key).strip(chr(39)) for key in keys)) or 'nothing'}: {_HOW}")


def inline(text: str) -> dict[str, float]:
    """The numbers of a geometry in one cell: `balls=9 ball_mm=7.94 pitch_mm=39.04`.

    Raises:
        DataError: It is not written like that.
    """
    said: dict[str, float] = {}
    for pair in text.replace(";", " ").split():
        key, equals, value = pair.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not equals or math.isnan(number) or key.casefold() in said:
            raise DataError(f"geometry {text[:60]!a} has {pair[:30]!a} where key=number belongs: {_HOW}")
        said[key.casefold()] = number
    return said


def _of_orders(what: str, stated: Geometry) -> Geometry:
    if not (0 < stated.ftf < 0.5 and stated.bsf > 0 and 1 < stated.bpfo < stated.bpfi < _MOST_BALLS):
        orders = ", ".join(f"{key} {value:g}" for key, value in zip(ORDERS, stated.orders, strict=True))
        raise DataError(
            f"{what} cannot be ({orders}), ftf lies below 0.5 and bpfo between 1 and bpfi: give orders, frequencies over shaft frequency"
        )
    return stated


def _of_dimensions(what: str, name: str, said: Mapping[str, float]) -> Geometry:
    balls, ball_mm, pitch_mm = (said[key] for key in DIMENSIONS)
    contact_deg = said.get(CONTACT, 0.0)
    if not (balls == int(balls) and 3 <= balls <= _MOST_BALLS and 0 < ball_mm < pitch_mm and 0 <= contact_deg < 90):
        raise DataError(f"{what} cannot be, {balls:g} balls of {ball_mm:g} mm on {pitch_mm:g} mm at {contact_deg:g} degrees: correct it")
    return Geometry.from_dimensions(name, int(balls), float(ball_mm), float(pitch_mm), float(contact_deg))
