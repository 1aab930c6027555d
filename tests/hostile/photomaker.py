"""A PhotoMaker V2 file of the smallest sizes, pickled by hand: what `models import` reads."""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence

Shapes = Mapping[str, Sequence[int]]


def _shapes() -> dict[str, Sequence[int]]:
    shapes: dict[str, Sequence[int]] = {}

    def both(name: str, shape: Sequence[int]) -> None:
        shapes[name + ".weight"] = shape
        shapes[name + ".bias"] = shape[:1]

    tower, sampler = "vision_model.", "qformer_perceiver.perceiver_resampler."
    shapes[tower + "embeddings.class_embedding"] = [64]
    shapes[tower + "embeddings.patch_embedding.weight"] = [64, 3, 2, 2]
    shapes[tower + "embeddings.position_embedding.weight"] = [5, 64]
    for name in ("pre_layrnorm", "post_layernorm", "encoder.layers.0.layer_norm1", "encoder.layers.0.layer_norm2"):
        both(tower + name, [64])
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        both(f"{tower}encoder.layers.0.self_attn.{name}", [64, 64])
    both(tower + "encoder.layers.0.mlp.fc1", [128, 64])
    both(tower + "encoder.layers.0.mlp.fc2", [64, 128])
    both("qformer_perceiver.token_proj.0", [32, 8])
    both("qformer_perceiver.token_proj.2", [256, 32])
    both("qformer_perceiver.token_norm", [128])
    both(sampler + "proj_in", [128, 64])
    both(sampler + "proj_out", [128, 128])
    for name in ("norm_out", "layers.0.0.norm1", "layers.0.0.norm2", "layers.0.1.0"):
        both(sampler + name, [128])
    for name, shape in (("0.to_q", [128, 128]), ("0.to_kv", [256, 128]), ("0.to_out", [128, 128]),
                        ("1.1", [256, 128]), ("1.3", [128, 256])):  # fmt: skip
        shapes[f"{sampler}layers.0.{name}.weight"] = shape
    return shapes


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _tuple(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(_integer(value) for value in values) + b"t"


def _tensor(key: str, shape: Sequence[int]) -> bytes:
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    storage = b"(" + _text("storage") + b"ctorch\nFloatStorage\n" + _text(key) + _text("cpu")
    storage += _integer(math.prod(shape)) + b"tQ"
    hooks = b"\x89ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + _integer(0) + _tuple(shape) + _tuple(strides) + hooks + b"tR"


def photomaker_file() -> bytes:
    shapes = _shapes()
    inner = b"".join(_text(name) + _tensor(str(key), shape) for key, (name, shape) in enumerate(shapes.items()))
    pickled = b"\x80\x02}" + _text("id_encoder") + b"}(" + inner + b"us."
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, shape in enumerate(shapes.values()):
            count = math.prod(shape)
            values = [((i * 7 + key) % 11 - 5) / 50 for i in range(count)]
            archive.writestr(f"archive/data/{key}", struct.pack(f"<{count}f", *values))
        archive.writestr("archive/version", "3\n")
    return content.getvalue()
