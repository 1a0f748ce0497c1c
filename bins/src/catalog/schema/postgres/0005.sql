-- Counters that names of volumes are made with, and the number that each of them uses next.
CREATE TABLE Counters (
    Counter TEXT COLLATE "C" PRIMARY KEY,
    MinValue BIGINT NOT NULL,
    MaxValue BIGINT NOT NULL,
    CurrentValue BIGINT NOT NULL,
    WrapCounter TEXT COLLATE "C" NOT NULL
);
