"""Stages `t5` and `tokenize` against T5EncoderModel and SentencePiece."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece
import torch
from transformers import T5EncoderModel

from tests.parity import texts
from tests.parity.case import DTYPES, STORED, Case, Context
from tests.parity.checkpoints import write_json
from tests.parity.comparison import Row, Subject, equal, rounding, within
from tests.parity.golden import T5_IDS

TOLERANCE = 2e-5
STRINGS_PER_CALL = 400
EXTRAIDS = 100
PAD, EOS, UNKNOWN = 0, 1, 2

IDS = {
    "fixed ids": torch.tensor([T5_IDS]),
    "batch 2, 226 ids": (torch.arange(2 * 226).reshape(2, 226) * 37) % 64,
    "one id": torch.tensor([[5]]),
}


def check_t5(
    ids: torch.Tensor, context: Context, subject: Subject, shard: str = "10GB", stored: str | None = None
) -> Iterable[Row]:
    """`stored` is the dtype on disk, if it is not that of the run."""
    dtype = DTYPES[subject.dtype]
    folder = context.store.t5(STORED[stored or subject.dtype], shard)
    got = context.program.outputs("t5", folder, {"input_ids": ids}, ["--dtype", subject.dtype]).get("last_hidden_state")

    @torch.no_grad()
    def encode(precision: torch.dtype) -> torch.Tensor:
        return T5EncoderModel.from_pretrained(folder, subfolder="text_encoder", dtype=precision).eval()(ids)[0]

    if dtype == torch.float32:
        yield within(subject, "last_hidden_state", got, encode(torch.float32), TOLERANCE)
    else:
        yield rounding(subject, "last_hidden_state", got, encode(dtype), encode(torch.float32))


class Tokenizer:
    """SentencePiece and what the published tokenizer puts around it: special words, the end, truncation, padding."""

    def __init__(self, model: Path) -> None:
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self._special = {"<pad>": PAD, "</s>": EOS, "<unk>": UNKNOWN} | {
            f"<extra_id_{n}>": len(self.pieces) + EXTRAIDS - 1 - n for n in range(EXTRAIDS)
        }
        self._split = re.compile("(" + "|".join(map(re.escape, self._special)) + ")")

    def ids(self, text: str) -> list[int]:
        """Before the end mark."""
        parts = [part for part in self._split.split(text) if part]
        return [i for part in parts for i in ([self._special[part]] if part in self._special else self._encode(part))]

    def padded(self, ids: Sequence[int], length: int) -> list[int]:
        kept = [*ids[: length - 1], EOS]
        return kept + [PAD] * (length - len(kept))

    def _encode(self, text: str) -> list[int]:
        return list(self.pieces.encode(text))


def tokenizer_folder(context: Context, normalizer: str = "nmt_nfkc") -> Path:
    """A model folder whose `tokenizer/` holds a vocabulary trained on the spot, laid out like the published one."""

    def make(path: Path) -> None:
        folder = path / "tokenizer"
        folder.mkdir()
        texts.train(folder / "spiece.model", normalizer)
        specials = [f"<extra_id_{n}>" for n in range(EXTRAIDS)]
        names = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
        write_json(folder / "special_tokens_map.json", names | {"additional_special_tokens": specials})
        write_json(
            folder / "tokenizer_config.json",
            names
            | {
                "additional_special_tokens": specials,
                "extra_ids": EXTRAIDS,
                "model_max_length": 226,
                "tokenizer_class": "T5Tokenizer",
            },
        )

    return context.store.folder(f"tokenizer-{normalizer}", make)


def _batches(strings: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(strings), STRINGS_PER_CALL):
        yield strings[start : start + STRINGS_PER_CALL]


def check_tokenize(
    normalizer: str, strings: Sequence[str], length: int | None, context: Context, subject: Subject
) -> Iterable[Row]:
    folder = tokenizer_folder(context, normalizer)
    tokenizer = Tokenizer(folder / "tokenizer" / "spiece.model")
    options = [] if length is None else ["--max-length", str(length)]
    got, want = [], []
    for batch in _batches(strings):
        arguments = [*options, *(word for text in batch for word in ("--text", text))]
        got.append(context.program.outputs("tokenize", folder, None, arguments)["input_ids"])
        want += [tokenizer.padded(tokenizer.ids(text), length or 226) for text in batch]
    wanted = torch.tensor(want)
    row = equal(subject, f"input_ids {list(wanted.shape)}", torch.cat(got), wanted)
    yield row
    if not row.passed and torch.cat(got).shape == wanted.shape:
        yield from _first_differences(subject, strings, torch.cat(got), wanted)


def _first_differences(
    subject: Subject, strings: Sequence[str], got: torch.Tensor, want: torch.Tensor
) -> Iterator[Row]:
    differing = (got != want).any(dim=1).nonzero().flatten().tolist()
    for i in differing[:5]:
        pairs = [row[row != PAD].tolist()[:12] for row in (got[i], want[i])]
        yield subject.fail(f"string {i}", f"{strings[i][:60]!a}: {pairs[0]} instead of {pairs[1]}")


def cases() -> list[Case]:
    def t5_case(name: str, dtype: str, shard: str = "10GB") -> Case:
        ids = IDS[name]
        label = name if shard == "10GB" else f"{name}, shards"
        return Case(Subject("t5", label, dtype), lambda c, s: check_t5(ids, c, s, shard))

    def tokenize_case(name: str, normalizer: str, strings: Sequence[str], length: int | None = None) -> Case:
        return Case(Subject("tokenize", name, "i64"), lambda c, s: check_tokenize(normalizer, strings, length, c, s))

    return [
        *(t5_case(name, dtype) for name in IDS for dtype in DTYPES),
        t5_case("fixed ids", "fp32", "8KB"),
        tokenize_case("sentences", "nmt_nfkc", texts.sentences()),
        tokenize_case("odd unicode", "nmt_nfkc", texts.ODD),
        tokenize_case("random unicode", "nmt_nfkc", texts.random_unicode(2000)),
        tokenize_case("random unicode, other rules", "nfkc_cf", texts.random_unicode(400)),
        tokenize_case("random unicode, no rules", "identity", texts.random_unicode(400)),
        tokenize_case("cut at 16", "nmt_nfkc", texts.sentences()[:200], 16),
    ]
