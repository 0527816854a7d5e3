"""`python -m training COMMAND`: the commands that train and judge rankers."""

from cli.__main__ import main

if __name__ == "__main__":
    main("training")
