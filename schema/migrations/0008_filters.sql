-- Lists that programs filter, newest first: each filter has an index, so that a rare value is found without a search.

CREATE INDEX events_of_service_and_level ON events (service, level);
CREATE INDEX approvals_of_status ON approvals (status);
