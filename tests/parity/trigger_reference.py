"""The prompt protocol in plain Python: which word names the person, and which tokens carry the identity."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from tests.parity.stage_text import Tokenizer

# The common ones; the program knows more.
CLASS_WORDS = frozenset(
    (
        "man",
        "woman",
        "boy",
        "girl",
        "baby",
        "person",
        "child",
        "kid",
        "lady",
        "gentleman",
        "guy",
        "male",
        "female",
        "officer",
        "policeman",
        "policewoman",
        "actor",
        "actress",
        "dancer",
        "doctor",
        "nurse",
        "teacher",
    )
)


class PromptError(ValueError):
    """A prompt that the program must refuse."""


@dataclass(frozen=True)
class Prompt:
    """The text without the trigger, and where the class word lies in it."""

    cleaned: str
    word: tuple[int, int] | None


@dataclass(frozen=True)
class Marked:
    ids: Sequence[int]
    mask: Sequence[int]
    plain: Sequence[int]


def _is_letter(character: str) -> bool:
    return unicodedata.category(character).startswith("L")


def _is_word_character(character: str) -> bool:
    return character == "_" or _is_letter(character) or unicodedata.category(character) == "Nd"


def _runs(text: str, member: object) -> list[tuple[int, int]]:
    assert callable(member)
    runs: list[tuple[int, int]] = []
    for i, character in enumerate(text):
        if not member(character):
            continue
        if runs and runs[-1][1] == i:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return runs


def _triggers(text: str, trigger: str) -> list[int]:
    def stands_alone(start: int) -> bool:
        before, after = text[:start][-1:], text[start + len(trigger) :][:1]
        return not any(neighbour and _is_word_character(neighbour) for neighbour in (before, after))

    return [found.start() for found in re.finditer(re.escape(trigger), text) if stands_alone(found.start())]


def parse(text: str, trigger: str = "img") -> Prompt:
    places = _triggers(text, trigger)
    if len(places) > 1:
        raise PromptError(f"the trigger stands {len(places)} times")
    if not places:
        words = (run for run in _runs(text, _is_letter) if text[slice(*run)].lower() in CLASS_WORDS)
        return Prompt(text, next(words, None))
    head, tail = text[: places[0]].rstrip(), text[places[0] + len(trigger) :]
    words = _runs(head, _is_word_character)
    if not words or words[-1][1] != len(head):
        raise PromptError("no class word before the trigger")
    return Prompt(head + tail, words[-1])


def _last_overlapping_piece(tokenizer: Tokenizer, text: str, word: tuple[int, int]) -> int:
    offsets = tokenizer.pieces.encode(text, return_type="offset_mapping")["offsets"]
    return max(i for i, (begin, end) in enumerate(offsets) if begin < word[1] and end > word[0])


def mark(tokenizer: Tokenizer, prompt: Prompt, copies: int, length: int) -> Marked:
    """The tokens with the class word's last piece repeated, if all copies fit before the end mark."""
    ids = tokenizer.ids(prompt.cleaned)
    mask = [0] * length
    expanded = ids
    if prompt.word is not None:
        piece = _last_overlapping_piece(tokenizer, prompt.cleaned, prompt.word)
        if piece + copies <= length - 1:
            expanded = ids[:piece] + [ids[piece]] * copies + ids[piece + 1 :]
            mask[piece : piece + copies] = [1] * copies
    return Marked(tokenizer.padded(expanded, length), mask, tokenizer.padded(ids, length))
