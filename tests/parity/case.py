"""A comparison that can be chosen by name, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch

from tests.parity.checkpoints import Store
from tests.parity.comparison import Row, Subject
from tests.parity.program import Program, StageError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
# What a file may hold; fp16 is a way to store numbers here, never one to compute with.
STORED = DTYPES | {"fp16": torch.float16}


@dataclass(frozen=True)
class Context:
    program: Program
    store: Store


@dataclass(frozen=True)
class Case:
    subject: Subject
    check: Callable[[Context, Subject], Iterable[Row]]

    @property
    def name(self) -> str:
        return f"{self.subject.stage}/{self.subject.case}/{self.subject.dtype}"

    def run(self, context: Context) -> Iterator[Row]:
        """The lines of this case; a stage that fails is one failed line."""
        try:
            yield from self.check(context, self.subject)
        except StageError as error:
            yield self.subject.fail("-", str(error))
        except Exception as error:  # The published Python has its own ways to refuse; the other cases still count.
            yield self.subject.fail("-", f"{type(error).__name__}: {str(error)[:150]}")
