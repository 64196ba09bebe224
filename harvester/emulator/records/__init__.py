"""Generated records: small, computed from their UIDs, in the formats of EFetch and ESummary."""
