#!/usr/bin/env python3
"""What every shipped rule has to have, beyond what `haetae check` asks for.

    check_rules.py HAETAE RULES ATTACK_CSV

Its techniques exist, with the tactics that it stands under (ATTACK_CSV, which holds no others). Its
description says what it sees and why that matters, then "False positives: ..." and "Tuning: ...". Where
there are false positives it has exceptions by name, which the tuning names ("exception NAME"), and all
of them take values from another file. Lists and macros that it names are there.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

DESCRIPTION = re.compile(r"(?P<what>.+?[.)]) False positives: (?P<known>.+?\.) Tuning: (?P<tuning>.+\.)")
VALUES = {"container.image.repository": "registry.example/agent", "fd.rnet": "10.0.0.0/8", "fd.rport": "7999"}
LISTS = {"in", "pmatch"}


def read_attack(path):
    rows = [line.rstrip("\n").split(",", 2) for line in open(path, encoding="utf-8") if line[0] != "#"]
    if rows != sorted(rows):
        print("%s: not sorted" % path)
    return {number: set(tactics.split()) for number, tactics, _ in rows}, rows == sorted(rows)


def problems_of_tags(rule, attack):
    tactics = {tag[len("mitre_"):] for tag in rule["tags"] if tag.startswith("mitre_")}
    techniques = [tag for tag in rule["tags"] if tag[0] == "T" and tag[1:2].isdigit()]
    if not tactics or not techniques:
        yield "has no tactic, or no technique, of MITRE ATT&CK"
    for technique in techniques:
        if technique not in attack:
            yield "%s is not in the table of techniques" % technique
        elif not attack[technique] & tactics:
            yield "%s belongs to %s" % (technique, ", ".join(sorted(attack[technique])))
    for tactic in tactics:
        if not any(tactic in attack.get(technique, ()) for technique in techniques):
            yield "none of its techniques belongs to %s" % tactic
    if sum(tag.startswith("maturity_") for tag in rule["tags"]) != 1:
        yield "has no maturity, or several"
    if not {"host", "container"} & set(rule["tags"]):
        yield "says neither host nor container"


def problems_of_description(rule, exceptions, names):
    text = " ".join(rule["description"].split())
    parts = DESCRIPTION.fullmatch(text)
    if not parts or text.count("False positives:") != 1 or text.count("Tuning:") != 1:
        yield "is not described as 'what and why. False positives: ... . Tuning: ... .'"
        return
    if len(parts["what"].split()) < 12:
        yield "does not say why it matters"
    is_exempt = parts["known"].startswith(("none known", "none:")) or "nothing to except" in parts["tuning"]
    if not exceptions and not is_exempt:
        yield "has known false positives, but no exception"
    for name in {exception["name"] for exception in exceptions} - set(re.findall(r"exception (\w+)", parts["tuning"])):
        yield "its tuning does not say what the exception '%s' is for" % name
    for name in set(re.findall(r"the (?:list|macro) (?!does|are)(\w+)", text)) - names:
        yield "no list or macro is called '%s'" % name


def row_of(exception):
    """A row of values that another file may append."""
    fields = exception["fields"]
    is_single = isinstance(fields, str)
    operators = exception.get("comps", "in" if is_single else ["="] * len(fields))
    pairs = [(fields, "=")] if is_single else zip(fields, operators)
    values = [VALUES.get(field, "/opt/x") for field, _ in pairs]
    if is_single:
        return values[0]
    return [[value] if operator in LISTS else value for value, operator in zip(values, operators)]


def append_everywhere(haetae, folder, exceptions_of):
    """Every exception takes one more row: what the descriptions advise works."""
    items = [
        {"rule": name, "exceptions": [{"name": e["name"], "values": [row_of(e)]} for e in exceptions],
         "override": {"exceptions": "append"}}
        for name, exceptions in exceptions_of.items() if exceptions
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(items, file)
        file.flush()
        done = subprocess.run([haetae, "check", folder, file.name], capture_output=True, text=True)
    print(done.stdout + done.stderr, end="")
    return done.returncode == 0 and " 0 errors, 0 warnings" in done.stdout + done.stderr


def read_items(folder):
    """The exceptions of each rule, and the names of lists and macros."""
    items = [item for path in glob.glob(os.path.join(folder, "*.yaml")) for item in yaml.safe_load(open(path))]
    exceptions_of = {item["rule"]: item.get("exceptions") or [] for item in items if "rule" in item}
    return exceptions_of, {item.get("list", item.get("macro")) for item in items}


def main():
    haetae, folder, table = sys.argv[1:]
    command = [haetae, "list", "rules", "--json", "-r", folder]
    rules = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    attack, good = read_attack(table)
    exceptions_of, names = read_items(folder)
    good &= append_everywhere(haetae, folder, exceptions_of)
    named = {tag for rule in rules for tag in rule["tags"]}
    for technique in attack:
        if technique not in named:
            print("%s: no rule names %s" % (table, technique))
            good = False
    for rule in rules:
        exceptions = exceptions_of[rule["name"]]
        for problem in [*problems_of_tags(rule, attack), *problems_of_description(rule, exceptions, names)]:
            print("%s: %s" % (rule["name"], problem))
            good = False
    sys.exit(0 if good and rules else 1)


main()
