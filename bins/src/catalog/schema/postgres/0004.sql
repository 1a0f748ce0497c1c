-- What a browser is told: where each folder is, and in which folders a job has something, at any depth.
CREATE TABLE PathHierarchy (
    PathId BIGINT PRIMARY KEY,
    PPathId BIGINT NOT NULL,
    -- The beginning of its name in that folder, to put it in order.
    Name BYTEA NOT NULL
);
CREATE INDEX PathHierarchyByParent ON PathHierarchy (PPathId, Name, PathId);
CREATE TABLE PathVisibility (
    JobId BIGINT NOT NULL REFERENCES Job (JobId) ON DELETE CASCADE,
    PathId BIGINT NOT NULL,
    PRIMARY KEY (JobId, PathId)
);
-- Whether that is known of a job.
ALTER TABLE Job ADD COLUMN HasCache BIGINT NOT NULL DEFAULT 0;
