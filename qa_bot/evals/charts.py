"""The report's charts as inline SVG: no script, no outside file; colours come from report.css.

No chart tells by colour alone: lines differ in dash and carry their names, and each
segment of the bar of outcomes is repeated, alone and in place, beside its row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 420, 290
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 42
BINS = 10
"""Steps of confidence in the reliability diagram."""

Point = tuple[float, float]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart; the caption says how to read it and over how many questions it goes."""

    title: str
    svg: Markup
    caption: str


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One SVG element; text and attributes are escaped, `stroke_width` means `stroke-width`."""
    written = Markup("").join(
        Markup(' {}="{}"').format(
            name.strip("_").replace("_", "-"),
            f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value,
        )
        for name, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(tag, written, Markup("").join(children))


@dataclass(frozen=True, slots=True)
class _Plot:
    """Two linear axes: x over [low, high], y over [0, 1]."""

    low: float
    high: float

    def x(self, value: float) -> float:
        return LEFT + (value - self.low) / (self.high - self.low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)

    def line(self, points: Iterable[Point], css: str) -> Markup:
        return element("path", d=self._path(points), class_=css)

    def area(self, upper: Sequence[Point], lower: Sequence[Point], css: str) -> Markup:
        return element("path", d=self._path([*upper, *reversed(lower)]) + "Z", class_=css)

    def dot(self, at: Point, css: str, title: str) -> Markup:
        return element("circle", element("title", title),
                       cx=self.x(at[0]), cy=self.y(at[1]), r=4, class_=css)  # fmt: skip

    def text(self, at: Point, words: str, *, dx: float = 0, dy: float = 0,
             anchor: str = "start", css: str = "note") -> Markup:  # fmt: skip
        y = min(max(self.y(at[1]) + dy, TOP - 6), HEIGHT - BOTTOM - 5)
        return element("text", words, x=self.x(at[0]) + dx, y=y, text_anchor=anchor, class_=css)

    def draw(self, name: str, title: str, description: str, *marks: Markup,
             x_ticks: Sequence[float], x_label: str, y_label: str) -> Markup:  # fmt: skip
        """The whole SVG: grid, axes and `marks` on top; `name` keeps its ids apart."""
        return element(
            "svg",
            element("title", title, id=f"{name}-title"),
            element("desc", description, id=f"{name}-desc"),
            *self._grid(x_ticks),
            element("text", y_label, x=LEFT - 34, y=12, class_="axis"),
            element("text", x_label, x=WIDTH - RIGHT, y=HEIGHT - 6, text_anchor="end",
                    class_="axis"),
            *marks,
            viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="plot",
            aria_labelledby=f"{name}-title {name}-desc",
        )  # fmt: skip

    def _grid(self, x_ticks: Sequence[float]) -> Iterable[Markup]:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            yield self.line(
                [(self.low, share), (self.high, share)], "base" if not share else "grid"
            )
            yield element("text", f"{share:g}", x=LEFT - 7, y=self.y(share) + 4,
                          text_anchor="end", class_="tick")  # fmt: skip
        for tick in x_ticks:
            yield element("text", f"{tick:g}", x=self.x(tick), y=HEIGHT - BOTTOM + 16,
                          text_anchor="middle", class_="tick")  # fmt: skip

    def _path(self, points: Iterable[Point]) -> str:
        return "M" + "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)


def whisker(figure: Mapping[str, Any]) -> Markup:
    """A dot on a line from 0 to 1, with its interval; empty where there is no share to draw.

    Its table cell's neighbours say the same in figures, so readers by ear are spared it.
    """
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or not 0 <= value <= 1:
        return Markup("")
    marks = [element("line", x1="0%", x2="100%", y1=8, y2=8, class_="rail")]
    marks += [
        element("line", x1=f"{tick}%", x2=f"{tick}%", y1=5, y2=11, class_="rail")
        for tick in (0, 25, 50, 75, 100)
    ]
    if low is not None and high is not None:
        ends = {"x1": f"{100 * low:.1f}%", "x2": f"{100 * high:.1f}%"}
        marks.append(element("line", y1=8, y2=8, class_="reach", **ends))
    marks.append(element("circle", cx=f"{100 * value:.1f}%", cy=8, r=4.5, class_="dot s1"))
    return element("svg", *marks, class_="whisker", aria_hidden="true")


def segments(counts: Sequence[tuple[str, int]], only: str | None = None) -> Markup:
    """The counts as one stacked bar; with `only`, that segment alone, in its place."""
    total = sum(count for _, count in counts) or 1
    marks, before = [], 0
    for name, count in counts:
        share = 100 * count / total
        if count and only in (None, name):
            left = 100 * before / total
            marks.append(element("rect", x=f"{left:.2f}%", width=f"{share:.2f}%", height="100%",
                                 class_=f"segment {name}"))  # fmt: skip
            if only is None and share >= 4:
                marks.append(element("text", str(count), x=f"{left + share / 2:.2f}%", y="50%",
                                     class_=f"count {name}"))  # fmt: skip
        before += count
    css = "stacked" if only is None else "stacked single"
    return element("svg", *marks, class_=css, aria_hidden="true")


def retrieval_curve(curves: Mapping[str, Sequence[Row]], n: int) -> Chart | None:
    """How often retrieval succeeds within the first k, with the 95 % band."""
    plot, marks, told = _Plot(1, 20), [], []
    for name, label, css, dy in (("hit", "right document", "s1", -9),
                                 ("passage_hit", "right passage", "s2", 17)):  # fmt: skip
        points = [point for point in curves.get(name, ()) if point["value"] is not None]
        if not points:
            continue
        banded = [point for point in points if point["low"] is not None]
        if banded:
            marks.append(plot.area([(point["k"], point["high"]) for point in banded],
                                   [(point["k"], point["low"]) for point in banded],
                                   f"band {css}"))  # fmt: skip
        line = [(point["k"], point["value"]) for point in points]
        marks += [plot.line(line, f"line {css}"),
                  plot.text(line[-1], label, dy=dy, anchor="end")]  # fmt: skip
        told.append(
            f"{label}: {line[0][1]:.2f} at {line[0][0]}, {line[-1][1]:.2f} at {line[-1][0]}"
        )
    if not marks:
        return None
    title = "Retrieval by how many passages are read"
    svg = plot.draw("retrieval", title, "; ".join(told), *marks, x_ticks=(1, 5, 10, 15, 20),
                    x_label="first k", y_label="share of questions")  # fmt: skip
    return Chart(title, svg, "Share of answerable questions with a right document (solid) and a "
                 "hit on the gold passage (dashed) among the first k; shaded: 95 % interval. "
                 f"{_n(n)}.")  # fmt: skip


def refusal_curve(rows: Sequence[Row]) -> Chart | None:
    """What refusing more readily would gain and cost; None unless both kinds of question are there.

    A threshold t on the confidence refuses every question whose confidence is below t.
    """
    known = [row for row in rows if row.get("confidence") is not None]
    kinds = _by_answerable(known)
    if not all(kinds.values()):
        return None

    def point(refused: Any) -> Point:
        return (_share(map(refused, kinds[True])), _share(map(refused, kinds[False])))

    thresholds = [0.0, *sorted({row["confidence"] for row in known}), math.inf]
    curve = [point(lambda row, t=t: row["confidence"] < t) for t in thresholds]
    today = point(lambda row: row["status"] == "refused")
    right = today[0] > 0.55
    plot = _Plot(0, 1)
    title = "Refusal trade-off"
    told = f"today: {today[1]:.2f} of the unanswerable refused, {today[0]:.2f} of the answerable"
    svg = plot.draw(
        "refusal", title, told,
        plot.line([(0, 0), (1, 1)], "guide"),
        plot.line(curve, "line s1"),
        plot.dot(today, "dot s2", told),
        plot.text(today, f"today {today[1]:.2f} at {today[0]:.2f}", dy=18,
                  dx=-9 if right else 9, anchor="end" if right else "start"),
        x_ticks=(0, 0.25, 0.5, 0.75, 1), x_label="over-refusal (lower is better)",
        y_label="refusal rate (higher is better)",
    )  # fmt: skip
    return Chart(title, svg, "Each point of the line is one threshold on the bot's confidence; "
                 "the dot is the rule in force. Up and to the left is better; the dotted diagonal "
                 f"is guessing. {_n(len(kinds[False]))} unanswerable and {len(kinds[True])} "
                 "answerable questions.")  # fmt: skip


def confidence_reliability(rows: Sequence[Row]) -> Chart | None:
    """Whether the confidence means what it says: of questions at 0.8, are 8 in 10 answerable?"""
    pairs = [(row["confidence"], bool(row["expected"]["answerable"]))
             for row in rows if row.get("confidence") is not None]  # fmt: skip
    return _reliability(
        "reliability", "Is the confidence to be trusted?", pairs, "answerable",
        ("confidence that the documents answer", "share that they do answer"),
    )  # fmt: skip


def score_reliability(rows: Sequence[Row]) -> Chart | None:
    """Whether a passage's score means what it says, of each question's first passage."""
    pairs = [(row["retrieved"][0]["score"], row["ranks"]["passage"] == 1)
             for row in rows if row.get("retrieved") and _gold_is_known(row)]  # fmt: skip
    return _reliability(
        "scores", "Are the scores to be trusted?", pairs, "gold",
        ("score of the first passage", "share that answer"),
    )  # fmt: skip


def _gold_is_known(row: Row) -> bool:
    return bool(row["expected"]["gold_passages"]) or not row["expected"]["answerable"]


def _reliability(
    name: str, title: str, pairs: Sequence[tuple[float, bool]], right: str, labels: tuple[str, str]
) -> Chart | None:
    """Chances against how often they came true; None where all did or none, as none could err."""
    if len({came for _, came in pairs}) < 2:
        return None
    bins: dict[int, list[tuple[float, bool]]] = {}
    for chance, came in pairs:
        bins.setdefault(min(int(chance * BINS), BINS - 1), []).append((chance, came))
    plot, marks, told = _Plot(0, 1), [], []
    for _, members in sorted(bins.items()):
        mean = sum(chance for chance, _ in members) / len(members)
        observed = _share(came for _, came in members)
        told.append(f"{observed:.2f} {right} of {len(members)} near {mean:.2f}")
        css = "dot s1" if len(members) >= 10 else "dot s1 few"
        marks += [plot.dot((mean, observed), css, told[-1]),
                  plot.text((mean, observed), str(len(members)), dy=18 if observed > 0.9 else -9,
                            anchor="middle", css="tick")]  # fmt: skip
    svg = plot.draw(
        name, title, "; ".join(told), plot.line([(0, 0), (1, 1)], "guide"), *marks,
        x_ticks=(0, 0.25, 0.5, 0.75, 1), x_label=labels[0], y_label=labels[1],
    )  # fmt: skip
    return Chart(title, svg, "On the dotted diagonal it is exact; below it the bot is too sure, "
                 "above it too shy. Beside each dot its number of questions; hollow dots have "
                 f"fewer than 10. {_n(len(pairs))}.")  # fmt: skip


def latency(rows: Sequence[Row], metrics: Mapping[str, Row]) -> Chart | None:
    """The share of questions done within a time; the run's own percentiles are marked on it."""
    times = sorted(row["seconds"] for row in rows
                   if row.get("seconds") is not None and not row.get("error"))  # fmt: skip
    if not times:
        return None
    step = _nice_step(times[-1] / 5)
    plot = _Plot(0, step * max(1, math.ceil(times[-1] / step)))
    curve: list[Point] = [(0, 0)]
    for place, seconds in enumerate(times):
        curve += [(seconds, place / len(times)), (seconds, (place + 1) / len(times))]
    curve.append((plot.high, 1))
    marks, told = [plot.line(curve, "line s1")], []
    for name, share, words in (("p50_seconds", 0.5, "half"), ("p95_seconds", 0.95, "95 of 100")):
        seconds = metrics.get(name, {}).get("value")
        if seconds is None:
            continue
        told.append(f"{words} within {seconds:.3g} s")
        late = seconds > 0.6 * plot.high
        marks += [plot.dot((seconds, share), "dot s2", told[-1]),
                  plot.text((seconds, share), told[-1], dx=-9 if late else 9, dy=4 if late else 15,
                            anchor="end" if late else "start")]  # fmt: skip
    title = "Time a question takes"
    ticks = [step * place for place in range(round(plot.high / step) + 1)]
    svg = plot.draw("latency", title, "; ".join(told), *marks, x_ticks=ticks,
                    x_label="seconds", y_label="share of questions done")  # fmt: skip
    return Chart(title, svg, f"Share of questions done within a time. {_n(len(times))}.")


def _n(count: int) -> str:
    return f"n\u00a0=\u00a0{count}"


def _by_answerable(rows: Sequence[Row]) -> dict[bool, list[Row]]:
    return {
        kind: [row for row in rows if bool(row["expected"]["answerable"]) is kind]
        for kind in (True, False)
    }


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _nice_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(max(least, 0.001)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)
