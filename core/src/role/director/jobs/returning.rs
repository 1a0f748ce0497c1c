//! Jobs that begin when their client comes back (`wire/1 §8.6`).

use crate::config::{self, JobKind};
use crate::error::Explain;
use crate::notice::Level;
use crate::role::director::common::Tools;

use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest, JobFilter};
use crate::role::director::Owner;

use super::Jobs;
use super::ordering::Order;

impl Jobs {
    /// A client has dialled in that was away: asks when each of its jobs that wait for this was last started. A
    /// connection that only replaces one that was taken is no return.
    pub(crate) fn client_returned(&self, tools: &mut Tools<'_>, client: &str) {
        let waits = |job: &&config::Job| {
            job.client == *client
                && tools.common.overrides.is_enabled(job)
                && job.kind == JobKind::Backup
                && !job.run_on_incoming_connect_interval.is_zero()
        };
        let names: Vec<String> = tools.common.config.jobs.iter().filter(waits).map(|job| job.name.clone()).collect();
        for name in names {
            // What is asked for already, or runs, is not started a second time.
            let asked = tools.net.works().any(|owner| matches!(owner, Owner::Returned(other) if *other == name));
            if asked || self.all.values().any(|job| job.name == name && job.with.client == *client) {
                continue;
            }
            let filter = JobFilter {
                limit: 1,
                name: Some(name.clone()),
                client: Some(client.to_owned()),
                ..JobFilter::default()
            };
            let config = &tools.common.config;
            let of_job = |job: &config::Job| config.catalog_of_job(job, &job.pool).into();
            let Some(catalog) = config.job(&name).map(of_job) else { continue };
            tools.ask(&catalog, CatalogRequest::ListJobs(filter), Owner::Returned(name));
        }
    }

    /// The catalog knows when a job was last started: orders it if that is long enough ago, or it never was.
    pub(crate) fn return_answered(
        &mut self,
        tools: &mut Tools<'_>,
        name: &str,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let rows = match answer {
            Ok(CatalogAnswer::Jobs(rows)) => rows,
            Ok(other) => {
                return tools.net.complain(
                    Level::Error,
                    911,
                    &format!("unexpected answer from the catalog: {other:?}"),
                );
            }
            Err(error) => {
                let text = format!("job {name} is not started for its client's return: {error}; {}", error.help());
                return tools.net.log_cause(Level::Error, (error.fault(), error.code()), &text);
            }
        };
        let Some(job) = tools.common.config.job(name) else { return };
        let last = rows.iter().map(|row| row.start_time.max(row.sched_time)).max();
        let interval = i64::try_from(job.run_on_incoming_connect_interval.0).unwrap_or(i64::MAX);
        // A start in the future is that of a clock that was ahead: when the job really ran, nobody knows.
        let now = tools.net.wall().seconds();
        let is_due = last.is_none_or(|last| last > now || now.saturating_sub(last) > interval);
        if !is_due || tools.common.stopping.has_begun() {
            return;
        }
        tools.net.log(Level::Info, &format!("job {name} is started: its client {} has dialled in", job.client));
        let Some(order) = Order::of_resource(job, None) else { return };
        self.order(tools, order);
    }
}
