-- Which jobs are copies of a job.
CREATE INDEX JobByPrior ON Job (PriorJobId);
