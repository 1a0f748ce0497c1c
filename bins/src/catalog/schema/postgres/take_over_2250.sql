-- Copies a catalog of Bareos, schema version 2250, into the tables here; it stays as it is. `theirs` stands for its schema,
-- and the session's time zone is that of its director: its times are local ones without a zone. What it has of names is
-- whatever bytes the clients sent, which are kept; other text that is no UTF-8 loses what is beyond ASCII.
CREATE FUNCTION pg_temp.Words(Given TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
BEGIN
    PERFORM convert_from(convert_to(Given, getdatabaseencoding()), 'UTF8');
    RETURN COALESCE(Given, '');
EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    RETURN regexp_replace(encode(convert_to(Given, getdatabaseencoding()), 'escape'), '\\[0-7]{3}', '?', 'g');
END $$;
CREATE FUNCTION pg_temp.Bytes(Given TEXT) RETURNS BYTEA LANGUAGE sql AS
    $$ SELECT convert_to(Given, getdatabaseencoding()) $$;
CREATE FUNCTION pg_temp.Seconds(Given TIMESTAMP) RETURNS BIGINT LANGUAGE sql AS
    $$ SELECT COALESCE(GREATEST(extract(epoch FROM Given AT TIME ZONE current_setting('TimeZone'))::BIGINT, 0), 0) $$;

INSERT INTO Client (ClientId, Name, UName, AutoPrune, FileRetention, JobRetention)
    SELECT ClientId, pg_temp.Words(Name), pg_temp.Words(UName), COALESCE(AutoPrune, 0), COALESCE(FileRetention, 0),
        COALESCE(JobRetention, 0) FROM theirs.Client;
INSERT INTO FileSet (FileSetId, FileSet, FileSetText, MD5, CreateTime)
    SELECT FileSetId, pg_temp.Words(Fileset), pg_temp.Words(FileSetText), pg_temp.Words(Md5), pg_temp.Seconds(CreateTime)
    FROM theirs.Fileset;
INSERT INTO Pool (PoolId, Name, MaxVols, UseCatalog, VolRetention, VolUseDuration, MaxVolJobs, MaxVolFiles, MaxVolBytes,
        AutoPrune, Recycle, ActionOnPurge, PoolType, LabelType, LabelFormat, MinBlockSize, MaxBlockSize, ScratchPoolId,
        RecyclePoolId, NextPoolId)
    SELECT PoolId, pg_temp.Words(Name), COALESCE(MaxVols, 0), COALESCE(UseCatalog, 1), COALESCE(VolRetention, 0),
        COALESCE(VolUseDuration, 0), COALESCE(MaxVolJobs, 0), COALESCE(MaxVolFiles, 0), COALESCE(MaxVolBytes, 0),
        COALESCE(AutoPrune, 0), COALESCE(Recycle, 0), COALESCE(ActionOnPurge, 0), COALESCE(PoolType, 'Backup'),
        COALESCE(LabelType, 0), pg_temp.Words(LabelFormat), COALESCE(MinBlockSize, 0), COALESCE(MaxBlockSize, 0),
        COALESCE(ScratchPoolId, 0), COALESCE(RecyclePoolId, 0), COALESCE(NextPoolId, 0) FROM theirs.Pool;
INSERT INTO Counters (Counter, MinValue, MaxValue, CurrentValue, WrapCounter)
    SELECT pg_temp.Words(Counter), COALESCE(MinValue, 0), COALESCE(MaxValue, 2147483647), COALESCE(CurrentValue, 0),
        COALESCE(pg_temp.Words(WrapCounter), '') FROM theirs.Counters;
INSERT INTO Storage (StorageId, Name, AutoChanger)
    SELECT StorageId, pg_temp.Words(Name), COALESCE(AutoChanger, 0) FROM theirs.Storage;
-- What is in no pool any more cannot be used by any job: it gets one that nobody names.
INSERT INTO Pool (PoolId, Name, PoolType)
    SELECT DISTINCT PoolId, '(gone ' || PoolId || ')', 'Archive' FROM theirs.Media
    WHERE PoolId NOT IN (SELECT PoolId FROM theirs.Pool);
INSERT INTO Media (MediaId, VolumeName, Slot, PoolId, MediaType, LabelType, FirstWritten, LastWritten, LabelDate,
        InitialWrite, VolJobs, VolFiles, VolBlocks, VolMounts, VolBytes, VolErrors, VolWrites, VolCapacityBytes, VolStatus,
        Enabled, Recycle, ActionOnPurge, VolRetention, VolUseDuration, MaxVolJobs, MaxVolFiles, MaxVolBytes, InChanger,
        StorageId, VolReadTime, VolWriteTime, EndFile, EndBlock, RecycleCount, MinBlockSize, MaxBlockSize, ScratchPoolId,
        RecyclePoolId, Comment)
    SELECT MediaId, pg_temp.Words(VolumeName), COALESCE(Slot, 0), PoolId, pg_temp.Words(MediaType), COALESCE(LabelType, 0),
        pg_temp.Seconds(FirstWritten), pg_temp.Seconds(LastWritten), pg_temp.Seconds(LabelDate),
        pg_temp.Seconds(InitialWrite), COALESCE(VolJobs, 0), COALESCE(VolFiles, 0), COALESCE(VolBlocks, 0),
        COALESCE(VolMounts, 0), COALESCE(VolBytes, 0), COALESCE(VolErrors, 0), COALESCE(VolWrites, 0),
        COALESCE(VolCapacityBytes, 0), VolStatus, COALESCE(Enabled, 1), COALESCE(Recycle, 0), COALESCE(ActionOnPurge, 0),
        COALESCE(VolRetention, 0), COALESCE(VolUseDuration, 0), COALESCE(MaxVolJobs, 0), COALESCE(MaxVolFiles, 0),
        COALESCE(MaxVolBytes, 0), COALESCE(InChanger, 0), COALESCE(StorageId, 0), COALESCE(VolReadTime, 0),
        COALESCE(VolWriteTime, 0), COALESCE(EndFile, 0), COALESCE(EndBlock, 0), COALESCE(RecycleCount, 0),
        COALESCE(MinBlockSize, 0), COALESCE(MaxBlockSize, 0), COALESCE(ScratchPoolId, 0), COALESCE(RecyclePoolId, 0),
        pg_temp.Words(Comment) FROM theirs.Media;
-- What runs, or waits to, will not end any more.
INSERT INTO Job (JobId, Job, Name, Type, Level, ClientId, JobStatus, SchedTime, StartTime, EndTime, RealEndTime, JobTDate,
        VolSessionId, VolSessionTime, JobFiles, JobBytes, ReadBytes, JobErrors, PoolId, FileSetId, PriorJobId, PurgedFiles,
        Comment)
    SELECT JobId, pg_temp.Words(Job), pg_temp.Words(Name), Type, Level, COALESCE(ClientId, 0),
        CASE WHEN JobStatus IN ('T', 'W', 'A', 'E', 'f', 'e', 'D', 'I') THEN JobStatus ELSE 'f' END,
        pg_temp.Seconds(SchedTime), pg_temp.Seconds(StartTime), pg_temp.Seconds(EndTime),
        GREATEST(pg_temp.Seconds(RealEndTime), pg_temp.Seconds(EndTime)), COALESCE(JobTDate, 0),
        COALESCE(VolSessionId, 0), COALESCE(VolSessionTime, 0), COALESCE(JobFiles, 0), COALESCE(JobBytes, 0),
        COALESCE(ReadBytes, 0), COALESCE(JobErrors, 0), COALESCE(PoolId, 0), COALESCE(FilesetId, 0),
        COALESCE(PriorJobId, 0), COALESCE(PurgedFiles, 0), pg_temp.Words(Comment) FROM theirs.Job;
-- What a copy or migration made stands where its original stood.
WITH RECURSIVE Up (JobId, Origin) AS (
    SELECT JobId, PriorJobId FROM Job WHERE Type IN ('B', 'C', 'M') AND PriorJobId > 0
    UNION
    SELECT Up.JobId, Job.PriorJobId FROM Up JOIN Job ON Job.JobId = Up.Origin
    WHERE Job.Type IN ('B', 'C', 'M') AND Job.PriorJobId > 0)
UPDATE Job SET OriginJobId = (SELECT MIN(Origin) FROM Up WHERE Up.JobId = Job.JobId)
WHERE JobId IN (SELECT JobId FROM Up);
INSERT INTO JobMedia (JobMediaId, JobId, MediaId, FirstIndex, LastIndex, StartFile, EndFile, StartBlock, EndBlock, VolIndex)
    SELECT JobMediaId, JobId, MediaId, FirstIndex, LastIndex, StartFile, EndFile, StartBlock, EndBlock, VolIndex
    FROM theirs.JobMedia WHERE JobId IN (SELECT JobId FROM Job) AND MediaId IN (SELECT MediaId FROM Media);
INSERT INTO Path (PathId, Path) SELECT PathId, pg_temp.Bytes(Path) FROM theirs.Path;
INSERT INTO File (JobId, PathId, Name, FileIndex, LinkFI, DeltaSeq, LStat, Md5)
    SELECT JobId, PathId, pg_temp.Bytes(Name), FileIndex,
        CASE split_part(LStat, ' ', 14) WHEN 'A' THEN 0 WHEN '' THEN 0
            ELSE theirs.bareos_frombase64(split_part(LStat, ' ', 14)) END,
        DeltaSeq, pg_temp.Bytes(LStat), pg_temp.Bytes(Md5)
    FROM theirs.File WHERE JobId IN (SELECT JobId FROM Job)
    ON CONFLICT DO NOTHING;
INSERT INTO Log (LogId, JobId, Time, LogText)
    SELECT LogId, JobId, pg_temp.Seconds(Time), pg_temp.Words(LogText) FROM theirs.Log;
SELECT setval(pg_get_serial_sequence('client', 'clientid'), (SELECT MAX(ClientId) FROM Client)),
    setval(pg_get_serial_sequence('fileset', 'filesetid'), (SELECT MAX(FileSetId) FROM FileSet)),
    setval(pg_get_serial_sequence('pool', 'poolid'), (SELECT MAX(PoolId) FROM Pool)),
    setval(pg_get_serial_sequence('storage', 'storageid'), (SELECT MAX(StorageId) FROM Storage)),
    setval(pg_get_serial_sequence('media', 'mediaid'), (SELECT MAX(MediaId) FROM Media)),
    setval(pg_get_serial_sequence('job', 'jobid'), (SELECT MAX(JobId) FROM Job)),
    setval(pg_get_serial_sequence('jobmedia', 'jobmediaid'), (SELECT MAX(JobMediaId) FROM JobMedia)),
    setval(pg_get_serial_sequence('path', 'pathid'), (SELECT MAX(PathId) FROM Path)),
    setval(pg_get_serial_sequence('log', 'logid'), (SELECT MAX(LogId) FROM Log));
