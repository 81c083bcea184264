#!/usr/bin/env python3
"""What every shipped rule has to have, beyond what `haetae check` asks for.

    check_rules.py HAETAE RULES ATTACK_CSV

Its techniques exist, with the tactics that it stands under (ATTACK_CSV, which holds no others).
"""

import json
import subprocess
import sys


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


def main():
    haetae, folder, table = sys.argv[1:]
    command = [haetae, "list", "rules", "--json", "-r", folder]
    rules = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    attack, good = read_attack(table)
    named = {tag for rule in rules for tag in rule["tags"]}
    for technique in attack:
        if technique not in named:
            print("%s: no rule names %s" % (table, technique))
            good = False
    for rule in rules:
        for problem in problems_of_tags(rule, attack):
            print("%s: %s" % (rule["name"], problem))
            good = False
    sys.exit(0 if good and rules else 1)


main()
