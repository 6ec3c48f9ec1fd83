"""Answers requests about keeping house."""

from daemon import trouble
from daemon.keeping.backups import Backups
from daemon.keeping.keeper import Keeper
from daemon.keeping.taking import Taking
from ipc.messages.keeping import Export, ExportReply, Housekeep, HousekeepReply, Import, ImportReply
from ipc.messages.system import Backup, BackupReply
from ipc.server import Call, Handler
from schema.database import DatabaseError


def handlers(keeper: Keeper, backups: Backups, taking: Taking) -> dict[type, Handler]:
    """The table's part for keeping house."""

    async def keep(call: Call, request: Housekeep) -> HousekeepReply:
        try:
            return await keeper.keep(dry_run=request.dry_run, by=call.asker(request.by), request_id=call.id)
        except (DatabaseError, OSError) as error:
            after = "; what is gone is gone, the rest stays until the next time"
            raise trouble.refusal(error, "housekeeping was not finished: ", after) from error

    async def backup(call: Call, request: Backup) -> BackupReply:
        return await backups.make(request.path, call.asker(request.by), call.id)

    async def export(call: Call, request: Export) -> ExportReply:
        return await taking.give(request)

    async def take(call: Call, request: Import) -> ImportReply:
        return await taking.take(request, call.asker(request.by), call.id)

    return {Housekeep: keep, Backup: backup, Export: export, Import: take}
