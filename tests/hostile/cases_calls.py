"""The command line: every option of every command with bad values, prompts, and outputs that must not be written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.hostile.bytes_of import Tensor, safetensors
from tests.hostile.harness import Arguments, Case, Place

Call = Callable[[Place], Arguments]
_SMALL = ("--frames", "1", "--size", "32x32", "--steps", "1")


def _generate(*further: str | bytes, command: str = "generate", name: str = "v.mp4") -> Call:
    def call(place: Place) -> Arguments:
        return [command, "--method", "none", "--prompt", "a man", "--model", str(place.tiny),
                "-o", str(place.out / name), *further]  # fmt: skip

    return call


def _decode(*further: str) -> Call:
    return lambda place: ["decode", str(place.inputs / "none.safetensors"), "--model", str(place.tiny),
                          "-o", str(place.out / "v.mp4"), *further]  # fmt: skip


_NUMBERS = ("", " ", "x", "nan", "inf", "-1", "1e400", "0x10", "1,5", "9" * 400, "\u0663", "\u202e5\n")
_GENERATE_VALUES: Mapping[str, Sequence[str]] = {
    "--frames": (*_NUMBERS, "0", "8", "10", "1033", "9.0"),
    "--size": ("", "x", "64", "64x", "x64", "0x0", "-16x16", "15x16", "8208x16", "64X64", "64x64x64", "9" * 40 + "x16"),
    "--steps": (*_NUMBERS, "0", "1001", "1.5"),
    "--guidance": (*_NUMBERS, "100.1"),
    "--seed": ("", "x", "-1", "18446744073709551616", "1.0", "0x1", " 1"),
    "--identity-strength": ("", "x", "1.6", "-0.1", "nan", "1:", "1:2", "1:3-2", "1:0-4", "1:1-1001", "1:1-2-3"),
    "--dynamic-guidance": ("", "on", "Timestep"),
    "--device": ("", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"),
    "--precision": ("", "fp16", "FP32"),
    "--budget": ("", "x", "0", "-1GiB", "8gib", "infGiB", "8 GiB", "1e30GiB"),
    "--method": ("magic", "None"),
    "--face": ("0", "-1", "x", "10001"),
    "--prompt": ("twice",),
    "--bogus": ("",),
}


def _option_cases() -> list[Case]:
    found = []
    for option, values in _GENERATE_VALUES.items():
        for value in values:
            found.append(Case("option", f"generate {option} {value!r:.24}", (option,), _generate(option, value), 2))
    image = _generate("--frames", "9", command="image", name="p.png")
    found.append(Case("option", "image --frames", ("--frames",), image, 2))
    for option in ("--device", "--precision"):
        found.append(Case("option", f"decode {option}", (option,), _decode(option, "x"), 2))
    calls: Sequence[tuple[str, Sequence[str], str]] = (
        ("no command", (), "subcommand"),
        ("unknown command", ("frob\u202e\n",), "frob"),
        ("a command of 10 kB", ("x" * 10_000,), "xxx"),
        ("unknown switch", ("--frob",), "--frob"),
        ("models alone", ("models",), "subcommand"),
        ("models frob", ("models", "frob"), "frob"),
        ("models info without a folder", ("models", "info"), "path"),
        ("models info of two", ("models", "info", "a", "b"), "b"),
        ("models init without a preset", ("models", "init", "x"), "--preset"),
        ("models init of a preset too many", ("models", "init", "--preset", "huge", "x"), "--preset"),
        ("models init seed", ("models", "init", "--preset", "tiny", "--seed", "-1", "x"), "--seed"),
        ("face without a photograph", ("face",), "photo"),
        ("face number", ("face", "a.jpg", "--face", "0"), "--face"),
        ("face number text", ("face", "a.jpg", "--face", "one"), "--face"),
        ("decode without a model", ("decode", "a", "-o", "b.mp4"), "--model"),
        ("decode without an output", ("decode", "a", "--model", "b"), "--output"),
        ("generate without a prompt", ("generate", "-o", "a.mp4"), "--prompt"),
        ("run-stage without a stage", ("run-stage",), "stage"),
        ("run-stage frob", ("run-stage", "frob", "--model", "a", "--outputs", "b"), "frob"),
        ("run-stage without a model", ("run-stage", "tokenize", "--text", "a", "--outputs", "b"), "--model"),
    )
    return found + [
        Case("option", label, (name,), lambda _, words=words: list(words), 2) for label, words, name in calls
    ]


def _prompt_cases() -> list[Case]:
    def prompt(text: str | bytes, *further: str | bytes) -> Call:
        return lambda place: ["generate", "--method", "none", "--prompt", text, "--model", str(place.tiny),
                              *_SMALL, *further, "-o", str(place.out / "v.mp4")]  # fmt: skip

    def tokenize(text: str | bytes) -> Call:
        return lambda place: ["run-stage", "tokenize", "--text", text, "--model", str(place.tiny),
                              "--outputs", str(place.out / "o.safetensors")]  # fmt: skip

    def magic(text: str) -> Call:
        return lambda place: ["run-stage", "mm-tokenize", "--text", text, "--model", str(place.tiny),
                              "--outputs", str(place.out / "o.safetensors")]  # fmt: skip

    bad: Sequence[bytes] = (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"a\x80b")
    odd: Sequence[tuple[str, str]] = (
        ("empty", ""),
        ("white space", " \t\n"),
        ("control characters", "a\x01\x07\x1b[31mb"),
        ("bidirectional", "a \u202eb\u202c \u2066c"),
        ("zero width", "\u200b\u200d\ufeff"),
        ("100 kB", "a man " * 17_000),
        ("10,000 emoji", "\U0001f600" * 10_000),
        ("30,000 combining marks", "a" + "\u0301" * 30_000),
        ("brackets", "((((" * 500),
        ("an option", "--steps"),
        ("a path", "../../etc/passwd"),
    )
    found = [Case("prompt", f"{text!r} is not UTF-8", ("--prompt",), prompt(text), 2) for text in bad]
    found += [Case("prompt", f"--text {text!r} is not UTF-8", ("--text",), tokenize(text), 2) for text in bad]
    negative = prompt("a", "--negative", b"\xff")
    found.append(Case("prompt", "negative is not UTF-8", ("--negative",), negative, 2))
    out = ("o.safetensors",)
    found += [Case("prompt", f"tokenize {label}", (), tokenize(text), 0, out) for label, text in odd]
    found += [Case("prompt", f"mm-tokenize {label}", (), magic(f"a man img {text}"), 0, out) for label, text in odd]
    found += [Case("prompt", f"generate {label}", (), prompt(text), 0, ("v.mp4",)) for label, text in odd[2:8:5]]
    return found + [
        Case("prompt", "the trigger word twice", ("img",), magic("img img")),
        Case("prompt", "the trigger word a thousand times", ("img",), magic("a man " + "img " * 1000)),
    ]


_MAKERS: Sequence[tuple[str, Callable[[Path], object]]] = (
    ("a folder", os.mkdir),
    ("a fifo", os.mkfifo),
    ("a link to a file", lambda path: ((path.parent / "kept").write_bytes(b"kept"), path.symlink_to("kept"))),
    ("a link to nothing", lambda path: path.symlink_to("nothing")),
    ("a link to a device", lambda path: path.symlink_to("/dev/null")),
)


def _writers(target: Callable[[Place], str], place: Place, command: str) -> Arguments:
    out = target(place)
    latents = place.file("l.safetensors", safetensors({"latents": Tensor([1, 4, 1, 2, 2])}))
    model = str(place.tiny)
    calls: Mapping[str, Arguments] = {
        "generate": ["generate", "--method", "none", "--prompt", "a", "--model", model, *_SMALL, "-o", out],
        "latents": ["generate", "--method", "none", "--prompt", "a", "--model", model, *_SMALL,
                    "--latents", out, "-o", str(place.out / "v.mp4")],
        "image": ["image", "--method", "none", "--prompt", "a", "--model", model, *_SMALL[2:], "-o", out],
        "decode": ["decode", latents, "--model", model, "-o", out],
        "run-stage": ["run-stage", "vae-decode", "--model", model, "--inputs", latents, "--outputs", out],
    }  # fmt: skip
    return calls[command]


_EXTENSIONS = {"generate": "mp4", "latents": "safetensors", "image": "png", "decode": "mp4", "run-stage": "safetensors"}


def _target_cases() -> list[Case]:
    found = []
    for command, extension in _EXTENSIONS.items():
        name = f"out.{extension}"
        for label, make in _MAKERS:

            def target(place: Place, make: Callable[[Path], object] = make, name: str = name) -> str:
                make(place.out / name)
                return str(place.out / name)

            def call(place: Place, target: Callable[[Place], str] = target, command: str = command) -> Arguments:
                return _writers(target, place, command)

            found.append(Case("output", f"{command}: {label}", (name,), call))
        paths = (f"none/{name}", f"l.safetensors/{name}", "x" * 300 + f".{extension}", "/dev/full", "..", "")
        for path in paths:

            def wrong(place: Place, path: str = path, command: str = command) -> Arguments:
                return _writers(lambda p: str(p.out / path) if path and path[0] != "/" else path, place, command)

            if path == "/dev/full" and command in ("generate", "image"):
                continue  # Their outputs are decided by the extension where there is one; this has none.
            names = (path.rsplit("/", maxsplit=1)[-1][:20], "--latents", "--output")
            empty_latents = command == "latents" and not path
            if not empty_latents:
                found.append(Case("output", f"{command}: {path!r:.24}", names, wrong))
    return found


def _input_cases() -> list[Case]:
    """The output is an input under another spelling."""
    spellings: Sequence[tuple[str, Callable[[Path], Path]]] = (
        ("the same", lambda path: path),
        ("dots", lambda path: path.parent / "." / ".." / path.parent.name / path.name),
        ("a hard link", lambda path: (os.link(path, path.parent / "hard.mp4"), path.parent / "hard.mp4")[1]),
        ("a linked folder", lambda path: (os.symlink(path.parent, path.parent / "f"), path.parent / "f" / path.name)[1]),
    )
    found = []
    for label, spell in spellings:

        def decode(place: Place, spell: Callable[[Path], Path] = spell) -> Arguments:
            file = Path(place.file("l.mp4", safetensors({"latents": Tensor([1, 4, 1, 2, 2])})))
            return ["decode", str(file), "--model", str(place.tiny), "-o", str(spell(file))]

        def stage(place: Place, spell: Callable[[Path], Path] = spell) -> Arguments:
            file = Path(place.file("l.mp4", safetensors({"latents": Tensor([1, 4, 1, 2, 2])})))
            return ["run-stage", "vae-decode", "--model", str(place.tiny), "--inputs", str(file),
                    "--outputs", str(spell(file))]  # fmt: skip

        def weights(place: Place, spell: Callable[[Path], Path] = spell) -> Arguments:
            folder = Path(place.model("vae", "config.json", (place.tiny / "vae" / "config.json").read_bytes()))
            file = spell(folder / "vae" / "config.json")
            return ["run-stage", "tokenize", "--model", str(folder), "--text", "a", "--outputs", str(file)]

        def photograph(place: Place, spell: Callable[[Path], Path] = spell) -> Arguments:
            file = Path(place.file("a.mp4", place.photo.read_bytes()))
            return ["generate", "--reference", str(file), "--prompt", "a man img", "--model", str(place.tiny), *_SMALL,
                    "-o", str(spell(file))]  # fmt: skip

        names = ("l.mp4", "hard.mp4", "a.mp4", "config.json")
        for name, call in (("decode", decode), ("run-stage", stage), ("model", weights), ("photograph", photograph)):
            found.append(Case("output is input", f"{name}: {label}", names, call))
    same = _generate("--latents", "SAME", *_SMALL)

    def twice(place: Place) -> Arguments:
        return [str(place.out / "v.mp4") if word == "SAME" else word for word in same(place)]

    return [*found, Case("output is input", "--latents and --output", ("--latents",), twice, 2)]


def _latents_cases() -> list[Case]:
    def decode(content: bytes, *further: str) -> Call:
        return lambda place: ["decode", place.file("l.safetensors", content), "--model", str(place.tiny),
                              *further, "-o", str(place.out / "v.mp4")]  # fmt: skip

    shape = [1, 4, 2, 4, 4]
    recipes = ("{", "[]", "7", "", '{"version":1}', '{"version":2}', '{"a":' * 100_000, "\u202e\n", "x" * 1_000_000)
    good = {"latents": Tensor(shape)}
    found = [
        Case("latents of decode", f"recipe {recipe!r:.16}", (), decode(safetensors(good, {"magic_mirror_recipe": recipe})))
        for recipe in recipes
        if recipe
    ]
    tensors: Sequence[tuple[str, Tensor]] = (
        ("NaN", Tensor(shape, value=float("nan"))),
        ("one NaN", Tensor(shape, at={77: float("nan")})),
        ("infinity", Tensor(shape, at={5: float("-inf")})),
        ("infinite halves", Tensor(shape, "F16", at={5: float("inf")})),
        ("integers", Tensor(shape, "I64")),
        ("bytes", Tensor(shape, "U8")),
        ("a dimension less", Tensor(shape[1:])),
        ("a dimension more", Tensor([*shape, 1])),
        ("two clips", Tensor([2, *shape[1:]])),
        ("5 channels", Tensor([1, 5, 2, 4, 4])),
        ("no frames", Tensor([1, 4, 0, 4, 4])),
        ("no width", Tensor([1, 4, 2, 4, 0])),
        ("a scalar", Tensor([])),
    )
    found += [
        Case("latents of decode", label, ("latents",), decode(safetensors({"latents": tensor})))
        for label, tensor in tensors
    ]
    other = decode(safetensors({"Latents": Tensor(shape)}))
    huge = decode(safetensors({"latents": Tensor([1, 4, 1, 1, 100_000], "U8")}))
    return [
        *found,
        Case("latents of decode", "no latents", ("latents",), other),
        Case("latents of decode", "100,000 columns of bytes", ("latents",), huge),
        Case("latents of decode", "a GPU that is not there", ("cuda",), decode(safetensors(good), "--device", "cuda:77")),
    ]


def cases() -> list[Case]:
    return [*_option_cases(), *_prompt_cases(), *_target_cases(), *_input_cases(), *_latents_cases()]
