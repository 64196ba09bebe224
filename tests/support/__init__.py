"""What tests share: servers, harnesses, recorded answers, tables."""
