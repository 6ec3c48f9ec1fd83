"""The way of a notification to a channel: what is listed may follow, and nothing else."""

from itertools import product

import pytest

from schema.states import DELIVERY, DELIVERY_MEANING, DeliveryStatus, TransitionError, follow

LISTED = {
    ("pending", "sending"),
    ("pending", "suppressed"),
    ("sending", "sent"),
    ("sending", "retrying"),
    ("sending", "given_up"),
    ("sending", "pending"),
    ("retrying", "sending"),
    ("retrying", "suppressed"),
    ("given_up", "pending"),
    ("suppressed", "pending"),
}


@pytest.mark.parametrize(("current", "wanted"), list(product(DeliveryStatus, DeliveryStatus)))
def test_a_listed_pair_follows_and_any_other_raises(current: DeliveryStatus, wanted: DeliveryStatus) -> None:
    if (current.value, wanted.value) in LISTED:
        assert follow(DELIVERY, current, wanted) is wanted
    else:
        with pytest.raises(TransitionError, match=f"{current.value} can't become {wanted.value}"):
            follow(DELIVERY, current, wanted)


def test_every_status_has_its_row_and_its_meaning() -> None:
    assert set(DELIVERY) == set(DELIVERY_MEANING) == set(DeliveryStatus)
