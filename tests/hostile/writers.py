"""The calls that write something which somebody keeps, and what they write if nobody disturbs them."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.harness import Arguments, Program
from tests.hostile.photomaker import photomaker_file

PHOTO = Path(__file__).resolve().parents[2] / "resources" / "examples" / "astronaut.jpg"
OLDER = b"an older file"
LATENTS = "l.safetensors"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.part")

Files = dict[str, bytes]


def is_temporary(path: Path) -> bool:
    """Whether this, or a folder that it lies in, has the name of something unfinished."""
    return any(_TEMPORARY.fullmatch(part) for part in path.parts)


def files_in(folder: Path) -> Files:
    """Everything below a folder, by its name there; empty folders count as well."""
    found: Files = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found[str(path.relative_to(folder))] = path.read_bytes()
        elif not path.is_dir() or not any(path.iterdir()):
            found[str(path.relative_to(folder))] = b""
    return found


@dataclass(frozen=True)
class Writer:
    """One call that writes into a folder: the names that it makes there, the one that it is about first."""

    name: str
    outputs: Sequence[str]
    call: Callable[[Path, Path], Arguments]  # The folder, and one for what else it writes.

    @property
    def makes_folders(self) -> bool:
        return self.name in ("checkpoint", "import")

    def own(self, files: Files) -> Files:
        """Those files that lie in one of the outputs."""
        return {name: data for name, data in files.items() if name.split("/")[0] in self.outputs}


class Workshop:
    """The checkpoint and the inputs of all writers, and what each of them writes."""

    def __init__(self, program: Program, root: Path) -> None:
        self.program = program
        self.root = root
        self.tiny = root / "tiny"
        self._latents = root / "latents.safetensors"
        self._photomaker = root / "photomaker.bin"
        self._photomaker.write_bytes(photomaker_file())
        self.succeed(["models", "init", "--preset", "tiny", "--seed", "1", str(self.tiny)])
        self.succeed([*self._generate(), "--latents", str(self._latents), "-o", str(root / "first.mp4")])
        self._wholes: dict[str, Files] = {}
        self._kept: dict[str, bytes] = {}
        self._folders = itertools.count(1)  # Taken from by several threads.

    def succeed(self, arguments: Arguments) -> None:
        done = self.program.run(arguments)
        if done.code != 0:
            raise RuntimeError(f"{arguments}: exit {done.code}: {done.err.decode(errors='replace')}")

    def new_folder(self, below: Path | None = None) -> Path:
        folder = (below or self.root) / f"folder-{next(self._folders)}"
        folder.mkdir()
        return folder

    def _generate(self, command: str = "generate") -> Arguments:
        clip = ["--frames", "9", "--steps", "4"] if command == "generate" else ["--steps", "1"]
        return [command, "--method", "none", "--prompt", "a man", "--model", str(self.tiny), "--size", "64x48", *clip]

    def _person(self) -> Arguments:
        return ["generate", "--reference", str(PHOTO), "--prompt", "a man img", "--model", str(self.tiny),
                "--size", "64x48", "--frames", "9", "--steps", "1"]  # fmt: skip

    def writers(self) -> list[Writer]:
        model, latents = ["--model", str(self.tiny)], str(self._latents)
        init = ["models", "init", "--preset", "tiny", "--seed", "1"]
        crops = ("astronaut-1-112.png", "astronaut-1-224.png")
        return [
            Writer("video", ["v.mp4"], lambda to, other: [*self._generate(), "--latents", str(other / "l.safetensors"),
                                                          "-o", str(to / "v.mp4")]),
            Writer("person", ["v.mp4"], lambda to, other: [*self._person(), "--latents", str(other / "l.safetensors"),
                                                           "-o", str(to / "v.mp4")]),
            Writer("latents", ["l.safetensors"], lambda to, other: [*self._generate(),
                                                                    "--latents", str(to / "l.safetensors"),
                                                                    "-o", str(other / "v.mp4")]),
            Writer("both", ["v.mp4", "l.safetensors"], lambda to, _: [*self._generate(),
                                                                      "--latents", str(to / "l.safetensors"),
                                                                      "-o", str(to / "v.mp4")]),
            Writer("picture", ["p.png"], lambda to, other: [*self._generate("image"),
                                                            "--latents", str(other / "l.safetensors"),
                                                            "-o", str(to / "p.png")]),
            Writer("decode", ["v.mp4"], lambda to, _: ["decode", latents, *model, "-o", str(to / "v.mp4")]),
            Writer("stage", ["s.safetensors"], lambda to, _: ["run-stage", "vae-decode", *model, "--inputs", latents,
                                                              "--outputs", str(to / "s.safetensors")]),
            Writer("crops", crops, lambda to, _: ["face", str(PHOTO), "--crops", str(to)]),
            Writer("checkpoint", ["tiny"], lambda to, _: [*init, str(to / "tiny")]),
            Writer("import", ["image_encoder", "id_perceiver"],
                   lambda to, _: ["models", "import", str(self._photomaker), "-o", str(to)]),
        ]  # fmt: skip

    def whole(self, writer: Writer) -> Files:
        """What the writer makes when nothing disturbs it."""
        if writer.name not in self._wholes:
            folder, other = self.new_folder(), self.new_folder()
            self.succeed(writer.call(folder, other))
            for kept in (*folder.glob(LATENTS), *other.glob(LATENTS)):
                self._kept[writer.name] = kept.read_bytes()
            self._wholes[writer.name] = files_in(folder)
            shutil.rmtree(folder)
            shutil.rmtree(other)
        return self._wholes[writer.name]

    def culprits(self, writer: Writer, folder: Path) -> list[str]:
        """What a sentence may name: an output, its folder, or a file in it, for the middle of a long path is left out."""
        return [*writer.outputs, folder.name, *(name.rsplit("/", maxsplit=1)[-1] for name in self.whole(writer))]

    def decodes(self, latents: Path, writer: Writer) -> list[str]:
        """What is wrong with latents that a call kept: the same call makes the same ones, disturbed or not."""
        self.whole(writer)
        if latents.read_bytes() != self._kept[writer.name]:
            return ["the latents are not those of an undisturbed run"]
        again = latents.with_suffix(".mp4")
        done = self.program.run(["decode", str(latents), "--model", str(self.tiny), "-o", str(again)])
        again.unlink(missing_ok=True)
        return [] if done.code == 0 else [f"decode of the latents: exit {done.code}: {done.err[:200]!r}"]
