"""Whether whoever asked may still be told, for answers that take long: live streams and chats.

A sign-in, a token or a role may end meanwhile. The guard has let them in; this is asked again while the answer goes on.
"""

from webui.auth.sign_ins import SignedIn, SignIns
from webui.auth.tokens import Tokens


async def lasting(person: SignedIn, sign_ins: SignIns, tokens: Tokens) -> SignedIn | None:
    """Who they are now; None once their sign-in or token is over. CallError while the database is away."""
    if person.token_id:
        return await tokens.check(person.token_hash)
    if person.scopes is not None:
        return person  # let in by a key or a signature, which hold as long as this process
    return await sign_ins.check(person.token_hash)
