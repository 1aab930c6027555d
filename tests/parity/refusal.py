"""What a refused call has to look like."""

from __future__ import annotations

from collections.abc import Sequence

from tests.parity.comparison import Row, Subject
from tests.parity.program import Outcome

LONGEST_LINE = 300


def judge(subject: Subject, outcome: Outcome, names: Sequence[str], code: int = 1) -> Row:
    """The exit code, one short line on stderr with one of the names in it, and no file under the output's name."""
    said = outcome.stderr.strip()[:160]
    if outcome.code != code:
        return subject.fail("exit code", f"{outcome.code} instead of {code}: {said}")
    if outcome.outputs is not None:
        return subject.fail("output", "there is a file under the output's name")
    if len(outcome.lines) != 1:
        return subject.fail("stderr", f"{len(outcome.lines)} lines: {said}")
    if len(outcome.lines[0]) >= LONGEST_LINE:
        return subject.fail("stderr", f"a line of {len(outcome.lines[0])} characters")
    if not any(name in outcome.lines[0] for name in names):
        return subject.fail("stderr", f"does not name {' or '.join(names)}: {said}")
    return subject.ok("stderr", f"exit {code}")


def accepted(subject: Subject, outcome: Outcome, warning: str = "") -> Row:
    """Exit code 0 with an output; silent, or with one line that holds the warning."""
    said = outcome.stderr.strip()[:160]
    if outcome.code != 0 or outcome.outputs is None:
        return subject.fail("exit code", f"{outcome.code} instead of 0: {said}")
    lines = [warning] if warning else []
    if len(outcome.lines) != len(lines) or not all(a in b for a, b in zip(lines, outcome.lines, strict=True)):
        return subject.fail("stderr", f"{warning or 'nothing'} expected: {said}")
    return subject.ok("stderr", "warning" if warning else "exit 0")
