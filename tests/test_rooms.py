"""The tree shows the architecture: rooms of a size that can be taken in at a glance, and a name for one file alone."""

from collections import Counter

from tests.servers import PROJECT

ROOMS = ("registry", "traffic", "training", "serving", "benchmarks", "loop", "cli", "charts", "terminal", "pictures")
MOST_FILES = 12
ENTRANCES = ("__init__.py", "__main__.py")

FILES = [path for room in ROOMS for path in sorted((PROJECT / room).rglob("*.py")) if path.name not in ENTRANCES]


def test_no_folder_has_more_files_than_can_be_taken_in() -> None:
    sizes = Counter(path.parent.relative_to(PROJECT).as_posix() for path in FILES)
    assert len(sizes) > len(ROOMS)
    assert {folder: size for folder, size in sizes.items() if size > MOST_FILES} == {}


def test_no_two_files_share_a_name_but_the_settings_of_rooms() -> None:
    names = Counter(path.name for path in FILES)
    assert [name for name, times in names.items() if times > 1] == ["config.py"]


def test_every_folder_says_what_it_is_for() -> None:
    silent = [path.parent for path in FILES if not (path.parent / "__init__.py").read_text().startswith('"""')]
    assert silent == []
