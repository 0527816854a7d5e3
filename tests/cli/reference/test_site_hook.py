from cli.reference.site_hook import in_site, on_page_markdown


def test_links_of_the_root_lead_where_their_targets_stand_in_the_site() -> None:
    text = "[a](docs/guides/serve.md#call) [b](CONTRIBUTING.md) [c](#two-commands) [d](https://e.org/docs/f.md)"
    assert in_site(text + " ![q](docs/pictures/queue.svg)") == (
        "[a](guides/serve.md#call) [b](CONTRIBUTING.md) [c](#two-commands) [d](https://e.org/docs/f.md)"
        " ![q](pictures/queue.svg)"
    )
    assert in_site("[README](README.md)") == "[README](index.md)"


def test_a_gap_is_filled_and_the_rest_of_the_page_stays() -> None:
    page = on_page_markdown("# Flags\n\n<!-- from code: refused_flags -->\n\nMore.")
    assert page.startswith("# Flags\n\n<div")
    assert "--scheduling-policy" in page
    assert page.endswith("\n\nMore.")
