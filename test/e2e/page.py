#!/usr/bin/env python3
"""Does what a page of docs/ tells its reader to do, and prints TAP.

    page.py PAGE HAETAE RULES

A fenced block whose info string is `yaml NAME` (or any language and a name) is the file NAME; a
`console` block is a session: a line that begins with "$ " is a command, what follows up to the next
one is all that it prints. All of a page runs in one shell, in an empty folder. In what is expected
"…" stands for any text of a line, and a line of nothing else for any lines. "[exit 1]" as the last
line says how the command ends; otherwise it has to end with 0.
"""

import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w*) ?(.*)$")
SECONDS = 60


def read_blocks(path):
    """(language, name, lines, line number) of each fenced block."""
    block = None
    with open(path, encoding="utf-8") as page:
        for number, line in enumerate(page, 1):
            line = line.rstrip("\n")
            match = FENCE.match(line)
            if block is None and match:
                block = (match[1], match[2].strip(), [], number)
            elif block is not None and line == "```":
                yield block
                block = None
            elif block is not None:
                block[2].append(line)


def commands_of(lines, first):
    """[command, expected lines, line number] of a session."""
    commands = []
    for number, line in enumerate(lines, first + 1):
        if line.startswith("$ "):
            commands.append([line[2:], [], number])
        elif commands and commands[-1][0].endswith("\\"):
            commands[-1][0] += "\n" + line
        elif commands:
            commands[-1][1].append(line)
    return commands


def pattern_of(expected):
    parts = []
    for line in expected:
        if line.strip() == "…":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append("[^\n]*".join(re.escape(p) for p in line.rstrip().split("…")) + r"[ ]*\n")
    return re.compile("".join(parts))


class Shell:
    """One bash; `sudo` is nothing new to root."""

    def __init__(self, folder, haetae, rules):
        os.mkdir(os.path.join(folder, ".bin"))
        os.symlink(haetae, os.path.join(folder, ".bin", "haetae"))
        sudo = os.path.join(folder, ".bin", "sudo")
        with open(sudo, "w", encoding="utf-8") as script:
            script.write('#!/bin/sh\nexec "$@"\n')
        os.chmod(sudo, 0o755)
        environment = dict(
            os.environ,
            PATH=os.path.join(folder, ".bin") + ":" + os.environ["PATH"],
            HAETAE_RULES=rules,
            LC_ALL="C.UTF-8",
        )
        self.folder = folder
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(self, command):
        """(what it printed, how it ended); an end of None: it did not."""
        out = os.path.join(self.folder, ".out")
        done = os.path.join(self.folder, ".done")
        if os.path.exists(done):
            os.unlink(done)
        os.mkfifo(done)
        self.process.stdin.write(
            "{ %s\n} >%s 2>&1 </dev/null; echo $? >%s\n" % (command, out, done)
        )
        self.process.stdin.flush()
        try:
            status = subprocess.run(
                ["cat", done], capture_output=True, text=True, timeout=SECONDS, check=False
            ).stdout
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "", None
        with open(out, encoding="utf-8", errors="replace") as file:
            return file.read(), int(status)

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=SECONDS)


def check(shell, command, expected):
    """None, or what is wrong."""
    wanted = 0
    while expected and not expected[-1].strip():
        expected.pop()
    if expected and re.fullmatch(r"\[exit \d+\]", expected[-1]):
        wanted = int(expected.pop()[6:-1])
    text, status = shell.run(command)
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    if text and not text.endswith("\n"):
        text += "\n"
    if status is None:
        return "it had not ended after %u seconds" % SECONDS
    if status != wanted:
        return "it ended with %u, not %u:\n%s" % (status, wanted, text)
    if not pattern_of(expected).fullmatch(text):
        return "it printed:\n%s\nnot:\n%s" % (text, "\n".join(expected))
    return None


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    page, haetae, rules = (os.path.realpath(argument) for argument in sys.argv[1:4])
    count = failed = 0
    with tempfile.TemporaryDirectory(prefix="haetae-page-") as folder:
        os.chmod(folder, 0o755)
        shell = Shell(folder, haetae, rules)
        for language, name, lines, first in read_blocks(page):
            if name and language != "console":
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")
            if language != "console":
                continue
            for command, expected, number in commands_of(lines, first):
                count += 1
                wrong = check(shell, command, expected)
                failed += wrong is not None
                print(
                    "%s %u - line %u: %s"
                    % ("not ok" if wrong else "ok", count, number, command.split("\n")[0]),
                    flush=True,
                )
                for line in (wrong or "").splitlines():
                    print("#", line)
        shell.end()
    if not count:
        count = failed = 1
        print("not ok 1 - the page has commands")
    print("1..%u" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
