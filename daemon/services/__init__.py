"""Services: probes, conditions, schedule, status, incidents, rollups."""
