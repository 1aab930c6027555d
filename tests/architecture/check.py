#!/usr/bin/env python3
"""Checks the source tree against rules.json: who may include what, how long things are, how they are called.

Prints one line a violation, `file:line: rule`, and exits with 1 if there is any.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = json.loads((Path(__file__).parent / "rules.json").read_text())
SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
NOT_A_FUNCTION = re.compile(r"^\s*(namespace|class|struct|enum|union|extern|if|for|while|switch|else|do|try|catch|return)\b")


def sources(folder="."):
    tops = ("engine", "ui", "app", "tests")
    for top in tops if folder == "." else (folder,):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in SUFFIXES:
                yield path.relative_to(ROOT).as_posix(), path.read_text().splitlines()


def beneath(name, folders):
    return any(name == folder or name.startswith(folder + "/") for folder in folders)


def rule_of(name):
    """The most specific folder rule for a file; tests are free to see everything."""
    folders = [folder for folder in RULES["folders"] if beneath(name, [folder])]
    return RULES["folders"][max(folders, key=len)] if folders else None


def toolkit_of(include):
    for toolkit, patterns in RULES["toolkits"].items():
        if any(re.fullmatch(pattern, include) for pattern in patterns):
            return toolkit
    return None


def check_includes(name, lines):
    rule = rule_of(name)
    if rule is None:
        return
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, include = match.groups()
        toolkit = toolkit_of(include)
        if toolkit is not None and toolkit not in rule["toolkits"]:
            yield number, f"{include} is {toolkit}: {rule['why']}"
        ours = quote == '"' and (ROOT / include).exists()
        if ours and (not beneath(include, rule["ours"]) or beneath(include, rule.get("not_ours", []))):
            yield number, f"{include} is out of reach here: {rule['why']}"
        if quote == '"' and toolkit is None and not ours and not include.endswith((".moc", "_data.h", "_data.inc")):
            yield number, f"{include} is not a path from the repository's root"


def functions(lines):
    """(first line, line count) of each outermost function of formatted code: from its first line to the brace below it."""
    index = 0
    while index < len(lines):
        line = lines[index]
        indent = len(line) - len(line.lstrip())
        if not line.rstrip().endswith("{") or indent > 8 or NOT_A_FUNCTION.match(line) or "(" not in "".join(lines[max(0, index - 4):index + 1]):
            index += 1
            continue
        end = next((i for i in range(index + 1, len(lines)) if lines[i].startswith(" " * indent + "}")), None)
        if end is None or ")" not in line:
            index += 1
            continue
        yield index + 1, end - index + 1
        index = end + 1


def check_sizes(name, lines):
    limit = RULES["longest_file"]
    if len(lines) > limit and name not in RULES["long_files"]:
        yield limit, f"the file has {len(lines)} lines; above {limit} there is a second topic in it"
    longest = RULES["longest_function"]
    for number, length in functions(lines):
        if length > longest and f"{name}:{lines[number - 1].strip()}" not in RULES["long_functions"]:
            yield number, f"the function has {length} lines; the limit is {longest}"


def check_names(name, lines):
    if not re.fullmatch(r"[a-z0-9_/.]+", name):
        yield 1, "files and folders are snake_case"
    if name.endswith((".h", ".cuh")) and "#pragma once" not in "\n".join(lines[:3]):
        yield 1, "a header begins with #pragma once"
    pattern = re.compile(RULES["forbidden_type_names"])
    for number, line in enumerate(lines, 1):
        match = pattern.search(line)
        if match:
            yield number, f"'{match.group(1)}' says nothing about what the type is for"


def check_text(name, lines):
    for rule in RULES["forbidden_text"]:
        if not beneath(name, rule["in"]) or beneath(name, rule["except"]):
            continue
        pattern = re.compile(rule["pattern"])
        for number, line in enumerate(lines, 1):
            if pattern.search(line):
                yield number, rule["why"]


def check_torch_in_cuda_files(name, lines):
    if name.startswith("engine/kernels/cuda/") and not name.endswith("torch_glue.cpp"):
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if match and toolkit_of(match.group(2)) == "torch":
                yield number, "torch is known to torch_glue.cpp alone"


def unused_headers(files):
    included = {match.group(2) for _, lines in files for line in lines if (match := INCLUDE.match(line))}
    for name, _ in files:
        if name.endswith(".h") and name not in included and not name.endswith("/pch.h"):
            yield name, 1, "nobody includes this header"


def main():
    files = list(sources())
    found = [
        (name, number, text)
        for name, lines in files
        for check in (check_includes, check_sizes, check_names, check_text, check_torch_in_cuda_files)
        for number, text in check(name, lines)
    ]
    found += unused_headers(files)
    for name, number, text in sorted(found):
        print(f"{name}:{number}: {text}")
    print(f"architecture: {len(files)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
