"""What tokens cost, to show a running session's cost before the CLI reports it. An estimate, and shown as one.

Dollars per million tokens, by model family; reading the cache costs a tenth of input, writing it a quarter more.
"""

from schema.sessions import Usage

PRICES = {"haiku": (1.0, 5.0), "sonnet": (3.0, 15.0), "opus": (5.0, 25.0)}
CHARACTERS_PER_TOKEN = 4


def estimate(model: str, usage: Usage) -> float | None:
    """Dollars for `usage` with `model` (an alias or a full id); None for a model of unknown price."""
    for family, (price_in, price_out) in PRICES.items():
        if family in model:
            tokens_in = usage.input + 0.1 * usage.cache_read + 1.25 * usage.cache_creation
            return (tokens_in * price_in + usage.output * price_out) / 1_000_000
    return None
