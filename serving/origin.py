"""Where a request comes from: what the running correction tells requests apart by."""

from typing import NamedTuple


class Origin(NamedTuple):
    """A tenant and a template, as keyed digests. Requests that say nothing of themselves are of one origin."""

    tenant: str = ""
    template: str = ""


NOBODY = Origin()
