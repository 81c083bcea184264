"""Cases as TAP, and pods_view as a child, for the tests beside it."""
import subprocess
import sys
import time

number = failed = 0


def case(name, good, detail=""):
    global number, failed
    number += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", number, name))
    if not good and detail:
        print("\n".join("# " + line for line in str(detail).splitlines()[:20]))
    sys.stdout.flush()


def finish():
    print("1..%d" % number)
    sys.exit(failed > 0)


def within(seconds, condition):
    """Whether it holds before so many seconds are over."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


class View:
    def __init__(self, program, **arguments):
        self.child = subprocess.Popen([program] + ["%s=%s" % a for a in arguments.items()],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)

    def ask(self, word):
        try:
            self.child.stdin.write(word + "\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            case("pods_view goes on", False, "%s\n%s" % (self.child.wait(), self.child.stderr.read()))
            finish()
        lines = []
        while True:
            line = self.child.stdout.readline()
            if line in ("end\n", ""):
                return lines
            lines.append(line.rstrip("\n"))

    def pods(self):
        return sorted(self.ask("view"))

    def stats(self):
        return {k: int(v) for k, v in (w.split("=") for w in self.ask("stats")[0].split())}

    def resident_mib(self):
        with open("/proc/%d/status" % self.child.pid) as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024

    def end(self):
        """Seconds that it took, and what it logged."""
        begin = time.monotonic()
        self.child.stdin.close()
        self.child.stdin = None
        _, log = self.child.communicate(timeout=20)
        if self.child.returncode:
            case("pods_view ends with 0", False, "%d\n%s" % (self.child.returncode, log))
        return time.monotonic() - begin, log
