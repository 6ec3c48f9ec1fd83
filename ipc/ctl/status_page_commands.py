"""The table's part for status pages."""

from ipc.ctl.grammar import Command, argument

ONE = argument("page", metavar="PAGE", help="its number, or the end of its address")
WRITTEN = (
    argument("--title", metavar="TITLE", help="what it is called"),
    argument("--description", metavar="TEXT", help="what stands below the title"),
    argument("--service", action="append", metavar="SERVICE", help="a service that it shows; give it again for more"),
    argument("--tag", action="append", metavar="TAG", help="services with this tag; give it again for more"),
    argument("--group", action="append", metavar="NAME", help="services in this group; give it again for more"),
    argument("--latency", choices=("yes", "no"), help="whether it says how fast its services answer (no)"),
    argument("--publish", action="store_true", help="anybody who knows the address sees it"),
)

STATUS_PAGES = (
    Command(("status-pages", "list"), "Status pages, and whether each is published.", "status_pages:listing"),
    Command(
        ("status-pages", "add"),
        "A status page that is new.",
        "status_pages:add",
        (argument("slug", metavar="SLUG", help="the end of its address, such as shop for /status/shop"), *WRITTEN),
    ),
    Command(
        ("status-pages", "edit"),
        "Changes what is given of a status page.",
        "status_pages:edit",
        (
            ONE,
            argument("--slug", metavar="SLUG", help="the end of its address"),
            *WRITTEN,
            argument("--unpublish", action="store_true", help="its address answers nobody any more"),
        ),
    ),
    Command(("status-pages", "rm"), "Removes a status page.", "status_pages:remove", (ONE,)),
)
