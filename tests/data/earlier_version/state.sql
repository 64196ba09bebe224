BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB, seal INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('identity','{"link": {"dbfrom": "pubmed", "db": ["pmc"], "linkname": [], "cmd": "neighbor", "term": null, "datetype": null, "mindate": null, "maxdate": null, "reldate": null, "holding": null, "idtype": "uid", "targets_only": false}, "output": {"format": "jsonl", "compression": "none", "keep_raw": false}, "source": {}}',3724417154);
INSERT INTO "meta" VALUES('progress','{"pid": 1, "host": "example", "state": "running", "waiting": null, "sweep": {"number": 1, "of": 1, "done": 3}, "requests": {"sent": 1, "ok": 1, "retried": 0, "rate_limited": 0}, "rate": {"limit": 3.0, "achieved": 0.0}, "eta_seconds": 0.0, "started_at": "2026-11-26T10:22:23.585+00:00", "updated_at": "2026-11-26T10:22:23.634+00:00"}',1953877340);
INSERT INTO "meta" VALUES('source','ended',2487780375);
INSERT INTO "meta" VALUES('total','6',1093861734);
INSERT INTO "meta" VALUES('wanted',X'0100000000000000000000003B3000000100000500010001000500',2221518247);
CREATE TABLE part (
    name TEXT PRIMARY KEY,  -- below the harvest's folder, like links/part-00000.parquet
    kind TEXT NOT NULL,     -- links, or uids, or unanswered: the uids rows of failed and
                            -- missing, or again: links of a later sweep, not united yet
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum TEXT NOT NULL, seal INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "part" VALUES('links/part-00000.jsonl','links',1,109,'d7df20db5fbe414f85c45b0ce4236c2c',14776783);
INSERT INTO "part" VALUES('uids/part-00001.jsonl','uids',3,226,'3cebd0ef9a49644b1bfae5ece623caeb',2103780379);
CREATE TABLE settled (
    id INTEGER PRIMARY KEY,
    sweep INTEGER NOT NULL, -- the outcomes of the first are those of all, once united
    outcome TEXT NOT NULL, reason TEXT, count INTEGER NOT NULL,
    uids BLOB NOT NULL,     -- a roaring bitmap
    seal INTEGER NOT NULL
);
INSERT INTO "settled" VALUES(1,1,'linked',NULL,1,X'0100000000000000000000003A3000000100000000000000100000000100',97900006);
INSERT INTO "settled" VALUES(2,1,'empty',NULL,2,X'0100000000000000000000003A30000001000000000001001000000002000300',952237914);
INSERT INTO "settled" VALUES(3,1,'failed','HTTP 500',1,X'0100000000000000000000003A3000000100000000000000100000000400',3145487040);
COMMIT;
PRAGMA user_version = 1;
