"""A session whose log housekeeping has removed says so, on its page and where the log was."""

from tests.integration.webui.site import Site


async def test_a_removed_log_is_told_with_how_long_it_was_kept(site: Site) -> None:
    id_ = site.worker.session(status="completed", log=b"2026-01-01T08:00:00.000Z\tx\n")
    with site.worker.database.transaction():
        site.worker.database.script(
            "UPDATE sessions SET ended_at = '2026-01-01T08:00:00.000Z', log_removed_at = '2026-04-02T03:00:00.000Z'"
            f" WHERE id = {id_}"
        )
    for path in (site.worker.state.parent / "results").glob("*.log"):
        path.unlink()
    told = "Its log was removed on 2026-04-02 by housekeeping, kept 90 days."
    async with site.browser().get(f"/sessions/{id_}") as response:
        page = await response.text()
    assert response.status == 200
    assert page.count(told) == 2, "among the facts, and where the transcript was"
    assert f'href="/sessions/{id_}/log"' not in page
    async with site.browser().get(f"/sessions/{id_}/log") as response:
        assert response.status == 404
        assert told in await response.text()


async def test_an_emptied_session_still_shows_what_it_was(site: Site) -> None:
    id_ = site.worker.session(status="failed", log=b"x\n")
    with site.worker.database.transaction():
        site.worker.database.script(
            "UPDATE sessions SET ended_at = '2026-01-01T08:00:00.000Z', prompt_text = NULL, response = NULL,"
            f" log_removed_at = '2027-01-02T03:00:00.000Z', emptied_at = '2027-01-02T03:00:00.000Z' WHERE id = {id_}"
        )
    async with site.browser().get(f"/sessions/{id_}") as response:
        page = await response.text()
    assert response.status == 200
    assert "Its log and its texts were removed on 2027-01-02 by housekeeping, kept 365 days." in page
    async with site.browser().get("/sessions") as response:
        assert response.status == 200
