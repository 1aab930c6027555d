"""python -m tests.fuzz.seeds FOLDER: the inputs that the fuzz targets start from, a folder for each target."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from pathlib import Path

from tests.hostile.bytes_of import Tensor, safetensors
from tests.hostile.cases_folders import _INDEXES, _SOME, _VOCABULARIES
from tests.hostile.cases_safetensors import _lies

_CONFIG = {"a": [1, 2], "num_layers": 4, "norm_eps": 1e-5, "b": {"c": "\u00e9", "d": None, "e": True}}
_REQUEST = {
    "version": 1,
    "kind": "video",
    "model": "m",
    "adapter": "",
    "method": "magic-mirror",
    "prompt": {"positive": "a man img", "negative": ""},
    "video": {"width": 64, "height": 48, "frames": 9, "rate": {"numerator": 8, "denominator": 1}},
    "sampling": {"sampler": "dpm", "steps": 2, "guidance": 6.0, "dynamic_guidance": "timestep", "seed": 0},
    "references": [{"file": "a.jpg", "face": None}],
    "identity": {"value": 1.0, "first_step": 1, "last_step": None},
    "device": "cpu",
    "precision": "fp32",
    "decoding": "whole",
    "memory_budget": 0,
}
_ADAPTER = {
    "can": {"hidden_dim": 32, "id_vector_dim": 16},
    "clip_vision": {
        "hidden_size": 32,
        "image_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 2,
        "num_hidden_layers": 3,
        "patch_size": 8,
    },
    "switches": {"face_scale": 0.5, "can": "off"},
}


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"a": 1, "b": [1.5, "x"]}, protocol=2))
        archive.writestr("archive/data/0", bytes(64))
        archive.writestr("archive/version", "3\n")
    return content.getvalue()


def _seeds() -> dict[str, list[bytes]]:
    small = [content for _, content in _lies() if len(content) < 4096]
    good = safetensors({"a": Tensor([2, 3]), "b": Tensor([4], "I64", 1), "c": Tensor([])}, {"format": "pt"})
    text = b"\x05a b c"
    return {
        "fuzz_safetensors": [good, *small],
        "fuzz_shard_index": [content for _, content, _ in _INDEXES if len(content) < 4096],
        "fuzz_config": [json.dumps(_CONFIG).encode(), b"{}", b'{"num_layers": 1e400}'],
        "fuzz_request": [json.dumps(_REQUEST).encode(), b"{}", b'{"version": 2}'],
        "fuzz_spiece": [text + _SOME, *(text + content for _, content in _VOCABULARIES if len(content) < 4096)],
        "fuzz_adapter_config": [json.dumps(_ADAPTER).encode(), b"face_scale=0.5", b"can=off", b"id_vit_layer=-2"],
        "fuzz_torch_archive": [_archive(), pickle.dumps({"a": [1, 2.5]}, protocol=2)],
    }


def write_seeds(folder: Path) -> None:
    """A folder for each target below `folder`."""
    for target, contents in _seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(contents):
            (folder / target / f"{number:03}").write_bytes(content)


def main() -> int:
    write_seeds(Path(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
