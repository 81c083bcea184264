#!/usr/bin/env python3
"""Every name in bold in the table of a page is that of a shipped rule.

    check_rule_names.py HAETAE RULES PAGE
"""

import json
import re
import subprocess
import sys

haetae, rules, page = sys.argv[1:]
listed = subprocess.run([haetae, "list", "rules", "--json", "-r", rules], capture_output=True, text=True, check=True)
names = {rule["name"] for rule in json.loads(listed.stdout)}
rows = [line for line in open(page, encoding="utf-8") if line.startswith("|")]
wrong = {name for row in rows for name in re.findall(r"\*\*(.+?)\*\*", row)} - names
for name in sorted(wrong):
    print("%s: no shipped rule is called '%s'" % (page, name))
for row in rows[2:]:
    theirs, ours, note = (cell.strip() for cell in row.strip().strip("|").split("|"))
    if ours == "none" and not note:
        wrong.add(theirs)
        print("%s: neither a rule nor a reason for '%s'" % (page, theirs))
sys.exit(1 if wrong or len(rows) < 90 else 0)
