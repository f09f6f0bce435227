"""Programs that run alternately, so that other load on the machine affects all of them equally: each is started
once, does a pass for each line on its input, prints the result, and a JSON object at the end. See
model-bench.c."""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

NOT_THERE = 69


class Failure(Exception):
    pass


class Contestant:
    """One program; `missing`: what it lacks, where it reports that itself."""

    def __init__(self, name, command, env=None):
        self.name, self.command, self.values, self.missing = name, list(map(str, command)), [], None
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)
        if self.process.stdout.readline() != "ready\n":
            self.give_up()

    def errors(self):
        self.log.seek(0)
        return self.log.read().strip()

    def give_up(self):
        status = self.process.wait()
        if status != NOT_THERE:
            raise Failure(f"{' '.join(self.command)}: exit status {status}\n{self.errors()}")
        self.missing = self.errors().split("\n")[-1]

    def turn(self):
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{' '.join(self.command)} ended early\n{self.errors()}")
        self.values.append(json.loads(line))

    def end(self):
        if self.missing:
            return {"missing": self.missing}
        out, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise Failure(f"{' '.join(self.command)}: exit status {self.process.returncode}\n{self.errors()}")
        return {**json.loads(out), "values": self.values}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def take_turns(commands, rounds, env=None):
    """The report of each named command, after the given number of rounds."""
    contestants = []
    try:
        for name, command in commands.items():
            say(f"  starting {name}")
            contestants.append(Contestant(name, command, env))
        for i in range(rounds):
            for contestant in contestants:
                if not contestant.missing:
                    contestant.turn()
            say(f"  round {i + 1} of {rounds}: " + ", ".join(
                f"{c.name} {c.values[-1]:.3f} s" for c in contestants if c.values and c.name != "ceiling"))
        return {contestant.name: contestant.end() for contestant in contestants}
    finally:
        for contestant in contestants:
            contestant.kill()


def timed(command, env=None, cwd=None):
    """A whole command: its seconds, the peak of its largest process, and what it printed."""
    words = list(map(str, command))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        child = subprocess.Popen(words, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if child.returncode != 0:
            raise Failure(f"{' '.join(words)}: exit status {child.returncode}\n"
                          f"{errors.read().decode(errors='replace').strip()}")
        return {"seconds": seconds, "peak_kib": usage.ru_maxrss, "output": out.read().decode()}


def median(values):
    return statistics.median(values)


def say(line):
    print(line, file=sys.stderr, flush=True)
