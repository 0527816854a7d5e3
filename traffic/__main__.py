"""`python -m traffic COMMAND`: the commands that look at logs."""

from cli.__main__ import main

if __name__ == "__main__":
    main("traffic")
