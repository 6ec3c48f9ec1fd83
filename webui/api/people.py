"""The API's view of who may use the dashboard, for admins. Adding and revoking is for people and `claudeopsctl`."""

from aiohttp import web

from webui.api.answered import TokenList, UserList
from webui.pages import users as page
from webui.parts import parts


async def users(request: web.Request) -> UserList:
    """GET /api/v1/users."""
    return UserList(users=(await page.read(parts(request))).users)


async def tokens(request: web.Request) -> TokenList:
    """GET /api/v1/tokens."""
    return TokenList(tokens=(await page.read(parts(request))).tokens)
