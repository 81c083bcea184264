#!/usr/bin/env python3
"""Does what a page of docs/ tells its reader to do, and prints TAP.

    page.py PAGE HAETAE RULES

A fenced block whose info string is `yaml NAME` (or any language and a name) is the file NAME; a
`console` block is a session: a line that begins with "$ " is a command, what follows up to the next
one is all that it prints. A line of an `sh` block is a command that ends with 0, whatever it prints.
All of a page runs in one shell, in an empty folder; haetae looks there at this shell and what it starts,
for three seconds unless --duration says otherwise. In what is expected "…" stands for any text of a line, and a line of nothing else for any lines. "[exit 1]" as the last
line says how the command ends; otherwise it has to end with 0.

Comments of the page steer that, before a block: <!-- not run: WHY --> leaves it out, and says so;
<!-- setup: COMMAND --> runs what a reader has done by then. A command in a block of no language or another
shell's, in indented text, or in a block that does not end is an error: nothing would run it.
"""

import os
import re
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^( *)```([\w-]*) ?(.*)$")
STEER = re.compile(r"^ *<!-- (not run|setup): (.*\S.*) -->$")
COMMAND = re.compile(r"^ *([$#] |sudo |\./dev|(build/)?haetae [a-z]|kubectl |helm |podman |apt |systemctl |meson )")
# What is written so is a command that nothing would run: it has to be sh, or console with "$ ".
SHELLS = ("bash", "console", "shell", "shell-session", "terminal", "zsh")
SECONDS = 60
# Adds the scope to what looks at events; ends what would go on.
WRAPPER = """\
#!/bin/sh
program=%s scope=%d
case " $* " in *" --scope-"*) exec "$program" "$@" ;; esac
case "$1" in
run | record) set -- "$@" --scope-pid $scope ;;
dump) case " $* " in *" --live "*) set -- "$@" --scope-pid $scope ;; esac ;;
esac
case " $1 $* " in
*" --duration"*) ;;
" run "* | " record "* | " dump "*" --live "*)
	case " $* " in *" --print-config "*) ;; *) set -- "$@" --duration 3s ;; esac ;;
esac
exec "$program" "$@"
"""


def read_blocks(path):
    """(language, name, lines, line number, comments before it) of each fenced block."""
    block, comments, before, indent = None, [], "", 0
    with open(path, encoding="utf-8") as page:
        for number, line in enumerate(page, 1):
            line = line.rstrip("\n")
            match, steer = FENCE.match(line), STEER.match(line)
            if block is None and match:
                indent = len(match[1])
                block = (match[2], match[3].strip(), [], number, comments)
                comments = []
            elif block is not None and line.strip() == "```":
                yield block
                block = None
            elif block is not None:
                block[2].append(line[min(indent, len(line) - len(line.lstrip())) :])
            elif steer:
                comments.append((steer[1], steer[2], number))
            elif line.startswith("    ") and not before.strip() and COMMAND.match(line):
                yield ("", "", [line], number, [])
            before = line
    if block is not None:
        yield ("", "", ["$ a block without an end"], block[3], [])


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


def lines_of(lines, first):
    """The same of a block of commands alone."""
    commands = []
    for number, line in enumerate(lines, first + 1):
        if commands and commands[-1][0].endswith("\\"):
            commands[-1][0] += "\n" + line
        elif line.strip() and not line.startswith("#"):
            commands.append([line, None, number])
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
        os.symlink(".bin", os.path.join(folder, "build"))
        os.symlink(rules, os.path.join(folder, "rules"))
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
        # /run of its own: the default control socket, and nobody else's.
        self.process = subprocess.Popen(
            ["unshare", "--mount", "bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with open(os.path.join(folder, ".bin", "haetae"), "w", encoding="utf-8") as script:
            script.write(WRAPPER % (haetae, self.process.pid))
        os.chmod(os.path.join(folder, ".bin", "haetae"), 0o755)
        self.run("mount -t tmpfs none /run")

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
    if expected is not None and not pattern_of(expected).fullmatch(text):
        return "it printed:\n%s\nnot:\n%s" % (text, "\n".join(expected))
    return None


def main():
    if os.geteuid() != 0:
        print("1..0 # SKIP needs root")
        return 0
    page, haetae, rules = (os.path.realpath(argument) for argument in sys.argv[1:4])
    count = failed = left_out = 0
    with tempfile.TemporaryDirectory(prefix="haetae-page-") as folder:
        os.chmod(folder, 0o755)
        shell = Shell(folder, haetae, rules)
        for language, name, lines, first, comments in read_blocks(page):
            reason = next((text for kind, text, _ in comments if kind == "not run"), None)
            commands = [[text, None, number] for kind, text, number in comments if kind == "setup"]
            if name and language != "console":
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")
            if reason:
                commands.append([None, None, first])
            elif language == "console" and any(line.startswith("$ ") for line in lines):
                commands += commands_of(lines, first)
            elif language == "sh":
                commands += lines_of(lines, first)
            elif language in SHELLS or language in ("", "text") and any(map(COMMAND.match, lines)):
                commands.append(["", None, first])
            for command, expected, number in commands:
                count += 1
                if command is None:
                    left_out += 1
                    print("ok %u - line %u: not run: %s" % (count, number, reason))
                    continue
                wrong = check(shell, command, expected) if command else "nothing runs this command"
                failed += wrong is not None
                print(
                    "%s %u - line %u: %s"
                    % ("not ok" if wrong else "ok", count, number,
                       command.split("\n")[0].replace("#", "//")),
                    flush=True,
                )
                for line in (wrong or "").splitlines():
                    print("#", line)
        shell.end()
    if not count:
        count = 1
        print("ok 1 - the page has no commands")
    print("# %u run, %u not run and why is said" % (count - left_out, left_out))
    print("1..%u" % count)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
