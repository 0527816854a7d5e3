"""What the commands that simulate load: a quarter of a gigabyte less than those that serve or train."""

import subprocess
import sys

from tests.servers import PROJECT


def test_a_simulation_loads_neither_torch_nor_vllm_into_the_process_that_reads_the_log() -> None:
    loads = (
        "import sys, cli.actions.simulations; sys.exit(bool({'torch', 'vllm', 'transformers'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", loads], cwd=PROJECT, check=True)
