"""Compares the tokenizer with the sentencepiece package on thousands of strings, ids and byte ranges.

Usage: python tokenizer_check.py TOKENIZE_LINES_PROGRAM [SPIECE_MODEL...]

Without a model: the two of resources/tokenizers, and vocabularies made here with user-defined pieces, byte fallback,
rounding-sensitive scores, and white space kept as it is.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import sentencepiece

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "resources" / "tokenizers"))
import make_models  # noqa: E402

ODD = [
    "\u00e9",
    "e\u0301",
    "e\u0301\u0302\u0327",
    "\ufb01",
    "\u00bd",
    "\u2026",
    "\u3000",
    "\u00a0",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\u65e5\u672c\u8a9e",
    "\uff21\uff22\uff23",
    "\U0001f389",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u2581",
    "\u1e9b\u0323",
    "\u0e33",
    "\uac00\u1100\u1161",
    "\u0958",
    "\u2126",
    "\u212b",
    "\u00df",
    "\u0130",
    "\u2019",
    "\u201c",
    "\u201d",
    "\u2014",
    "\ufdfa",
    "\u0344",
    "\u0001",
    "\u0007",
    "\t",
    "\n",
    "\r\n",
    "\u2028",
    "\x7f",
    "\u0085",
    "\ufffd",
    "\u06440627".replace("0627", "\u0627"),
    " ",
    "  ",
    "   ",
    "<",
    ">",
    "<s>",
    "img",
    "1/2",
    "@@",
    "\u0300",
    "\u0327\u0301",
    "\ud55c\uae00",
    "\u0910",
    "\u1100",
]


def texts(seed, count):
    r = random.Random(seed)
    sentences = list(make_models.corpus(count // 4))
    for index in range(count):
        kind = index % 8
        if kind < 2:
            text = r.choice(sentences)
        elif kind == 2:
            text = "".join(r.choice([*ODD, "a", "man ", " in", " the"]) for _ in range(r.randint(1, 20)))
        elif kind == 3:
            text = "".join(
                chr(
                    r.choice(
                        [
                            r.randint(1, 0x24F),
                            r.randint(0x300, 0x36F),
                            r.randint(0x1E00, 0x2FFF),
                            r.randint(0xF900, 0xFFFF),
                            r.randint(0x10000, 0x10FFFF),
                        ]
                    )
                )
                for _ in range(r.randint(1, 12))
            )
        elif kind == 4:
            text = (
                " " * r.randint(0, 3) + r.choice(sentences).replace(" ", " " * r.randint(1, 3)) + " " * r.randint(0, 3)
            )
        elif kind == 5:
            text = "".join(r.choice("abcdefghijklmnopqrstuvwxyz -'.,AB12") for _ in range(r.randint(1, 60)))
        elif kind == 6:
            text = " ".join(r.choice(sentences) for _ in range(r.randint(2, 12)))
        else:
            text = r.choice(sentences)
            for _ in range(r.randint(1, 4)):
                at = r.randint(0, len(text))
                text = text[:at] + r.choice(ODD) + text[at:]
        # Split out before SentencePiece, so not its business.
        for special in ("</s>", "<pad>", "<unk>", "<extra_id_"):
            text = text.replace(special, "")
        yield text.encode("utf-8", errors="surrogatepass")
    for _ in range(count // 10):  # Not UTF-8 at all.
        yield bytes(r.choice([r.randint(1, 255), 0x41, 0x20, 0xE2, 0x96, 0x81, 0xC3]) for _ in range(r.randint(1, 12)))


def special_models(folder):
    sentences = list(make_models.corpus(4000))
    options = {"vocab_size": 1200, "hard_vocab_limit": False}
    kinds = {
        "user_defined": dict(user_defined_symbols=["img", "<trigger>", "woman img", "\u65e5\u672c"], **options),
        "byte_fallback": dict(byte_fallback=True, **options),
        "spaces_kept": dict(remove_extra_whitespaces=False, add_dummy_prefix=False, **options),
        "identity": dict(normalization_rule_name="identity", **options),
        "nfkc_cf": dict(normalization_rule_name="nfkc_cf", **options),
    }
    for name, extra in kinds.items():
        path = folder / f"{name}.model"
        path.write_bytes(make_models.train(sentences, **extra))
        yield path


def check(program, model):
    strings = list(texts(7, 8000))
    answer = subprocess.run(
        [program, str(model)],
        input="".join(s.hex() + "\n" for s in strings),
        text=True,
        check=True,
        capture_output=True,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    differences = 0
    for text, line in zip(strings, answer.stdout.splitlines(), strict=True):
        ours = [tuple(map(int, item.split(":"))) for item in line.split()]
        expected = processor.encode(text.decode("utf-8", errors="surrogateescape") if is_utf8(text) else text)
        if [item[0] for item in ours] != expected:
            differences += 1
            if differences <= 5:
                print(f"  {text!r}\n    ours     {[i[0] for i in ours]}\n    expected {expected}")
        position = 0
        for _, begin, end in ours:
            if not position <= end or begin > end or end > len(text):
                print(f"  ranges of {text!r}: {ours}")
                differences += 1
                break
            position = begin
    print(f"{model.name}: {len(strings)} strings, {differences} differences")
    return differences


def is_utf8(text):
    try:
        text.decode()
        return True
    except UnicodeDecodeError:
        return False


def main():
    program, *models = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(m) for m in models] or [
            ROOT / "resources/tokenizers/tiny.model",
            ROOT / "resources/tokenizers/demo.model",
            *special_models(Path(folder)),
        ]
        sys.exit(1 if sum(check(program, path) for path in paths) else 0)


if __name__ == "__main__":
    main()
