"""Draw docs/images/terminal.svg, the picture of the README, from what two commands print.

Start `make run` with an empty `.deardiary`, then run `.venv/bin/python docs/images/draw.py` in another terminal.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from html import escape
from pathlib import Path

import deardiary

PICTURE = Path(__file__).with_name("terminal.svg")
EXPERIMENT = "Digits/sgd sweep"
COLUMNS = 92
COLUMN_NAMES = "status,parameters.learning_rate,metrics.valid_accuracy,metrics.valid_loss"

# In pixels. Each line is stretched to its number of columns, so that every monospaced font keeps the table straight.
CELL, LINE, MARGIN = 8.4, 19, 20
COLOURS = {"32": "good", "31": "bad"}
STYLE = """
  .back { fill: #f6f8fa; stroke: #d1d9e0 } text { fill: #1f2328 } .command { font-weight: bold }
  .good { fill: #1a7f37 } .bad { fill: #d1242f }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117; stroke: #3d444d } text { fill: #e6edf3 } .good { fill: #3fb950 } .bad { fill: #f85149 }
  }
"""


def main() -> None:
    table = ["deardiary", "iterations", "ls", EXPERIMENT, "--columns", COLUMN_NAMES]
    curves = ["deardiary", "metrics", "plot", *trials(), "valid_accuracy"]
    lines = [
        f"$ deardiary iterations ls '{EXPERIMENT}' \\",
        f"    --columns {COLUMN_NAMES}",
        *printed(table),
        "",
        f"$ {' '.join(curves)}",
        *printed(curves),
    ]
    PICTURE.write_text(svg(lines), encoding="utf-8")


def trials() -> list[str]:
    """Return the short ids of the sweep's children, the best first."""
    client = deardiary.connect()
    project, experiment = EXPERIMENT.split("/")
    project_id = next(client.projects.list(name=project)).id
    experiment_id = next(each.id for each in client.experiments.list(project_id) if each.name == experiment)
    found = client.iterations.list(experiment_id, order_by="metrics.valid_accuracy desc")
    return [each.id[:10] for each in found if each.parent_iteration_id]


def printed(command: list[str]) -> list[str]:
    """Run the command in a terminal of COLUMNS columns and return its lines, with their colours."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        os.environ["TERM"] = "xterm-256color"
        os.execv(Path(sys.executable).with_name(command[0]), command)  # noqa: S606
    output = b"".join(iter(lambda: _read(terminal), b""))
    if os.waitpid(pid, 0)[1]:
        raise SystemExit(output.decode())
    return output.decode().replace("\r\n", "\n").rstrip("\n").split("\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux reports the end of a pseudo-terminal as an error
        return b""


def svg(lines: list[str]) -> str:
    width, height = round(COLUMNS * CELL + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    texts = "\n".join(text for number, line in enumerate(lines) for text in _texts(line, MARGIN + (number + 1) * LINE))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<title>A table of iterations and three curves, printed by the command deardiary</title>\n"
        f"<style>{STYLE}</style>\n"
        f'<rect class="back" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>\n{texts}\n</svg>\n'
    )


def _texts(line: str, y: int) -> list[str]:
    """Draw each word run of a line at its own column: spaces at an end would not count as width."""
    found, column, colour = [], 0, "command" if line.startswith(("$ ", "    --columns")) else ""
    for code, text in re.findall(r"(?:\x1b\[(\d+)m)?([^\x1b]*)", line):
        colour = COLOURS.get(code, "") if code else colour
        for run in re.finditer(r"\S+(?: \S+)*", text):
            x, length = MARGIN + (column + run.start()) * CELL, len(run[0]) * CELL
            found.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}" class="{colour}">{escape(run[0])}</text>'
            )
        column += len(text)
    return found


if __name__ == "__main__":
    main()
