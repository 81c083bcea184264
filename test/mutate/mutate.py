#!/usr/bin/env python3
"""Changes rules one place at a time and runs their tests: those have to notice.

    mutate.py HAETAE RULES [--least PERCENT] [--show] [--rule TEXT]

A mutant is the folder of rules with one change in one condition of a rule or a macro, or in one
exception: an operator turned round, `and` for `or`, a `not` or a part dropped, a literal changed, an
exception with values removed. It is killed where `haetae test` fails. One that does not load is no mutant. Lists of
their own (`- list:`) are data and left alone. Prints TAP, and the share of mutants that were killed.
"""

import argparse
import concurrent.futures
import copy
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

TOKEN = re.compile(r"""\s+|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[(),]|[^\s(),"']+""")
FLIPS = {
    "=": "!=", "==": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<",
    "startswith": "endswith", "endswith": "startswith", "contains": "startswith",
    "icontains": "startswith", "glob": "startswith", "pmatch": "startswith", "regex": "startswith",
    "and": "or", "or": "and",
}
WORDS = set(FLIPS) | {"not", "in", "exists", "intersects", "(", ")", ","}


def tokens_of(condition):
    return TOKEN.findall(condition)


def is_blank(token):
    return not token.strip()


def next_word(tokens, at):
    at += 1
    while at < len(tokens) and is_blank(tokens[at]):
        at += 1
    return at


def close_of(tokens, at):
    """The parenthesis that closes the one at `at`."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i] == "(") - (tokens[i] == ")")
        if depth == 0:
            return i
    return len(tokens) - 1


def parts_of(tokens, begin, end):
    """[begin, end) of each part that `and` or `or` joins, of this row and of all rows within."""
    parts, start, i, joins = [], begin, begin, 0
    while i < end:
        if tokens[i] == "(":
            close = close_of(tokens, i)
            before = i - 1
            while before >= begin and is_blank(tokens[before]):
                before -= 1
            # A list behind an operator, or the arguments of a transformer, is no row.
            if before < begin or tokens[before] in ("and", "or", "not", "("):
                yield from parts_of(tokens, i + 1, close)
            i = close
        elif tokens[i] in ("and", "or"):
            parts.append((start, i))
            start = i + 1
            joins += 1
        i += 1
    if joins:
        parts.append((start, end))
        for k, (a, b) in enumerate(parts):
            # With the word that joins it to its neighbour.
            yield (a - 1, b) if k else (a, b + 1)


def change_literal(token):
    if re.fullmatch(r"-?\d+", token):
        return str(int(token) + 1)
    if token in ("true", "false"):
        return "false" if token == "true" else "true"
    if token[0] in "\"'":
        return token[:-1] + "zz" + token[-1]
    return token + "zz"


def mutants_of(condition):
    """(what was changed, changed condition)"""
    tokens = tokens_of(condition)
    previous = None
    in_list = False
    for i, token in enumerate(tokens):
        if is_blank(token):
            continue
        changed = None
        if token in FLIPS:
            changed = FLIPS[token]
        elif token == "not":
            changed = ""
        elif token == "in":
            # "field in (…)": the field is the word before.
            k = i - 1
            while k >= 0 and is_blank(tokens[k]):
                k -= 1
            yield "not in", "".join(tokens[:k] + ["not "] + tokens[k:])
        elif token == "(":
            in_list = previous in ("in", "pmatch", "intersects")
        elif token == ")":
            in_list = False
        elif in_list and token not in WORDS:
            changed = change_literal(token)
        elif previous in FLIPS and previous not in ("and", "or") and token not in WORDS:
            if not re.match(r"(val|tolower|toupper|b64|basename|len)$", token):
                changed = change_literal(token)
        if changed is not None:
            yield "%s -> %s" % (token, changed or "nothing"), "".join(
                tokens[:i] + [changed] + tokens[i + 1:]
            )
        previous = token
    for begin, end in parts_of(tokens, 0, len(tokens)):
        yield "without %s" % " ".join("".join(tokens[begin:end]).split())[:80], "".join(
            tokens[:begin] + [" "] + tokens[end:]
        )


def mutants(files, wanted):
    """(name, file, items with one change)"""
    for path, items in files.items():
        for number, item in enumerate(items):
            name = item.get("rule") or item.get("macro")
            if not name or (wanted and wanted not in name):
                continue
            for what, condition in mutants_of(str(item.get("condition", ""))):
                changed = copy.deepcopy(items)
                changed[number]["condition"] = condition
                yield "%s: %s" % (name, what), path, changed
            for k, exception in enumerate(item.get("exceptions") or []):
                if not exception.get("values"):
                    continue
                changed = copy.deepcopy(items)
                del changed[number]["exceptions"][k]
                yield "%s: without the exception %s" % (name, exception.get("name")), path, changed


def run(haetae, files, path, changed):
    """True: killed; False: survived; None: it does not load."""
    with tempfile.TemporaryDirectory(prefix="haetae-mutant-") as folder:
        for other, items in files.items():
            with open(os.path.join(folder, os.path.basename(other)), "w", encoding="utf-8") as file:
                json.dump(changed if other == path else items, file)  # JSON is YAML, and fast
        result = subprocess.run(
            [haetae, "test", "--json", folder], capture_output=True, text=True, check=False
        )
    if result.returncode == 0:
        return False
    return True if result.stdout.startswith("{") and '"failed":0,' not in result.stdout else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("haetae")
    parser.add_argument("rules")
    parser.add_argument("--least", type=float, default=90)
    parser.add_argument("--show", action="store_true", help="print the mutants that survived")
    parser.add_argument("--rule", default="", help="only rules and macros with this in their name")
    args = parser.parse_args()
    files = {}
    for path in sorted(glob.glob(os.path.join(args.rules, "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            files[path] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    haetae = os.path.realpath(args.haetae)
    intact = run(haetae, files, None, None)
    print("%s 1 - the rules as they are pass their tests" % ("not ok" if intact else "ok"))
    killed, survived, invalid = 0, [], 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            (name, path, pool.submit(run, haetae, files, path, changed))
            for name, path, changed in mutants(files, args.rule)
        ]
        for name, path, job in jobs:
            verdict = job.result()
            if verdict:
                killed += 1
            elif verdict is None:
                invalid += 1
            else:
                survived.append("%s: %s" % (os.path.basename(path), name))
    total = killed + len(survived)
    share = 100 * killed / total if total else 0
    print("# %d mutants, %d killed (%.1f %%), %d did not load" % (total, killed, share, invalid))
    good = total > 0 and share >= args.least
    print("%s 2 - at least %g %% are killed: %.1f" % ("ok" if good else "not ok", args.least, share))
    for name in survived if args.show or not good else []:
        print("# survived:", name)
    print("1..2")
    return 0 if good and not intact else 1


if __name__ == "__main__":
    sys.exit(main())
