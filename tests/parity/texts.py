"""Strings for the tokenizer, and the vocabulary that cuts them."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from pydoc_data import topics

import sentencepiece

VOCABULARY = 1000

ODD: Sequence[str] = (
    "",
    " ",
    "   ",
    "\t",
    "\n",
    " \u3000 ",
    "a",
    " a",
    "a ",
    "  leading and  double   spaces  ",
    "line\nbreak\r\nand\ttab",
    "\u00a0no\u00a0break\u00a0",
    "zero\u200bwidth\u200djoiner\u200c\ufeff",
    "soft\u00adhyphen",
    "\u2028line separator\u2029",
    "\u2581already escaped\u2581",
    "\u2581",
    "x\u2581\u2581y",
    "caf\u00e9 cafe\u0301 CAFE\u0301",
    "e\u0327\u0301 e\u0301\u0327",
    "\u1ec7 \u1e69 \u212b \u00c5 A\u030a",
    "\ufb01 ligature and \u00bd fraction \u2460 \u33a5 \u2122",
    "\uff21\uff22\uff23 \uff76\uff9e \uff41",
    "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3002",
    "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab\u1100\u116e\u11a8",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \ufefb \ufdfa",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u05b0\u05d1",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0e44\u0e17\u0e22",
    "A\U0001f389B\U0001f389C",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd",
    "\U00010348\U0001d54f\U0001d7d8 \U000e0001",
    "control \x01\x02\x1f\x7f\x80\x9f end",
    "\ufffd replacement \ufffe\uffff",
    "</s>",
    "mid </s> dle",
    "<pad><unk></s>",
    "<extra_id_0>",
    "a <extra_id_0> b <extra_id_99> c <extra_id_100> d",
    "<extra_id_5>x<extra_id_5>",
    "</S> < /s> <s> <extra_id_> <extra_id_05>",
    "--option -x --text",
    "quote ' and \" and \\ and $HOME `x`",
    "%s %d {} [] () <b>bold</b> &amp;",
    "1234567890 3.14159 1e-5 0x7f 1,000,000",
    "MixedCASE TEXT iPhone",
    "a" * 400,
    "ab " * 300,
    "\u65e5" * 250,
    "!?.,;:" * 50,
    "e" + "\u0301" * 30,
    "\u0301 starts with a mark",
    "\u202eoverride\u202c \u2066isolate\u2069",
    "\u017f \u0131 \u0130 \u00df \u1e9e \u03c2",
    "\u2126 \u03a9 \u00b5 \u03bc",
    "1\u20442 \u2153 \u215e",
    "\u2025 \u2026 ... \u22ef",
    "\u301c \uff5e ~ \u02dc",
)

_BLOCKS: Sequence[tuple[int, int]] = (
    (0x20, 0x7F),
    (0x20, 0x7F),
    (0x20, 0x7F),
    (0x80, 0x250),
    (0x250, 0x370),
    (0x370, 0x530),
    (0x590, 0x700),
    (0x900, 0xA00),
    (0x1100, 0x1200),
    (0x1E00, 0x2000),
    (0x2000, 0x2200),
    (0x2460, 0x2600),
    (0x3000, 0x3400),
    (0x4E00, 0x5000),
    (0xAC00, 0xAD00),
    (0xF900, 0xFB50),
    (0xFB50, 0xFE00),
    (0xFE00, 0xFFFE),
    (0x1D400, 0x1D800),
    (0x1F300, 0x1F700),
)


@cache
def sentences() -> Sequence[str]:
    """A few thousand lines of English with code in between, which every Python carries."""
    text = "\n".join(topics.topics[name] for name in sorted(topics.topics))
    lines = (line.strip() for line in re.split(r"\n|(?<=[.!?])\s", text))
    return tuple(dict.fromkeys(line for line in lines if 8 < len(line) < 300))[:2400]


def random_unicode(count: int) -> Sequence[str]:
    """Strings drawn from many blocks, the same ones every time."""
    dice = random.Random(20250107)
    return tuple(_random_string(dice) for _ in range(count))


def _random_string(dice: random.Random) -> str:
    characters = []
    for _ in range(dice.randint(1, 24)):
        low, high = dice.choice(_BLOCKS)
        characters.append(chr(dice.randrange(low, high)))
        if dice.random() < 0.15:
            characters.append(dice.choice((" ", "  ", "\u0301", "\u0327", "\u200b", "img", "woman")))
    return "".join(characters)


def train(path: Path, normalizer: str) -> None:
    """A unigram vocabulary with the special ids of the published one."""
    people = (
        "a man a woman a young woman an elderly man img a girl and a boy smiling, portrait of a policewoman in rain"
    )
    corpus = [*sentences(), *[people] * 40, *(text for text in ODD if 0 < len(text) < 80 and text.isprintable())]
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus),
            model_writer=file,
            model_type="unigram",
            vocab_size=VOCABULARY,
            normalization_rule_name=normalizer,
            character_coverage=0.9995,
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            num_threads=1,
            minloglevel=2,
        )
