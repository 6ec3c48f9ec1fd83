"""Answers requests about API tokens and people, and proves the audit log."""

import asyncio

from daemon import audit
from daemon.access.people import People
from daemon.access.tokens import Tokens
from daemon.store import Store
from ipc.messages.access import (
    AddUser,
    AuditVerdict,
    ChangeUser,
    CreateToken,
    ListTokens,
    ListUsers,
    OfferPassword,
    RevokeToken,
    SetPassword,
    TokenReply,
    TokensReply,
    TokenUsed,
    UserReply,
    UsersReply,
    VerifyAudit,
)
from ipc.messages.envelope import Done
from ipc.messages.users import SignInReply
from ipc.server import Call, Handler


def handlers(tokens: Tokens, people: People, store: Store) -> dict[type, Handler]:
    """The table's part for tokens, people and the audit log's chain."""
    walking = asyncio.Lock()

    async def create_token(call: Call, request: CreateToken) -> TokenReply:
        return await tokens.create(request, call.asker(request.by), call.id)

    async def list_tokens(call: Call, request: ListTokens) -> TokensReply:
        return TokensReply(tokens=await tokens.listing(all_=request.all))

    async def revoke_token(call: Call, request: RevokeToken) -> TokenReply:
        return await tokens.revoke(request, call.asker(request.by), call.id)

    async def token_used(call: Call, request: TokenUsed) -> Done:
        await tokens.used(request)
        return Done()

    async def list_users(call: Call, request: ListUsers) -> UsersReply:
        return UsersReply(users=await people.listing())

    async def add_user(call: Call, request: AddUser) -> UserReply:
        return await people.add(request, call.asker(request.by), call.id)

    async def change_user(call: Call, request: ChangeUser) -> UserReply:
        return await people.change(request, call.asker(request.by), call.id)

    async def offer_password(call: Call, request: OfferPassword) -> UserReply:
        return await people.offer_password(request, call.asker(request.by), call.id)

    async def set_password(call: Call, request: SetPassword) -> SignInReply:
        return await people.set_password(request)

    async def verify_audit(call: Call, request: VerifyAudit) -> AuditVerdict:
        async with walking:  # one walk at a time: it takes seconds where there are a million lines
            found = await asyncio.to_thread(audit.verify, store.path, request.kept)
        return AuditVerdict(**found._asdict())

    return {
        CreateToken: create_token,
        ListTokens: list_tokens,
        RevokeToken: revoke_token,
        TokenUsed: token_used,
        ListUsers: list_users,
        AddUser: add_user,
        ChangeUser: change_user,
        OfferPassword: offer_password,
        SetPassword: set_password,
        VerifyAudit: verify_audit,
    }
