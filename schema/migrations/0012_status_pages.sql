-- Status pages: what people without a sign-in may see of some services, at an address of its own.
CREATE TABLE status_pages (
    id INTEGER PRIMARY KEY,
    -- The end of its address.
    slug TEXT NOT NULL UNIQUE COLLATE NOCASE,
    title TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    -- What is not published is not there for who has no sign-in.
    published INTEGER NOT NULL DEFAULT 0 CHECK (published IN (0, 1)),
    -- Lists of texts: services with one of these tags, or in one of these groups, are shown beside those that are chosen.
    tags TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(tags)),
    groups TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(groups)),
    -- Counts up with each change, so that a change to something that has changed meanwhile is noticed.
    version INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    updated_by TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE status_page_services (
    page_id INTEGER NOT NULL REFERENCES status_pages (id) ON DELETE CASCADE,
    service_id INTEGER NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    PRIMARY KEY (page_id, service_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX status_page_services_of ON status_page_services (service_id);
