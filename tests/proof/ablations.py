#!/usr/bin/env python3
"""Puts the curves of the ablation recipes (presets/training/ablation-*.json) side by side.

    tests/proof/ablations.py RUNS OUT

RUNS is the folder that holds the recipes' outputs (`pocket`). Writes OUT/ablations.svg, the likeness of held-out people
against the samples of the image stage, and OUT/ablations.md with the last numbers of every run.
"""

import csv
import sys
from pathlib import Path

# Output folder of the image stage, of the video stage, name.
VARIANTS = [
    ("ablation-whole-pictures", "ablation-whole-clips", "whole method"),
    ("ablation-without-can-pictures", "ablation-without-can-clips", "without CAN"),
    ("ablation-without-face-pictures", "ablation-without-face-clips", "without the face branch"),
    ("ablation-without-text-pictures", "ablation-without-text-clips", "without the text branch"),
    (None, "ablation-without-image-stage", "without the image stage"),
    ("ablation-without-video-stage", None, "without the video stage"),
]
CURVES = VARIANTS[:4]
COLOURS = ["#1f5fbf", "#c2410c", "#15803d", "#7e22ce"]
ON, OFF, LOSS = "held_out_identity", "held_out_identity_adapter_off", "held_out_loss"

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 48, 172, 16, 40
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#6b6f76}.grid{stroke:#e4e4e0}"
    ".line{stroke-width:2;fill:none;stroke-linejoin:round}.off{stroke:#9a8f7d;stroke-width:1.5;fill:none;stroke-dasharray:6 4}"
    "@media(prefers-color-scheme:dark){text{fill:#a3a7ad}.grid{stroke:#30333a}}</style>"
)


def curve(runs: Path, folder: str | None) -> list[dict[str, float]]:
    """The rows of a run that hold scores of held-out people; none if it was not run."""
    file = runs / (folder or "") / "training" / "curve.csv"
    if folder is None or not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as rows:
        return [
            {key: float(value) for key, value in row.items() if value}
            for row in csv.DictReader(rows)
            if row.get(ON)
        ]


class Plot:
    def __init__(self, curves: list[list[dict[str, float]]]):
        values = [row[key] for rows in curves for row in rows for key in (ON, OFF)]
        self.last = max(row["samples"] for rows in curves for row in rows)
        self.low, self.high = min(values + [0.0]), max(values) * 1.05

    def x(self, samples: float) -> float:
        return LEFT + samples / self.last * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)

    def line(self, rows: list[dict[str, float]], key: str, look: str) -> str:
        points = " ".join(f"{self.x(row['samples']):.1f},{self.y(row[key]):.1f}" for row in rows)
        return f'<polyline {look} points="{points}"/>'

    def grid(self) -> str:
        text = ""
        step = 0.1 if self.high - self.low < 0.8 else 0.2
        value = 0.0
        while value <= self.high:
            text += f'<line class="grid" x1="{LEFT}" y1="{self.y(value):.1f}" x2="{WIDTH - RIGHT}" y2="{self.y(value):.1f}"/>'
            text += f'<text x="{LEFT - 8}" y="{self.y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>'
            value += step
        for part in range(5):
            samples = self.last * part / 4
            text += f'<text x="{self.x(samples):.1f}" y="{HEIGHT - 18}" text-anchor="middle">{samples:.0f}</text>'
        return text + f'<text x="{self.x(self.last / 2):.1f}" y="{HEIGHT - 3}" text-anchor="middle">samples</text>'


def spread(labels: list[tuple[float, str, str]], least: float = 15.0) -> list[tuple[float, str, str]]:
    """Labels from the top down, none closer than `least` to the one above it."""
    placed: list[tuple[float, str, str]] = []
    for y, name, colour in sorted(labels):
        placed.append((max(y, placed[-1][0] + least) if placed else y, name, colour))
    return placed


def chart(runs: Path) -> str:
    curves = [(name, colour, curve(runs, folder)) for (folder, _, name), colour in zip(CURVES, COLOURS, strict=True)]
    curves = [one for one in curves if one[2]]
    if not curves:
        raise SystemExit(f"there is no curve with {ON} below {runs}")
    plot = Plot([rows for _, _, rows in curves])
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    svg += "<title>Likeness of held-out people against samples of the image stage</title>" + STYLE + plot.grid()
    off = curves[0][2]
    svg += plot.line(off, OFF, 'class="off"')
    labels = [(plot.y(off[-1][OFF]), "adapter off", "#9a8f7d")]
    for name, colour, rows in curves:
        svg += plot.line(rows, ON, f'class="line" stroke="{colour}"')
        labels.append((plot.y(rows[-1][ON]), name, colour))
    for y, name, colour in spread(labels):
        svg += f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}" style="fill:{colour}">{name}</text>'
    return svg + "</svg>\n"


def table(runs: Path) -> str:
    text = "| | image stage: likeness | v-loss | video stage: likeness | v-loss |\n|---|---|---|---|---|\n"
    for pictures, clips, name in VARIANTS:
        cells = []
        for rows in (curve(runs, pictures), curve(runs, clips)):
            cells += [f"{rows[-1][ON]:.3f}", f"{rows[-1][LOSS]:.4f}"] if rows else ["", ""]
        text += f"| {name} | " + " | ".join(cells) + " |\n"
    rows = curve(runs, VARIANTS[0][0])
    if rows:
        text += f"| adapter off | {rows[-1][OFF]:.3f} | {rows[-1][LOSS + '_adapter_off']:.4f} | | |\n"
    return text


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    runs, out = Path(sys.argv[1]), Path(sys.argv[2])
    (out / "ablations.svg").write_text(chart(runs), encoding="utf-8")
    (out / "ablations.md").write_text(table(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
