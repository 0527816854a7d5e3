"""A home for a process that has none: a UID without a name, no HOME, all read-only but a temporary folder.

BentoML makes `~/bentoml` when it starts, vLLM and torch keep caches below the home and ask for the user's name.
"""

import atexit
import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path


def ensure_home(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set HOME to a private folder that ends with this process, unless there is one that can be written.

    Where there is no such folder either, the process ends in one sentence.
    """
    if not _is_named() and not {"LOGNAME", "USER"} & set(environment):
        environment["USER"] = f"uid{os.getuid()}"  # `getpass.getuser` looks here first
    if _can_be_written(Path(environment.get("HOME") or _named_home())):
        return
    try:
        home = tempfile.mkdtemp(prefix="pars-home-")
    except OSError as error:
        sys.exit(f"Error: a folder that can be written is needed, but there is none ({error}): set HOME or TMPDIR.")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    environment["HOME"] = home


def _is_named() -> bool:
    try:
        return bool(pwd.getpwuid(os.getuid()))
    except KeyError:
        return False


def _named_home() -> str:
    return pwd.getpwuid(os.getuid()).pw_dir if _is_named() else "/nonexistent"


def _can_be_written(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
