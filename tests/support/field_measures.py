"""What an example of a field type is, and the kit of lengths, times of day, places, ratings and JSON."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

TEXTS: Final = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@dataclass(frozen=True)
class Examples:
    """``good``: (raw, JSON after a round trip); ``bad``: (raw, code); ``cells``: (text cell, JSON)."""

    good: list[tuple[object, object]]
    bad: list[tuple[object, str]]
    cells: list[tuple[str, object]]
    anything: st.SearchStrategy[Any]
    empty: object = None
    bad_cells: list[tuple[str, str]] = field(default_factory=list)


MEASURES: Final[dict[str, Examples]] = {
    "duration": Examples(
        good=[
            ("PT1H30M", "PT1H30M"),
            ("1:30", "PT1H30M"),
            ("1h 30m", "PT1H30M"),
            ("90 min", "PT1H30M"),
            ("1.5 hours", "PT1H30M"),
            ("1:30:15.5", "PT1H30M15.5S"),
            ("P1DT2H", "PT26H"),
            ("2 weeks", "PT336H"),
            ("-0:05", "-PT5M"),
            (5_400, "PT1H30M"),
            (0.25, "PT0.25S"),
            (0, "PT0S"),
            ("0", "PT0S"),
            ("PT0.0000004S", "PT0S"),
            ("1 hr and 5 min", "PT1H5M"),
            ("1,5 h", "PT1H30M"),
            ("1h30", "PT1H30M"),
            ("1:30 hrs", "PT1H30M"),
        ],
        bad=[
            ("90", "duration.unit"),
            ("1:75", "duration.invalid"),
            ("5m 2h", "duration.invalid"),
            ("P1M", "duration.calendar"),
            ("P1Y2D", "duration.calendar"),
            ("PT", "duration.invalid"),
            ("87660001h", "duration.range"),
            (True, "duration.type"),
            ([1], "duration.type"),
            (float("nan"), "duration.range"),
            ("soon", "duration.invalid"),
            ("1h75", "duration.invalid"),
        ],
        cells=[("2 d 3 h", "PT51H"), (" 45 min ", "PT45M"), ("36:00", "PT36H"), ("-PT90M", "-PT1H30M")],
        bad_cells=[("7.5", "duration.unit")],
        anything=st.decimals(-315_576_000_000, 315_576_000_000, places=6) | st.integers(-(10**6), 10**6),
    ),
    "time": Examples(
        good=[
            ("09:30", "09:30"),
            ("9:30", "09:30"),
            ("09:30:15", "09:30:15"),
            ("09:30:00", "09:30"),
            ("9:30 pm", "21:30"),
            ("9 p.m.", "21:00"),
            ("12 am", "00:00"),
            ("T23:59", "23:59"),
            ("9h30", "09:30"),
            ("9.30 Uhr", "09:30"),
            ("23:59:59", "23:59:59"),
        ],
        bad=[
            ("24:00", "time.invalid"),
            ("9", "time.invalid"),
            ("13 pm", "time.invalid"),
            ("09:60", "time.invalid"),
            ("9h60", "time.invalid"),
            ("9h30 pm", "time.invalid"),
            ("09:30:15 h", "time.invalid"),
            ("09:30+02:00", "time.invalid"),
            ("09:30:15.5", "time.invalid"),
            (9, "time.type"),
        ],
        cells=[("9:30AM", "09:30"), ("14.05", "14:05"), ("08:00:00.000", "08:00"), ("1899-12-30 09:30:00", "09:30")],
        bad_cells=[("noon", "time.invalid"), ("2026-11-22 09:30", "time.invalid")],
        anything=st.times().map(lambda time: time.replace(microsecond=0).isoformat()),
    ),
    "geo": Examples(
        good=[
            ({"lat": 52.52, "lon": 13.4}, {"lat": 52.52, "lon": 13.4}),
            ("52.52, 13.40", {"lat": 52.52, "lon": 13.4}),
            ({"lat": "-90", "lon": -180}, {"lat": -90, "lon": -180}),
            ({"lat": 1.23456789, "lon": 0}, {"lat": 1.2345679, "lon": 0}),
            ({"lat": None, "lon": ""}, None),
        ],
        bad=[
            ({"lat": 90.1, "lon": 0}, "geo.range"),
            ({"lat": 0, "lon": 181}, "geo.range"),
            ({"lat": 1}, "geo.half"),
            ({"lat": 1, "lng": 2}, "geo.part"),
            ({"lat": "north", "lon": 1}, "number.invalid"),
            (52.5, "geo.type"),
            ("Berlin", "geo.invalid"),
            ({"lat": float("inf"), "lon": 1}, "number.invalid"),
        ],
        cells=[
            ("52.52 13.40", {"lat": 52.52, "lon": 13.4}),
            ("52,52; 13,40", {"lat": 52.52, "lon": 13.4}),
            ("geo:-33.8,151.2", {"lat": -33.8, "lon": 151.2}),
            ("(48, 11)", {"lat": 48, "lon": 11}),
        ],
        bad_cells=[("52.52", "geo.invalid"), ("100, 3", "geo.range")],
        anything=st.fixed_dictionaries(
            {
                "lat": st.decimals(-90, 90, places=9) | st.floats(-90, 90),
                "lon": st.decimals(-180, 180, places=7) | st.integers(-180, 180),
            }
        ),
    ),
    "rating": Examples(
        good=[(4, 4), ("4", 4), (5.0, 5), ("3/5", 3), ("★★", 2), ("★★☆☆☆", 2)],
        bad=[
            (0, "rating.range"),
            (6, "rating.range"),
            (2.5, "rating.range"),
            ("3/10", "rating.range"),
            (True, "rating.range"),
            ("good", "rating.range"),
            ([4], "rating.range"),
        ],
        cells=[("4.0", 4), (" 5 of 5 ", 5)],
        bad_cells=[("4.5", "rating.range")],
        anything=st.integers(1, 5),
    ),
    "json": Examples(
        good=[
            ({"b": [1, 2.5, None, True], "a": {}}, {"b": [1, 2.5, None, True], "a": {}}),
            ("a text", "a text"),
            (False, False),
            ([], []),
            (0, 0),
            (1e17, 10**17),
            (-0.0, 0),
        ],
        bad=[
            (float("nan"), "json.number"),
            ([1e300], "json.number"),
            ([2**63], "json.number"),
            ([1e-40], "json.number"),
            ({"a": "\0"}, "text.nul"),
            (["\ud800"], "text.surrogate"),
            ("x" * 65_537, "json.too_long"),
            (functools.reduce(lambda inner, _: [inner], range(25), []), "json.too_deep"),
        ],
        cells=[('{"a": [1, "x"]}', {"a": [1, "x"]}), ("12", 12), ('"a"', "a"), ("null", None)],
        bad_cells=[
            ("{a: 1}", "json.invalid"),
            ("[1,]", "json.invalid"),
            ("NaN", "json.number"),
            ('{"a":1,"a":2}', "json.twice"),
            ("[" * 60_000, "json.too_deep"),
            ("9" * 5_000, "json.number"),
        ],
        anything=st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**63) + 1, 2**63 - 1)
            | TEXTS
            | st.floats(-1e18, 1e18).filter(lambda number: number == 0 or abs(number) > 1e-29),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
            max_leaves=8,
        ),
    ),
}
