"""`python -m registry COMMAND`: the commands that move the aliases of registered rankers."""

from cli.__main__ import main

if __name__ == "__main__":
    main("registry")
