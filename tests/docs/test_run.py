"""The commands of README and guides are run, as written, at smaller sizes; each says where it stands when it fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import PAGES, Block, commands_of
from tests.docs.dry_run import commands_in
from tests.docs.reader import NEEDS_ENGINE, Reader, printed_by, shown_in
from tests.docs.served import servers
from tests.docs.warm_commands import WarmCommands
from tests.docs.world import add_rankers, world_environment, write_world
from tests.servers import PROJECT
from tests.training.conftest import tiny_encoder  # noqa: F401  # a fixture

pytestmark = pytest.mark.slow


def to_run(page: Path) -> list[Block]:
    return [one for one in commands_of(page) if one.marker != "not run" and one.options_of not in NEEDS_ENGINE]


@pytest.fixture(scope="module")
def reader(
    tmp_path_factory: pytest.TempPathFactory,
    demo_llm: Path,
    tiny_encoder: Path,  # noqa: F811
    empty_database: Path,
) -> Iterator[Reader]:
    folder = write_world(tmp_path_factory.mktemp("world"), demo_llm, tiny_encoder, empty_database)
    environment = world_environment(folder)
    with WarmCommands(environment) as commands, servers(folder, environment) as served:
        reader = Reader(folder, environment, commands, served)
        add_rankers(folder, reader.trains)
        yield reader


@pytest.mark.parametrize("page", [*filter(to_run, PAGES)], ids=lambda page: str(page.relative_to(PROJECT)))
def test_commands_of_a_page_do_what_it_says(page: Path, reader: Reader) -> None:
    blocks = to_run(page)
    told = commands_in(blocks, reader.folder)
    assert {id(one) for one in blocks} == {id(one.block) for one in told}, "a block without a command says why"
    for block in blocks:
        printed = printed_by([reader.types(one) for one in told if one.block is block])
        for shown in shown_in(block):
            assert set(shown) in printed, f"{block.place} shows {[*shown]}, but {printed} was printed"
