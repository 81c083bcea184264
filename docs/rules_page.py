#!/usr/bin/env python3
"""Prints a page of docs/rules from what `haetae list rules` says.

    rules_page.py HAETAE RULES ATTACK_CSV README|TACTIC
"""

import json
import re
import subprocess
import sys
import textwrap

TACTICS = {
    "initial_access": ("TA0001", "Initial access"),
    "execution": ("TA0002", "Execution"),
    "persistence": ("TA0003", "Persistence"),
    "privilege_escalation": ("TA0004", "Privilege escalation"),
    "defense_evasion": ("TA0005", "Defense evasion"),
    "credential_access": ("TA0006", "Credential access"),
    "discovery": ("TA0007", "Discovery"),
    "lateral_movement": ("TA0008", "Lateral movement"),
    "collection": ("TA0009", "Collection"),
    "command_and_control": ("TA0011", "Command and control"),
    "exfiltration": ("TA0010", "Exfiltration"),
    "impact": ("TA0040", "Impact"),
}
MATURITIES = ["stable", "incubating", "sandbox"]


def ask(haetae, rules, *options):
    command = [haetae, "list", "rules", "--json", "-r", rules, *options]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def techniques_of(rule):
    return sorted(tag for tag in rule["tags"] if tag[0] == "T" and tag[1:2].isdigit())


def read_names(path):
    rows = (line.rstrip("\n").split(",", 2) for line in open(path, encoding="utf-8") if line[0] != "#")
    return {number: name for number, _, name in rows}


def link(technique, name=None):
    text = "%s %s" % (technique, name) if name else technique
    return "[%s](https://attack.mitre.org/techniques/%s/)" % (text, technique.replace(".", "/"))


def of_tactic(rules, tactic):
    return [rule for rule in rules if "mitre_" + tactic in rule["tags"]]


def fill(text):
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)


def page(rules, names, tactic):
    number, title = TACTICS[tactic]
    print("# %s\n" % title)
    print(fill(
        "Rules for the tactic [%s](https://attack.mitre.org/tactics/%s/) of MITRE ATT&CK; "
        "[all](README.md). This page is printed from the rules." % (number, number)))
    for rule in of_tactic(rules, tactic):
        others = [
            tag for tag in rule["tags"]
            if tag not in techniques_of(rule) and not tag.startswith(("maturity_", "mitre_"))
        ]
        print("\n## %s\n" % rule["name"])
        print("%s · %s · %s · %s · `rules/%s`\n" % (
            rule["priority"], rule["maturity"], ", ".join(link(technique, names.get(technique)) for technique in techniques_of(rule)),
            ", ".join(others), rule["file"].rsplit("/", 1)[-1]))
        text = " ".join(rule["description"].split())
        for mark in "*_<>`":
            text = text.replace(mark, "\\" + mark)
        parts = re.split(r" (?=(?:False positives|Tuning):)", text)
        print("\n\n".join(map(fill, [parts[0]] + [re.sub(r"^([^:]+:)", r"**\1**", part) for part in parts[1:]])))


def index(rules, pairs):
    print("# Shipped rules\n")
    print("%d rules. Those of maturity stable are on; `rules.maturity` and `--maturity` say how far" % len(rules))
    print("down to go ([rules](../rules.md)). A rule may stand under more than one tactic. These pages are")
    print("printed from the rules.\n")
    print("| tactic | rules | %s |" % " | ".join(MATURITIES))
    print("|---|---|%s" % ("---|" * len(MATURITIES)))
    for tactic, (_, title) in TACTICS.items():
        own = of_tactic(rules, tactic)
        counts = [str(sum(rule["maturity"] == maturity for rule in own)) for maturity in MATURITIES]
        if own:
            print("| [%s](%s.md) | %d | %s |" % (title, tactic, len(own), " | ".join(counts)))
    print("\n## Coverage of MITRE ATT&CK\n")
    print("As `haetae list rules --attack` prints it: techniques of each tactic, and how many rules look at")
    print("each.\n")
    print("| tactic | techniques |\n|---|---|")
    for tactic, (_, title) in TACTICS.items():
        cells = [
            "%s %d" % (link(pair["name"]), len(pair["rules"])) for pair in pairs if pair["tactic"] == tactic
        ]
        if cells:
            print("| [%s](%s.md) | %s |" % (title, tactic, ", ".join(cells)))
    print("\n## By name\n")
    print("| rule | priority | maturity | tactic |\n|---|---|---|---|")
    for rule in sorted(rules, key=lambda rule: rule["name"]):
        own = ["[%s](%s.md)" % (TACTICS[t][1], t) for t in TACTICS if "mitre_" + t in rule["tags"]]
        print("| %s | %s | %s | %s |" % (rule["name"], rule["priority"], rule["maturity"], ", ".join(own)))


def main():
    haetae, folder, attack, name = sys.argv[1:]
    rules = ask(haetae, folder)
    if name == "README":
        index(rules, ask(haetae, folder, "--attack"))
    else:
        page(rules, read_names(attack), name)


main()
