"""What the README shows is what its commands print: they are run, and compared. `make docs` writes them anew."""

from promises.tree import generator


def test_what_the_readme_shows_is_what_its_commands_print() -> None:
    shown: str = generator()["README"].read_text("utf-8")
    assert generator()["run_anew"](shown) == shown
