"""Named queries are taken apart without loss, and migrations stand in order."""

import hashlib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.sql import carry_forward, migrations, queries, split

NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
BODIES = st.lists(st.sampled_from(["SELECT 1", "-- a remark", "FROM t -- x", "WHERE a = '-- b --';"]), min_size=1)


def test_a_query_has_its_noun_its_sentence_and_its_text() -> None:
    found = split(
        "things", "-- one --\n-- A sentence\n-- on two lines.\nSELECT 1;\n\n-- two --\n-- Other.\nSELECT\n2;\n"
    )
    assert found["things.one"] == ("things.one", "A sentence on two lines.", "SELECT 1;")
    assert found["things.two"].sql == "SELECT\n2;"


def test_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"queries/things\.sql: one is there twice"):
        split("things", "-- one --\n-- A.\nSELECT 1;\n-- one --\n-- B.\nSELECT 2;\n")


@given(st.dictionaries(NAMES, BODIES, max_size=5))
def test_every_query_written_is_found_again(wanted: dict[str, list[str]]) -> None:
    # A body begins with SQL: the comment lines at its top are its sentence.
    bodies = {name: "\n".join(["SELECT 0", *body]) for name, body in wanted.items()}
    text = "".join(f"-- {name} --\n-- Says what.\n{body}\n\n" for name, body in bodies.items())
    assert {query.name: query.sql for query in split("n", text).values()} == {
        f"n.{name}": body for name, body in bodies.items()
    }


def test_every_named_query_is_one_described_statement() -> None:
    for name, query in queries().items():
        assert query.doc.endswith("."), name
        assert query.sql.endswith(";"), name
        assert query.sql.count(";") == 1, name


def test_no_query_is_lost_for_want_of_a_sentence() -> None:
    for file in resources.files("schema").joinpath("queries").iterdir():
        if file.name.endswith(".sql"):
            noun, text = file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")
            assert text.count(";\n") == sum(name.startswith(f"{noun}.") for name in queries()), file.name


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [migration.number for migration in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_migrations_checksum_is_that_of_its_text() -> None:
    for migration in migrations():
        assert migration.checksum == hashlib.sha256(migration.sql.encode()).hexdigest()


def test_the_half_that_carries_forward_copies_and_drops_nothing() -> None:
    assert "INSERT INTO sessions" in carry_forward()
    assert "DROP" not in carry_forward()
