"""A picture that is drawn for paper, and dark where its reader's screen is: for pages that show it as an image."""

from charts.looks import DARK_OF, DARK_PAPER, PAPER


def for_every_screen(picture: str) -> str:
    """The SVG with a style of its own; on a dark page its paper is dark too, so it is legible wherever it is shown."""
    rules = "".join(
        f'[fill="{colour}"]{{fill:{dark}}}[stroke="{colour}"]{{stroke:{dark}}}'
        for colour, dark in {**DARK_OF, PAPER: DARK_PAPER}.items()
    )
    head, mark, rest = picture.partition("<title>")
    return f"{head}<style>@media (prefers-color-scheme: dark){{{rules}}}</style>{mark}{rest}"
