#!/usr/bin/env python3
"""Holds the totals of `ewapa bench` against two other clocks, hyperfine and perf stat, on the same commands.

  tests/clocks.py [--ewapa PROGRAM] [--scale N] [--runs N] [options of `ewapa bench`: --runtimes, --workloads]

Needs hyperfine and perf (apt-get install hyperfine linux-perf). Prints a Markdown table; the exit code is 1 if a total
differs by more than noise: by more than three median absolute deviations of both, 5 %, and 2 ms for the start of a process
and a shell, which the others have in theirs. tests/clocks.rs holds the counts, which have no noise.
"""

import argparse
import json
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile


def spread(values):
    middle = statistics.median(values)
    return middle, statistics.median(abs(value - middle) for value in values)


class Place:
    """A folder of `ewapa bench --lay-out`, of which each run gets a new copy."""

    def __init__(self, folder, scratch):
        self.folder, self.scratch = folder, scratch
        self.words = shlex.split((folder / "command").read_text())

    def fresh(self):
        guest = self.scratch / "guest"
        shutil.rmtree(guest, ignore_errors=True)
        shutil.copytree(self.folder / "guest", guest)
        return guest

    def run(self, *before):
        with open(self.folder / "stdin", "rb") as stdin, open(self.scratch / "output", "wb") as output:
            return subprocess.run(
                [*before, *self.words], cwd=self.fresh(), stdin=stdin, stdout=output, stderr=output
            ).returncode

    def perf(self):
        report = self.scratch / "perf"
        # perf leaves its own files open, and descriptor 3 is the directory of a guest of wasm3.
        closing = "exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-; exec \"$@\""
        before = ["perf", "stat", "-x;", "-e", "duration_time", "-o", str(report), "--", "sh", "-c", closing, "sh"]
        if self.run(*before):
            return None
        lines = [line.split(";") for line in report.read_text().splitlines() if "duration_time" in line]
        return float(lines[0][0]) / 1e6

    def hyperfine(self):
        report = self.scratch / "hyperfine.json"
        words, stdin = shlex.join(self.words), self.folder / "stdin"
        if stdin.resolve() != pathlib.Path("/dev/null"):
            # hyperfine 1.15 gives no other standard input; the shell takes a millisecond.
            words = shlex.join(["sh", "-c", f"exec {words} < {shlex.quote(str(stdin))}"])
        command = [
            "hyperfine", "-N", "--style=none", "--runs=1", f"--output={self.scratch / 'output'}",
            f"--export-json={report}", words,
        ]
        ended = subprocess.run(command, cwd=self.fresh(), capture_output=True)
        if ended.returncode:
            return None
        return json.loads(report.read_text())["results"][0]["times"][0] * 1e3


def bench(arguments, options, scratch, number):
    """Totals without probes by folder's name, in ms."""
    results = scratch / f"results-{number}.jsonl"
    plan = scratch / "plan.toml"
    plan.write_text("observed = false\n")
    subprocess.run(
        [arguments.ewapa, "bench", plan, "-o", results, "--scales", str(arguments.scale),
         "--repetitions", str(arguments.runs // 2), *options],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    totals = {}
    for line in results.read_text().splitlines():
        run = json.loads(line)
        if run["type"] == "run" and run["outcome"] == "ok":
            name = f"{run['runtime']}-{run['workload']}-{run['scale']}"
            totals.setdefault(name, []).append(run["total"] / 1e6)
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ewapa", default="target/release/ewapa", type=pathlib.Path)
    parser.add_argument("--scale", default=1000, type=int)
    parser.add_argument("--runs", default=10, type=int)
    arguments, options = parser.parse_known_args()
    arguments.ewapa = arguments.ewapa.resolve()
    for tool in ("hyperfine", "perf"):
        if not shutil.which(tool):
            sys.exit(f"{tool} is missing: apt-get install hyperfine linux-perf")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        laid = scratch / "laid"
        subprocess.run(
            [arguments.ewapa, "bench", "--lay-out", laid, "--scales", str(arguments.scale), *options],
            check=True, stdout=subprocess.DEVNULL,
        )
        # Half of ewapa's runs before the others and half behind, so that what drifts hits all alike.
        totals = bench(arguments, options, scratch, 0)
        others = {name: ([], []) for name in totals}
        for _ in range(arguments.runs):
            for name, (hyperfine, perf) in others.items():
                place = Place(laid / name, scratch)
                hyperfine.append(place.hyperfine())
                perf.append(place.perf())
        for name, more in bench(arguments, options, scratch, 1).items():
            totals.setdefault(name, []).extend(more)
        sys.exit(report(totals, others))


def report(totals, others):
    print("| run | n | ewapa | hyperfine | perf stat | hyperfine : ewapa | perf : ewapa | |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    differing = 0
    for name, (hyperfine, perf) in sorted(others.items()):
        middle, deviation = spread(totals[name])
        cells, ratios, agrees = [f"{middle:.1f} ±{deviation:.1f} ms"], [], True
        for values in (hyperfine, perf):
            values = [value for value in values if value is not None]
            if not values:
                cells.append("failed")
                ratios.append("-")
                agrees = False
                continue
            other, its = spread(values)
            cells.append(f"{other:.1f} ±{its:.1f} ms")
            ratios.append(f"{other / middle:.2f}")
            agrees &= abs(other - middle) <= 3 * (deviation + its) + 0.05 * middle + 2
        differing += not agrees
        verdict = "agrees" if agrees else "differs"
        print(f"| {name} | {len(totals[name])} | {' | '.join(cells + ratios)} | {verdict} |")
    print(f"\n{len(others) - differing} of {len(others)} agree")
    return 1 if differing else 0


if __name__ == "__main__":
    main()
