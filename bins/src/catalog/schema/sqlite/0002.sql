-- Jobs are in the order of their numbers. What a copy or migration made stands where its original stood, and has its times.
ALTER TABLE Job ADD COLUMN OriginJobId INTEGER NOT NULL DEFAULT 0;
WITH RECURSIVE Up (JobId, Origin) AS (
    SELECT JobId, PriorJobId FROM Job WHERE Type IN ('B', 'C', 'M') AND PriorJobId > 0
    UNION
    SELECT Up.JobId, Job.PriorJobId FROM Up JOIN Job ON Job.JobId = Up.Origin
    WHERE Job.Type IN ('B', 'C', 'M') AND Job.PriorJobId > 0)
UPDATE Job SET OriginJobId = (SELECT MIN(Origin) FROM Up WHERE Up.JobId = Job.JobId)
WHERE JobId IN (SELECT JobId FROM Up);
UPDATE Job SET SchedTime = COALESCE((SELECT Original.SchedTime FROM Job Original WHERE Original.JobId = Job.OriginJobId), StartTime)
WHERE OriginJobId > 0;
