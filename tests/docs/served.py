"""The servers that pages start: each stays until one of its kind is started, at a port of its own."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import ENDS
from tests.docs.blocks import PAGES, commands_of
from tests.docs.dry_run import Told, commands_in
from tests.servers import VLLM_ARGS, free_port, running

OF_TINY_LLM = f"{VLLM_ARGS} --max-num-seqs 8 --served-model-name my-llm {ENDS}"
"""What the tests' LLM needs; it stands last, and so counts."""
ENGINE, MLFLOW = "the engine", "MLflow"
ADDRESSES = {"127.0.0.1:3000": ENGINE, "127.0.0.1:8000": ENGINE, "127.0.0.1:5000": MLFLOW}
"""Of the pages, and who is meant."""
NAMES = ("PARS_LLM", "PARS_TARGET_LLM")


class Served:
    """What runs now."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._running: dict[str, tuple[ExitStack, str]] = {}
        self._ran: set[object] = set()

    def start(self, told: Told) -> None:
        """Start what a command would, unless one has run that is equal up to the names of LLM and target."""
        environment = {name: value for name, value in told.environment.items() if name not in NAMES}
        key = (*told.words, *sorted(environment.items()))
        if key not in self._ran:
            self._start(told)
            self._ran.add(key)

    def _start(self, told: Told) -> None:
        kind = MLFLOW if told.words[0] == "mlflow" else ENGINE
        self.stop(kind)
        port, stack = free_port(), ExitStack()
        log = self._folder / f"server-{port}" / "log.txt"
        log.parent.mkdir()
        command = [*_module(told.words), "--port", str(port)]
        settings = {**self._environment, **told.environment}
        if told.words[0] == "bentoml":
            settings["PARS_VLLM_ARGS"] = f"{told.environment.get('PARS_VLLM_ARGS', '')} {OF_TINY_LLM}"
        stack.enter_context(running(command, port, settings, log, self._folder))
        self._running[kind] = stack, f"127.0.0.1:{port}"

    def stop(self, kind: str) -> None:
        """Stop what runs of a kind."""
        if found := self._running.pop(kind, None):
            found[0].close()

    def stop_all(self) -> None:
        """Stop what runs."""
        for kind in (ENGINE, MLFLOW):
            self.stop(kind)

    def at_its_address(self, text: str) -> str:
        """A text of the pages with the address that is the real one here; what is not there yet is started."""
        for address, kind in ADDRESSES.items():
            if address in text:
                if kind not in self._running:
                    self._start(_first_of(kind))
                text = text.replace(address, self._running[kind][1])
        return text


def _module(words: Sequence[str]) -> list[str]:
    """What `python -m` runs it by: the command `vllm` asks for a distribution that the CPU build is not."""
    if words[0] == "vllm":
        return ["tests.vllm_serve", *words[2:], *OF_TINY_LLM.split()]
    return [*words, "--workers", "1"] if words[0] == "mlflow" else [*words]


def _first_of(kind: str) -> Told:
    """The first command of the pages that starts one."""
    blocks = [block for page in PAGES for block in commands_of(page) if block.marker != "not run"]
    starts = ("bentoml", "serve") if kind == ENGINE else ("mlflow", "server")
    return next(one for one in commands_in(blocks) if (*one.words[:2],) == starts)


@contextmanager
def servers(folder: Path, environment: Mapping[str, str]) -> Iterator[Served]:
    """All of which stop with the block."""
    served = Served(folder, environment)
    try:
        yield served
    finally:
        served.stop_all()
