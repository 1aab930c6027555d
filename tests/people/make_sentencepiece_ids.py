"""Writes sentencepiece_ids.txt: texts and the ids that Google's sentencepiece gives them with resources/tokenizers/people.model.

Usage: mirror_people_sheet captions - | python make_sentencepiece_ids.py
"""
import sys
from pathlib import Path

import sentencepiece

OTHERS = ["A Man img WAVES at the viewer, in the Park", "unbelievableness and zzyzx", "  two   spaces\tand a tab ", "3.14% of \"quoted\" (words); e-mail: x@y.z!",
          "\u4f60\u597d the \u00fcber-caf\u00e9 \u2014 dash", "a photograph of an astronaut riding a horse on the moon", "img", "MiXeD CaSe TeXt",
          "supercalifragilisticexpialidocious", "aaaaaaaaaaaaaaaaaaaaaaaa", "the woman's portrait, 4k, highly detailed"]


def main():
    folder = Path(__file__).resolve().parent
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder.parents[1] / "resources/tokenizers/people.model"))
    texts = [line.rstrip("\n") for line in sys.stdin] + OTHERS
    lines = [line for text in texts for line in (text, " ".join(map(str, processor.encode(text))))]
    folder.joinpath("sentencepiece_ids.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
