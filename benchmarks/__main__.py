"""`python -m benchmarks COMMAND`: the commands that measure what ordering brings and costs."""

from cli.__main__ import main

if __name__ == "__main__":
    main("benchmarks")
