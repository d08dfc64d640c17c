#!/usr/bin/env python3
"""Records docs/images/session.svg: runs the commands below in a terminal (tmux), and draws what it showed.

    docs/images/session.py EWAPA        as root, with wasmtime and iwasm (WAMR) in PATH

Needs tmux. What is drawn is what the terminal had, colours included; only the prompt is of this script.
"""

import html
import pathlib
import re
import subprocess
import sys
import tempfile
import time

COLUMNS, ROWS = 112, 40
HERE = pathlib.Path(__file__).resolve().parent
MODULE = HERE.parent.parent / "workloads" / "small-writes.wasm"
COMMANDS = [
    "ewapa script wasi_summary -o table -- sh -c 'wasmtime app.wasm 100; iwasm app.wasm 100' &>log; cat table",
    "ewapa -e 'wasi:fd_write { @[runtime] = hist(duration); }' -o times -- iwasm app.wasm 10 &>log; cat times",
]
DONE = "\x02done"


def tmux(*words):
    return subprocess.run(["tmux", "-L", "ewapa-session", *words], check=True, capture_output=True, text=True).stdout


def record(ewapa):
    """The lines of the terminal, with their escape sequences."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "app.wasm").write_bytes(MODULE.read_bytes())
        script = ["cd " + str(folder), f"ewapa() {{ {ewapa} \"$@\"; }}", "clear"]
        for command in COMMANDS:
            script += [f"printf '\\033[1m$ %s\\033[0m\\n' {quoted(command)}", command, "echo"]
        script += [f"touch {folder}/done", "sleep 600"]
        (folder / "session.sh").write_text("\n".join(script))
        tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "bash " + str(folder / "session.sh"))
        try:
            for _ in range(600):
                if (folder / "done").exists():
                    break
                time.sleep(0.2)
            else:
                sys.exit("the session does not end")
            time.sleep(0.5)
            text = tmux("capture-pane", "-p", "-e", "-S", "-")
        finally:
            tmux("kill-server")
    return text.rstrip("\n").split("\n")


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def spans(line):
    """Text with the class of its colour, from SGR sequences: bold and the eight colours are drawn."""
    style = set()
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        found = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if not found:
            if piece:
                yield piece, " ".join(sorted(style))
            continue
        for code in (int(code or 0) for code in found[1].split(";")):
            if code == 0:
                style.clear()
            elif code in (1, 2):
                style.add("b" if code == 1 else "d")
            elif code == 22:
                style -= {"b", "d"}
            elif 30 <= code <= 37:
                style = {name for name in style if not name.startswith("c")} | {f"c{code - 30}"}
            elif code == 39:
                style = {name for name in style if not name.startswith("c")}


def drawn(lines):
    width, height = COLUMNS * 7.8 + 32, len(lines) * 17 + 32
    texts = []
    for number, line in enumerate(lines):
        pieces = "".join(
            f'<tspan class="{style}">{html.escape(text)}</tspan>' if style else html.escape(text) for text, style in spans(line)
        )
        if pieces:
            texts.append(f'<text x="16" y="{number * 17 + 29}">{pieces}</text>')
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" role="img">
<title>A terminal session: {html.escape('; '.join(COMMANDS))}</title>
<style>
rect {{ fill: #f6f8fa; stroke: #d0d7de }}
text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #1f2328 }}
.b {{ font-weight: bold }} .d {{ opacity: .7 }}
.c1 {{ fill: #cf222e }} .c2 {{ fill: #116329 }} .c3 {{ fill: #7d4e00 }} .c4 {{ fill: #0550ae }} .c5 {{ fill: #8250df }} .c6 {{ fill: #1b7c83 }}
@media (prefers-color-scheme: dark) {{
rect {{ fill: #161b22; stroke: #30363d }} text {{ fill: #e6edf3 }}
.c1 {{ fill: #ff7b72 }} .c2 {{ fill: #7ee787 }} .c3 {{ fill: #d29922 }} .c4 {{ fill: #79c0ff }} .c5 {{ fill: #d2a8ff }} .c6 {{ fill: #76e3ea }}
}}
</style>
<rect x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="6"/>
{chr(10).join(texts)}
</svg>
"""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    (HERE / "session.svg").write_text(drawn(record(sys.argv[1])))
