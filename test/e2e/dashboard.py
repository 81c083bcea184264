#!/usr/bin/env python3
"""The Grafana dashboard, by test_dashboard. Prints what is wrong, a line each.

  dashboard.py layout FILE           ids, places on the grid, what each panel must have
  dashboard.py names FILE            haetae's metrics that it asks for
  dashboard.py labels FILE METRICS   labels that a metric has not; METRICS: list metrics --json
  dashboard.py query FILE URL        Prometheus answers each expression; prints the panels without data
"""
import itertools
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

ALWAYS = {"instance", "job"}
VARIABLES = {"$__rate_interval": "5s", "$__range": "10s", "$instance": ".*"}


def panels(board):
    """Those in a row that is folded are inside the row."""
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def targets(board):
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield panel, target


def cells(panel):
    place = panel["gridPos"]
    return set(itertools.product(range(place["x"], place["x"] + place["w"]),
                                 range(place["y"], place["y"] + place["h"])))


def layout(board):
    taken, ids, titles = {}, set(), set()
    for panel in panels(board):
        name = panel.get("title") or "?"
        if panel["id"] in ids:
            print(f"{name}: id {panel['id']} is taken")
        if name in titles:
            print(f"{name}: two panels have this title")
        ids.add(panel["id"])
        titles.add(name)
        for cell in cells(panel):
            if cell[0] >= 24 or cell in taken:
                print(f"{name}: overlaps {taken.get(cell, 'the margin')}")
                break
            taken[cell] = name
        if panel["type"] == "row":
            continue
        if not panel.get("description") or not panel.get("targets"):
            print(f"{name}: no description, or nothing that it shows")
        if panel["datasource"].get("uid") != "${datasource}":
            print(f"{name}: its data source is not the variable")
        references = [target["refId"] for target in panel["targets"]]
        if len(set(references)) != len(references):
            print(f"{name}: two queries have one name")
    for variable in re.findall(r"\$\{?(\w+)", json.dumps(board)):
        known = [one["name"] for one in board["templating"]["list"]]
        if not variable.startswith("__") and variable not in known:
            print(f"there is no variable {variable}")
    if board["uid"] != "haetae" or board["id"] is not None:
        print("uid or id")


def names(board):
    print("\n".join(sorted(set(re.findall(r"\bhaetae_\w+", " ".join(
        target["expr"] for _, target in targets(board)))))))


def labels(board, path):
    known = {metric["name"]: set(re.split(r",\s*", metric.get("labels") or "")) - {""}
             for metric in json.load(open(path))}
    for panel, target in targets(board):
        for metric, text in re.findall(r"(haetae_\w+)\{([^}]*)\}", target["expr"]):
            used = set(re.findall(r"(\w+)\s*[!=]", re.sub(r'"[^"]*"', "", text)))
            if used - known.get(metric, set()) - ALWAYS:
                print(f"{panel['title']}: {metric} has no label {used - known.get(metric, set()) - ALWAYS}")
        of_all = set.union(ALWAYS, *(known.get(metric, set()) for metric in
                                     re.findall(r"haetae_\w+", target["expr"])))
        grouped = ",".join(re.findall(r"by \(([^)]*)\)", target["expr"]))
        shown = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
        for label in [one.strip() for one in grouped.split(",") if one.strip()] + shown:
            if label not in of_all:
                print(f"{panel['title']}: no metric of it has the label {label}")
        if "by (" in grouped or (grouped and set(shown) - {one.strip() for one in grouped.split(",")}):
            print(f"{panel['title']}: its legend names what it does not group by")


def query(board, url):
    for panel, target in targets(board):
        text = target["expr"]
        for name, value in VARIABLES.items():
            text = text.replace(name, value)
        asked = url + "/api/v1/query?" + urllib.parse.urlencode({"query": text})
        try:
            answer = json.load(urllib.request.urlopen(asked, timeout=5))
        except urllib.error.HTTPError as error:
            print(f"{panel['title']}: {error.read().decode()}")
            continue
        if not answer["data"]["result"]:
            print(f"empty: {panel['title']}: {target['expr']}")


with open(sys.argv[2], encoding="utf-8") as file:
    {"layout": layout, "names": names, "labels": labels, "query": query}[sys.argv[1]](
        json.load(file), *sys.argv[3:])
