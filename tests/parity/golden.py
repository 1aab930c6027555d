"""The published Python against fixed numbers.

The same numbers stand in the C++ unit tests. A line that fails here says that the published packages or the filling by
name have changed, not the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from tests.parity import checkpoints, fill, published
from tests.parity.case import Case, Context
from tests.parity.comparison import Row, Subject


@dataclass(frozen=True)
class Digest:
    """Sum over all elements, sum of magnitudes where it is known, and the first elements."""

    total: float
    magnitude: float | None
    first: Sequence[float]


def judge(subject: Subject, output: str, got: torch.Tensor, want: Digest) -> Row:
    """Six decimals were printed; sums may move in the sixth digit with the order of summation."""
    total, magnitude = float(got.double().sum()), float(got.double().abs().sum())
    errors = [abs(a - b) for a, b in zip(got.flatten().tolist(), want.first, strict=False)]
    largest = max([abs(total - want.total) / max(magnitude, 1.0) * 10, *errors])
    if want.magnitude is not None:
        largest = max(largest, abs(magnitude - want.magnitude) / want.magnitude * 10)
    passed = largest <= 2e-5
    return Row(subject.stage, subject.case, subject.dtype, output, largest, largest, "2e-05", passed)


@dataclass(frozen=True)
class TransformerCase:
    name: str
    layout: str
    shape: tuple[int, ...]
    want: Digest
    changes: Mapping[str, Any] = field(default_factory=dict)


_OLD_TEST = {"attention_head_dim": 8, "time_embed_dim": 2, "sample_frames": 8}
TRANSFORMERS = (
    TransformerCase(
        "T-A",
        "2b",
        (2, 1, 4, 8, 8),
        Digest(11.327034, 551.962070, (-0.583256, -0.823802, 2.322136, -0.956008)),
        _OLD_TEST,
    ),
    TransformerCase(
        "T-A2",
        "2b",
        (2, 3, 4, 8, 8),
        Digest(-171.287252, 1372.806270, (-1.873671, -3.315559, 0.850703, 0.655279)),
    ),
    TransformerCase(
        "T-B", "5b", (2, 3, 4, 8, 8), Digest(-69.209715, 1386.381149, (-2.059175, -2.924871, 0.995852, 1.695743))
    ),
    TransformerCase(
        "T-B2", "5b", (2, 3, 4, 12, 8), Digest(-88.633262, 2007.777261, (-0.082615, -2.573205, -0.820605, 0.243754))
    ),
    TransformerCase(
        "T-C", "5b-i2v", (2, 3, 8, 8, 8), Digest(-43.762200, 1292.242580, (0.092059, -0.882283, 0.146551, 0.678650))
    ),
    TransformerCase(
        "T-D", "1.5", (2, 4, 4, 6, 8), Digest(-30.015521, 1323.560413, (0.885430, 0.671175, 0.623715, -1.010274))
    ),
    TransformerCase(
        "T-E", "1.5-i2v", (2, 4, 8, 6, 8), Digest(2.089376, 1399.289297, (-0.343812, -1.960530, -1.652429, -3.162338))
    ),
)

_DECODE = {
    ("plain", (1, 4, 1, 4, 6)): Digest(834.005372, 2618.836134, (0.303560, -0.240277)),
    ("plain", (1, 4, 2, 4, 6)): Digest(6876.903594, 22636.794462, (-0.137270, -0.006144)),
    ("plain", (1, 4, 3, 4, 6)): Digest(8242.674816, 28228.701427, (0.411220, 0.047767)),
    ("plain", (1, 4, 5, 4, 6)): Digest(11994.065918, 45409.791781, (-0.200499, -0.222872)),
    ("stepped", (1, 4, 1, 4, 6)): Digest(684.890664, 2762.238245, (0.426813, -0.229021)),
    ("stepped", (1, 4, 5, 4, 6)): Digest(13926.686854, 43753.918743, (-0.271434, -0.456569)),
}

_ENCODE = {
    ("plain", 1): Digest(1.717475, 11.680302, (0.272517, 0.038723)),
    ("plain", 9): Digest(-3.887720, 25.587841, (0.166803, 0.126742)),
    ("plain", 17): Digest(-8.239727, 49.958525, (0.063956, -0.820967)),
    ("stepped", 8): Digest(-4.415518, 19.453647, (0.030157, 0.585669)),
    ("stepped", 9): Digest(4.078221, 28.230957, (0.069972, 0.935448)),
}

# Sampler, SNR shift, and for the sample after each of four steps: sum, first two.
_CHAINS: Sequence[tuple[str, float, Sequence[Digest]]] = (
    (
        "ddim",
        3.0,
        (
            Digest(3.667069, None, (0.338319, 0.709385)),
            Digest(6.248505, None, (0.535748, 0.350055)),
            Digest(11.449639, None, (0.295164, 0.401719)),
            Digest(-1.183559, None, (1.396867, -0.942051)),
        ),
    ),
    (
        "dpm",
        1.0,
        (
            Digest(3.779876, None, (0.131075, -1.899159)),
            Digest(14.373636, None, (1.531824, -0.658434)),
            Digest(21.071979, None, (0.638297, 0.731509)),
            Digest(10.757896, None, (1.429730, -0.307401)),
        ),
    ),
)

_T5 = Digest(-133.862063, 531.006106, (0.800770, -0.015807, -0.218892, -0.379871))
T5_IDS = (3, 17, 5, 60, 33, 8, 21, 44, 9, 2, 50, 1, *([0] * 28))


def _check_transformer(case: TransformerCase, subject: Subject) -> Iterable[Row]:
    model = checkpoints.transformer(case.layout, **case.changes)
    got = published.predict(
        model,
        fill.tensor("input.hidden_states", case.shape),
        fill.tensor("input.encoder_hidden_states", (2, 8, 8)),
        torch.tensor([999, 421]),
    )
    yield judge(subject, "sample", got, case.want)


@torch.no_grad()
def _check_vae(size: str, subject: Subject) -> Iterable[Row]:
    model = checkpoints.vae(size)
    for (name, shape), want in _DECODE.items():
        if name == size:
            got = model.decode(fill.tensor("input.latents", shape)).sample
            yield judge(subject, f"decode F={shape[2]}", got, want)
    for (name, frames), want in _ENCODE.items():
        if name == size:
            moments = model.encode(fill.tensor("input.sample", (1, 3, frames, 16, 16))).latent_dist.parameters
            yield judge(subject, f"encode T={frames}", moments, want)


def _check_chain(sampler: str, shift: float, wanted: Sequence[Digest], subject: Subject) -> Iterable[Row]:
    scheduler = checkpoints.scheduler(sampler, shift)
    shape = (1, 2, 4, 3, 3)
    outputs = torch.stack([fill.tensor(f"v.{i}", shape) for i in range(4)])
    draws = [fill.tensor(f"noise.{i}", shape) for i in range(1, 7)]
    # Draws are consumed in the order of the requests: one, two, two, one.
    noises = torch.stack(
        [torch.stack(pair) for pair in ((draws[0], draws[0]), draws[1:3], draws[3:5], (draws[5], draws[5]))]
    )
    _, samples = published.sample_chain(scheduler, 4, fill.tensor("input.latents", shape), outputs, noises)
    for i, want in enumerate(wanted):
        yield judge(subject, f"after step {i}", samples[i], want)


@torch.no_grad()
def _check_t5(subject: Subject) -> Iterable[Row]:
    yield judge(subject, "last_hidden_state", checkpoints.t5()(torch.tensor([T5_IDS]))[0], _T5)


def cases() -> list[Case]:
    def case(name: str, check: Any) -> Case:
        def run(_: Context, subject: Subject) -> Iterable[Row]:
            return check(subject)

        return Case(Subject("published", name), run)

    return [
        *(case(item.name, lambda s, item=item: _check_transformer(item, s)) for item in TRANSFORMERS),
        *(case(f"vae {size}", lambda s, size=size: _check_vae(size, s)) for size in ("plain", "stepped")),
        *(
            case(f"{name} shift {shift}", lambda s, row=(name, shift, wanted): _check_chain(*row, s))
            for name, shift, wanted in _CHAINS
        ),
        case("t5", _check_t5),
    ]
