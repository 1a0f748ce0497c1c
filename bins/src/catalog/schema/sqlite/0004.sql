-- What a browser is told: where each folder is, and in which folders a job has something, at any depth.
CREATE TABLE PathHierarchy (
    PathId INTEGER PRIMARY KEY,
    PPathId INTEGER NOT NULL,
    -- The beginning of its name in that folder, to put it in order.
    Name BLOB NOT NULL
);
CREATE INDEX PathHierarchyByParent ON PathHierarchy (PPathId, Name, PathId);
CREATE TABLE PathVisibility (
    JobId INTEGER NOT NULL REFERENCES Job (JobId) ON DELETE CASCADE,
    PathId INTEGER NOT NULL,
    PRIMARY KEY (JobId, PathId)
) WITHOUT ROWID;
-- Whether that is known of a job.
ALTER TABLE Job ADD COLUMN HasCache INTEGER NOT NULL DEFAULT 0;
