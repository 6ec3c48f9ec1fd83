"""What a status page may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.status_pages.rules import problems
from schema.status_pages import Page


@pytest.mark.parametrize("slug", ["shop", "a", "shop-2", "0", "x" * 63])
def test_a_slug_that_may_be(slug: str) -> None:
    assert problems(Page(slug=slug, title="x"), []) == {}


@pytest.mark.parametrize("slug", ["", "-shop", "shop-", "Shop", "a b", "a/b", "shop.json", "ü", "x" * 64, "shop\n"])
def test_a_slug_that_may_not(slug: str) -> None:
    assert list(problems(Page(slug=slug, title="x"), [])) == ["slug"]


def test_each_field_is_told_by_itself() -> None:
    page = Page(slug="shop", title=" ", description="x" * 1001, services=("web", "Nobody"), published=True)
    assert set(problems(page, ["WEB"])) == {"title", "description", "services"}
    assert "Nobody" in problems(page, ["WEB"])["services"]
    assert set(problems(Page(slug="shop", title="x", published=True), [])) == {"services"}
    assert problems(Page(slug="shop", title="x", published=True, groups=("Edge",)), []) == {}


@given(st.text(max_size=70))
def test_a_slug_that_is_taken_stands_in_an_address_as_it_is(slug: str) -> None:
    if not problems(Page(slug=slug, title="x"), []):
        assert slug.isascii()
        assert slug == slug.lower()
        assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
