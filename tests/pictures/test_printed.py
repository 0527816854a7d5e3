"""`pictures/printed.py`: words of a terminal as an SVG that asks for nothing."""

import re
from xml.etree import ElementTree

import pytest

from pictures.printed import drawn, terminal
from pictures.stage import NothingToShow

SVG = "{http://www.w3.org/2000/svg}"


def words(picture: str) -> str:
    """All of its text, lines apart."""
    texts = ElementTree.fromstring(picture).iter(f"{SVG}text")
    return "\n".join("".join(text.itertext()) for text in texts).replace("\xa0", " ")


def test_it_shows_the_command_and_what_it_printed() -> None:
    said = words(drawn("pars doctor", "ok    disk\n\x1b[31mWRONG\x1b[0m clock"))
    assert "$ pars doctor" in said
    assert re.search(r"^ok    disk$", said, re.MULTILINE)
    assert re.search(r"^WRONG$", said, re.MULTILINE), "a colour makes a text of its own"


def test_nothing_is_asked_for_outside() -> None:
    picture = drawn("pars", "words")
    assert "font-face" not in picture
    assert set(re.findall(r"url\((.)", picture)) <= {"#"}


def test_what_fails_is_no_picture() -> None:
    with pytest.raises(NothingToShow, match="'pars nosuchcommand' must succeed"):
        terminal(["pars", "nosuchcommand"], {})
