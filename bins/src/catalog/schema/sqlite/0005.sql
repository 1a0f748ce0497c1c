-- Counters that names of volumes are made with, and the number that each of them uses next.
CREATE TABLE Counters (
    Counter TEXT PRIMARY KEY,
    MinValue INTEGER NOT NULL,
    MaxValue INTEGER NOT NULL,
    CurrentValue INTEGER NOT NULL,
    WrapCounter TEXT NOT NULL
);
