"""One comparison, the rules it is judged by, and the table of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

# In 16 bit two correct orders of the same arithmetic differ in their last bits; the size of the error must agree.
ROUNDING_FACTOR = 1.25


Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    stage: str
    case: str
    dtype: str
    output: str
    max_abs: float
    relative: float
    tolerance: str
    passed: bool
    note: str = ""


@dataclass(frozen=True)
class Subject:
    """What is compared, for the left half of the line."""

    stage: str
    case: str
    dtype: str = "fp32"

    def fail(self, output: str, note: str) -> Row:
        return Row(self.stage, self.case, self.dtype, output, math.nan, math.nan, "-", False, note)

    def ok(self, output: str, rule: str) -> Row:
        return Row(self.stage, self.case, self.dtype, output, 0.0, 0.0, rule, True)


def rms(x: torch.Tensor) -> float:
    return float(x.double().square().mean().sqrt())


def _errors(got: torch.Tensor, want: torch.Tensor) -> tuple[float, float]:
    difference = got.double() - want.double()
    largest = float(difference.abs().max()) if difference.numel() else 0.0
    size = rms(want)
    return largest, rms(difference) / size if size > 0 else largest


def _shape_problem(got: torch.Tensor | None, want: torch.Tensor) -> str:
    if got is None:
        return "output is missing"
    if got.shape != want.shape:
        return f"shape {list(got.shape)} instead of {list(want.shape)}"
    if got.is_floating_point() != want.is_floating_point():
        return f"dtype {got.dtype} instead of {want.dtype}"
    return ""


def within(subject: Subject, output: str, got: torch.Tensor | None, want: torch.Tensor, tolerance: float) -> Row:
    """Largest absolute difference of any element."""
    if problem := _shape_problem(got, want):
        return subject.fail(output, problem)
    assert got is not None
    largest, relative = _errors(got, want)
    return Row(
        subject.stage, subject.case, subject.dtype, output, largest, relative, f"{tolerance:.0e}", largest <= tolerance
    )


def close(subject: Subject, output: str, got: torch.Tensor | None, want: torch.Tensor, tolerance: float) -> Row:
    """Largest difference of any element, in units of the size (rms) of the whole output."""
    if problem := _shape_problem(got, want):
        return subject.fail(output, problem)
    assert got is not None
    largest, relative = _errors(got, want)
    share = largest / rms(want)
    rule = f"{tolerance:.0e} of rms"
    return Row(
        subject.stage,
        subject.case,
        subject.dtype,
        output,
        largest,
        relative,
        rule,
        share <= tolerance,
        f"{share:.1e} of rms",
    )


def equal(subject: Subject, output: str, got: torch.Tensor | None, want: torch.Tensor) -> Row:
    """Every bit."""
    if problem := _shape_problem(got, want):
        return subject.fail(output, problem)
    assert got is not None
    largest, relative = _errors(got, want)
    return Row(
        subject.stage, subject.case, subject.dtype, output, largest, relative, "equal", bool(torch.equal(got, want))
    )


def rounding(
    subject: Subject, output: str, got: torch.Tensor | None, published: torch.Tensor, exact: torch.Tensor
) -> Row:
    """The distance from the fp32 result may be 1.25 times that of the published 16-bit run.

    The columns hold the difference between the two 16-bit results; the note holds the two distances.
    """
    if problem := _shape_problem(got, published):
        return subject.fail(output, problem)
    assert got is not None
    largest, relative = _errors(got, published)
    ours, theirs = rms(got.double() - exact.double()), rms(published.double() - exact.double())
    passed = math.isfinite(ours) and ours <= ROUNDING_FACTOR * theirs + 1e-7
    ratio = ours / theirs if theirs > 0 else (1.0 if ours == 0 else math.inf)
    rule = f"{ROUNDING_FACTOR}x rms"
    return Row(
        subject.stage, subject.case, subject.dtype, output, largest, relative, rule, passed, f"rms ratio {ratio:.3f}"
    )


def judged(subject: Subject, got: Tensors, exact: Tensors, published: Tensors, tolerance: float) -> Iterator[Row]:
    """Every output of the reference, by the rule of the dtype; and no output that the reference has not."""
    for name, want in exact.items():
        if subject.dtype == "fp32":
            yield within(subject, name, got.get(name), want, tolerance)
        else:
            yield rounding(subject, name, got.get(name), published[name], want)
    for name in sorted(set(got) - set(exact)):
        yield subject.fail(name, "an output that should not be there")


def joined(results: Iterable[Tensors]) -> Tensors:
    """The same outputs of several calls, stacked; one that a call lacks is left out."""
    every = list(results)
    names = [name for name in every[0] if all(name in outputs for outputs in every)]
    return {name: torch.stack([outputs[name] for outputs in every]) for name in names}


_COLUMNS = ("stage", "case", "dtype", "output", "max abs", "relative", "tolerance", "result", "note")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.stage,
        row.case,
        row.dtype,
        row.output,
        f"{row.max_abs:.2e}",
        f"{row.relative:.2e}",
        row.tolerance,
        "pass" if row.passed else "FAIL",
        row.note,
    )


def table(rows: Iterable[Row]) -> str:
    """All lines, aligned."""
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_COLUMNS))]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    return "\n".join([lines[0], "-" * sum(widths), *lines[1:]])


def markdown_table(rows: Iterable[Row]) -> str:
    lines = [_COLUMNS, ("---",) * len(_COLUMNS), *(_cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
