"""The runs whose memory is measured."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Case:
    command: str
    model: str
    precision: str = "fp32"
    width: int = 32
    height: int = 32
    frames: int = 1
    latents: int = 1  # Frames of them, for decode.
    channels: int = 16
    reference: str = ""
    budget: str = ""

    @property
    def name(self) -> str:
        model = self.model.rstrip("/").split("/")[-1]
        length = f", {self.frames} frames" if self.command == "generate" else ""
        length = f", {self.latents} latent frames" if self.command == "decode" else length
        person = ", with a person" if self.reference else ""
        budget = f", budget {self.budget}" if self.budget else ""
        return f"{self.command} {model} {self.width}x{self.height}{length}, {self.precision}{person}{budget}"


QUICK = [
    Case("generate", "tiny", frames=9),
    Case("generate", "tiny", "bf16", frames=9),
    Case("image", "demo", width=256, height=256),
    Case("image", "demo", "bf16", width=256, height=256),
    Case("decode", "demo", width=96, height=96, latents=3),
]

LONG = [
    Case("generate", "tiny", width=128, height=128, frames=17),
    Case("image", "demo", width=512, height=384),
    Case("generate", "demo", width=192, height=128, frames=17),
    Case("generate", "demo", "bf16", width=192, height=128, frames=17),
    Case("generate", "demo", width=192, height=128, frames=17, budget="420MiB"),  # Decoded in tiles.
    Case("decode", "demo", width=192, height=192, latents=3),
    Case("decode", "demo", "bf16", width=192, height=192, latents=5),
]


def cases_for(quick: bool, models: list[str], reference: str | None) -> list[Case]:
    cases = [] if models else list(QUICK)
    if not quick and not models:
        cases += LONG
    for model in models:
        cases += [Case("image", model, precision, 640, 480) for precision in ("fp32", "bf16")]
        if not quick:
            cases.append(Case("image", model, "fp32", 1024, 768))
    if reference:
        cases += [replace(case, reference=reference) for case in QUICK if case.command != "decode"]
    return cases
