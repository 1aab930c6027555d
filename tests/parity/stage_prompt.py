"""Stage `mm-tokenize` against the prompt protocol in Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.parity import adapter_files, trigger_reference
from tests.parity.case import Case, Context
from tests.parity.comparison import Row, Subject, equal
from tests.parity.program import Outcome
from tests.parity.stage_text import Tokenizer, tokenizer_folder
from tests.parity.trigger_reference import PromptError

ID_TOKENS = 2


@dataclass(frozen=True)
class Group:
    """Prompts that share their options. A prompt is one call."""

    name: str
    prompts: Sequence[str]
    references: int = 1
    length: int = 226
    trigger: str | None = None
    mean: bool = False

    @property
    def copies(self) -> int:
        return ID_TOKENS * (1 if self.mean else self.references)


_LONG = "a quiet street in the rain and a very old tree " * 30
GROUPS = (
    Group(
        "trigger",
        (
            "A young woman img is smiling.",
            "a man img, x",
            "an elderly woman img.",
            "a man   img  walks",
            "a man\timg\nwalks",
            "img",
            "two img and a man img",
            "a man, img walks",
            "a man images himself",
            "a manimg walks",
            "a man img_2 and a man img",
            "a man IMG walks",
            "un ni\u00f1o img corre",
            "\u65e5\u672c woman img \u65e5\u672c\u8a9e",
            "a per\u00adson img",
            "a man2 img runs",
            "(a man img)",
            "a man img",
            "A policewoman img in the rain, \u00bd lit",
        ),
    ),
    Group(
        "no trigger",
        (
            "A young woman is smiling.",
            "the WOMAN and the man",
            "a mansion and a manly dog",
            "a dog runs",
            "",
            "woman",
            "a man2 walks with a girl",
            "superman_man boy",
        ),
    ),
    Group("many references", ("A young woman img is smiling.", "portrait of a man img"), references=12),
    Group("mean", ("A young woman img is smiling.",), references=3, mean=True),
    Group("other trigger", ("a man sks walks, img", "a man img walks"), trigger="sks"),
    Group("copies do not fit", (_LONG + "a woman img smiles", "a woman img " + _LONG), references=2),
    Group("short", ("a man img walks", "a woman img", "portrait of a man img"), references=2, length=8),
)


def _adapter(group: Group, context: Context) -> Path:
    switches = {"multi_ref_text": "mean" if group.mean else "stack", "trigger_word": group.trigger or "img"}
    path = context.store.folder(
        f"prompt-{group.name}", lambda place: adapter_files.make(switches=switches).save(place / "a.safetensors")
    )
    return path / "a.safetensors"


def _call(group: Group, prompt: str, context: Context) -> Outcome:
    options = ["--text", prompt, "--references", str(group.references), "--max-length", str(group.length)]
    if group.mean or group.trigger:
        options += ["--adapter", str(_adapter(group, context))]
    return context.program.stage("mm-tokenize", tokenizer_folder(context), None, options)


def _check_prompt(group: Group, prompt: str, tokenizer: Tokenizer, context: Context, subject: Subject) -> Iterable[Row]:
    label = f"{prompt[:40]!a}"
    outcome = _call(group, prompt, context)
    try:
        parsed = trigger_reference.parse(prompt, group.trigger or "img")
    except PromptError as error:
        refused = outcome.code == 1 and len(outcome.lines) == 1 and outcome.outputs is None
        yield subject.ok(label, "refused") if refused else subject.fail(label, f"not refused: {error}")
        return
    if outcome.code != 0 or outcome.outputs is None:
        yield subject.fail(label, f"exit {outcome.code}: {outcome.stderr.strip()[:150]}")
        return
    want = trigger_reference.mark(tokenizer, parsed, group.copies, group.length)
    for name, values in (
        ("input_ids", want.ids),
        ("identity_mask", want.mask),
        ("plain_input_ids", want.plain),
    ):
        yield equal(subject, f"{name} of {label}", outcome.outputs.get(name), torch.tensor([values]))
    unmarked = not any(want.mask)
    cut = len(tokenizer.ids(parsed.cleaned)) + group.copies >= group.length
    if not cut and len(outcome.lines) != int(unmarked):
        yield subject.fail(f"warnings of {label}", f"{len(outcome.lines)} instead of {int(unmarked)}")


def _check(group: Group, context: Context, subject: Subject) -> Iterable[Row]:
    tokenizer = Tokenizer(tokenizer_folder(context) / "tokenizer" / "spiece.model")
    for prompt in group.prompts:
        yield from _check_prompt(group, prompt, tokenizer, context, subject)


def cases() -> list[Case]:
    return [
        Case(Subject("mm-tokenize", group.name, "i64"), lambda c, s, group=group: _check(group, c, s))
        for group in GROUPS
    ]
