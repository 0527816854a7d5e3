"""`vllm serve`, by its own function: the command asks for the metadata of a distribution that the CPU build is not.

`python -m tests.vllm_serve --model MODEL ...` with vLLM's flags.
"""

from vllm.entrypoints.cli.serve import ServeSubcommand
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser


def main() -> None:
    """Serve until stopped."""
    args = make_arg_parser(FlexibleArgumentParser()).parse_args()  # type: ignore[no-untyped-call]
    validate_parsed_serve_args(args)
    ServeSubcommand.cmd(args)


if __name__ == "__main__":
    main()
