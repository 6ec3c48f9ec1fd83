"""What becomes of the services of files that are not watched any more."""

from hypothesis import given
from hypothesis import strategies as st

from daemon.services.rules.sources import orphans

NAMES = st.sampled_from(["/etc/a.yaml", "/etc/ops", "/etc/ops/a.yaml", "/etc/ops/b.yml", "/etc/opsx/a.yaml", "/x.yaml"])
PLACES = st.one_of(st.just(""), NAMES)


def test_a_file_that_went_from_its_directory_takes_its_services_with_it() -> None:
    found = orphans("/etc/ops", {"/etc/ops/a.yaml"}, ["/etc/ops/a.yaml", "/etc/ops/b.yml"])
    assert found == (("/etc/ops/b.yml",), ())
    assert orphans("/etc/ops/", {"/etc/ops/a.yaml"}, ["/etc/ops/b.yml"]).gone == ("/etc/ops/b.yml",)


def test_nothing_is_removed_because_a_place_can_not_be_read_or_is_another() -> None:
    assert orphans("/etc/ops", None, ["/etc/ops/a.yaml"]) == ((), ())
    assert orphans("/etc/opsx", set(), ["/etc/ops/a.yaml"]) == ((), ("/etc/ops/a.yaml",))
    assert orphans("", set(), ["/etc/ops/a.yaml"]) == ((), ("/etc/ops/a.yaml",))


@given(PLACES, st.one_of(st.none(), st.frozensets(NAMES)), st.lists(NAMES, unique=True))
def test_each_owner_stays_goes_or_is_released(place: str, listed: frozenset[str] | None, owners: list[str]) -> None:
    gone, released = orphans(place, listed, owners)
    assert not set(gone) & set(released)
    assert {*gone, *released} <= set(owners)
    for owner in {*owners} - {*gone, *released}:
        assert listed is None or owner in listed
    if listed is None or not place:
        assert gone == ()
