"""How often an address may ask for what needs no sign-in: counted by windows of time, in bounded memory. Pure.

Used by `webui.public`.
"""

from collections import OrderedDict

ADDRESSES_MAX = 4096


class Rate:
    """Counts by address. Who is forgotten for want of room begins anew."""

    def __init__(self, times: int, seconds: float) -> None:
        self._times, self._seconds = times, seconds
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Counts one request; 0 where it may be answered, else the seconds until the window ends."""
        since, times = self._seen.pop(address, (now, 0))
        if now - since >= self._seconds:
            since, times = now, 0
        self._seen[address] = (since, times + 1)
        if len(self._seen) > ADDRESSES_MAX:
            self._seen.popitem(last=False)
        return 0.0 if times < self._times else since + self._seconds - now
