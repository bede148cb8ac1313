"""The documentation's pages, followed as a reader would: code into the file it names, commands into a terminal.

A Python block's first line names its file. What it holds is added to `settings.py` and `urls.py`, and replaces any
other file. Blocks in `sh` are commands of one terminal; what starts a server or a worker runs beside it. Blocks that
install packages are passed over: `tests/test_setup.py` and the fresh clone in CI are about those.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers import free_port, until
from tests.upstream import FakeUpstream

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# ([\w./]+\.py)\n")
_CODE = re.compile(r"^`([^`]*)`$")
_GROWING = {"settings.py", "urls.py"}
_SERVERS = ("uvicorn ", "gunicorn ", "granian ")
# What each says when it is ready.
_WORKERS = {
    "python manage.py automate_worker": "Working on",
    "python manage.py reap_jobs --every": "",
    "celery ": "ready.",
}


@dataclass(frozen=True)
class Block:
    """One block of code on a page. `file` is where a Python block belongs."""

    language: str
    code: str

    @property
    def file(self) -> str | None:
        named = _FILE.match(self.code) if self.language == "python" else None
        return named[1] if named else None

    @property
    def installs(self) -> bool:
        return self.language == "sh" and "pip install" in self.code

    @property
    def serves(self) -> bool:
        return self.language == "sh" and self.code.startswith(_SERVERS)

    @property
    def works(self) -> bool:
        return self.language == "sh" and self.code.startswith(tuple(_WORKERS))


def text_of(page: str) -> str:
    """A page's source."""
    return (DOCS / page).read_text()


def blocks(page: str) -> list[Block]:
    """A page's code, in its order."""
    return [Block(language, code) for language, code in _FENCE.findall(text_of(page))]


def table(text: str, *columns: str) -> list[list[str]]:
    """The rows of the Markdown tables in `text` that have these columns; a cell of code alone is without backticks."""
    rows: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        cells = [_CODE.sub(r"\1", cell.strip().replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif cells == list(columns):
            inside = True
        elif inside and not set("".join(cells)) <= set("-: "):
            rows.append(cells)
    return rows


def sections(page: str, level: int = 2) -> dict[str, str]:
    """The page's text by its headings."""
    parts = re.split(rf"^{'#' * level} (.+)$", text_of(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def code_in(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", f"`{cell}`" if "`" not in cell else cell)


class Reader:
    """Somebody who follows pages in a folder of their own."""

    def __init__(self, folder: Path, model_server: FakeUpstream) -> None:
        self.folder, self.model_server, self.port = folder, model_server, free_port()
        self.terminal = folder / ".terminal"
        self.log = folder / ".server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []
        self._command = ""
        self._served: dict[Path, float] = {}

    def copy(self, folder: Path) -> "Reader":
        """Somebody else who has come as far, with a server that is not running yet."""
        shutil.copytree(self.folder, folder)
        other = Reader(folder, self.model_server)
        state = self.terminal.read_text().replace(str(self.folder), str(folder))
        other.terminal.write_text(state.replace(f":{self.port}", f":{other.port}"))
        other._command = self._command
        return other

    def follow(self, page: str) -> list[str]:
        """Do what a page says; what its commands printed, one text a block."""
        return [printed for block in blocks(page) if (printed := self.take(block)) is not None]

    def take(self, block: Block) -> str | None:
        """Do what a block says; what its commands printed, if it has some."""
        if block.file:
            self._paste(block.file, block.code)
        elif block.serves:
            self.serve(block.code)
        elif block.works:
            self.work(block.code)
        elif block.language == "sh" and not block.installs:
            return self.run(block.code)
        return None

    def run(self, commands: str) -> str:
        """What commands print in the terminal; the test fails with their errors when they do."""
        if self._command and (self._process is None or self._changed()):
            self.serve(self._command)
        keep = f'{{ export -p; declare -f; echo cd "$PWD"; }} > {self.terminal}'
        ran = self._bash(f"{self._resume()}{self._here(commands)}\n{keep}")
        assert ran.returncode == 0, f"{commands}\n{ran.stdout}\n{ran.stderr}\n{self._logged()}"
        return ran.stdout

    def serve(self, command: str) -> None:
        """Start a server in another terminal, in place of the one before."""
        self._stop_server()
        self._command, self._served = command, self._files()
        process = self._process = self._start(command, self.log)
        until(lambda: process.poll() is not None or self._answers(), seconds=60)
        assert process.poll() is None, self._logged()

    def work(self, command: str) -> None:
        """Start a worker in another terminal, beside those that are there."""
        said = next(said for begin, said in _WORKERS.items() if command.startswith(begin))
        log = self.folder / f".worker-{len(self._workers)}.log"
        process = self._start(command, log)
        self._workers.append(process)
        until(lambda: process.poll() is not None or said in log.read_text(), seconds=60)
        assert process.poll() is None, log.read_text()

    def stop(self) -> None:
        """End the server and the workers."""
        self._stop_server()
        self.stop_workers()

    def stop_workers(self) -> None:
        """End the workers alone."""
        while self._workers:
            _end(self._workers.pop())

    def _stop_server(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _start(self, command: str, log: Path) -> "subprocess.Popen[bytes]":
        with log.open("ab") as output:
            return subprocess.Popen(
                ["bash", "-euc", f"{self._resume()}exec {self._here(command)}"],
                cwd=self.folder,
                env=self._environment() | {"PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _paste(self, name: str, code: str) -> None:
        started = self.terminal.exists() and "cd " in self.terminal.read_text()
        where = self.terminal.read_text().rstrip().rpartition("\ncd ")[2] if started else str(self.folder)
        path = Path(where) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() if path.name in _GROWING and path.exists() else ""
        path.write_text(f"{before}\n{self._here(code)}" if before else self._here(code))

    def _here(self, code: str) -> str:
        """`code` with this reader's ports, since several tests run at once."""
        code = code.replace("127.0.0.1:11434", self.model_server.host)
        return code.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}").replace("--port 8000", f"--port {self.port}")

    def _resume(self) -> str:
        return f". {self.terminal}\n" if self.terminal.exists() else ""

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", script],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "AUTOMATE_"))}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

    def _files(self) -> dict[Path, float]:
        found = [*self.folder.rglob("*.py"), *self.folder.rglob("*.key")]
        return {path: path.stat().st_mtime for path in found}

    def _changed(self) -> bool:
        return self._files() != self._served

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
