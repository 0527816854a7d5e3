"""Run a module as an arbitrary UID without a name, no HOME, and nothing that it may write but the temporary folder.

`python -m tests.nameless MODULE ARGUMENTS`, by root. It may read everything, as in an image of another user.
"""

import os
import sys

UID = "54321"
DROP = ["--reuid", UID, "--regid", UID, "--clear-groups"]
MAY_READ = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
UNSET = ("HOME", "USER", "LOGNAME", "BENTOML_HOME", "PARS_CACHE")

if __name__ == "__main__":
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    os.execvpe("setpriv", ["setpriv", *DROP, *MAY_READ, sys.executable, "-m", *sys.argv[1:]], environment)
