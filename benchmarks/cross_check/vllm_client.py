"""vLLM's own benchmark client as a process: `python -m benchmarks.cross_check.vllm_client FLAGS`.

The same as `vllm bench serve FLAGS`, a command that ends at once where vLLM's CPU wheel is installed.
"""


def main() -> None:
    """Parse vLLM's flags and run it."""
    from vllm.benchmarks import serve
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = FlexibleArgumentParser(prog="vllm bench serve")  # type: ignore[no-untyped-call]  # vllm is half typed
    serve.add_cli_args(parser)
    serve.main(parser.parse_args())


if __name__ == "__main__":
    main()
