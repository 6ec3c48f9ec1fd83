"""The last findings of a service as a bar, and the same in words."""

from schema import beats
from webui.pages.probed_rows import STEP, Part, bar


def test_a_time_without_data_is_a_hole_in_the_bar_and_is_said() -> None:
    found = bar("hhh" + beats.NO_DATA * 4 + "hd")
    assert found.label == "Last 5 checks: 4 healthy, 1 down. No data in between, once."
    parts = dict(found.parts)
    begin = beats.SHOWN - 9
    assert parts["n"] == f"M0 99h{begin * STEP}M{(begin + 3) * STEP} 99h{4 * STEP}"
    assert parts["h"].startswith(f"M{begin * STEP} 75h{3 * STEP}")
    assert bar("h" + beats.NO_DATA + "h" + beats.NO_DATA + "h").label.endswith(" No data in between, 2 times.")


def test_what_has_moved_out_of_the_bar_is_said_no_more() -> None:
    found = bar(beats.NO_DATA * 3 + "h")
    assert found.label == "Last 1 check: 1 healthy."
    assert found.parts == [Part("h", "M990 75h10"), Part("n", "M0 99h990")]
