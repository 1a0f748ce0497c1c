//! `run` of a backup: other jobs that it has start beside itself, once its level is known. These start no others.

use crate::error::Explain;
use crate::ids::JobId;
use crate::role::director::common::Tools;
use crate::role::director::consoles::order_of;
use crate::wire::command;
use crate::wire::message::MessageKind;

use super::Jobs;
use super::scripts::meaning;

impl Jobs {
    /// Orders the jobs that a backup has start.
    pub(super) fn start_others(&mut self, tools: &mut Tools<'_>, id: JobId) {
        let Some(job) = self.all.get_mut(&id).filter(|job| !job.terms.is_clone) else { return };
        let texts = job.config.job(&job.name).map(|resource| resource.run.clone()).unwrap_or_default();
        let texts: Vec<String> = texts.iter().map(|text| command::expand(text, |code| meaning(job, code))).collect();
        for text in texts {
            let text = without_since(&text);
            let order = order_of(&tools.common.config, &tools.common.overrides, &text);
            let (kind, line) = match &order {
                Ok(_) => (MessageKind::Info, format!("Starts another job: {text}")),
                Err(why) => (MessageKind::Error, format!("another job was not started, {text:?}: {}", why.line())),
            };
            if let Some(job) = self.all.get_mut(&id) {
                job.say(tools, kind, &line);
            }
            if let Ok(mut order) = order {
                order.terms.is_clone = true;
                self.order(tools, order);
            }
        }
    }
}

/// A line without `since=…`: each job finds out by itself since when it saves, and the check has said so.
fn without_since(text: &str) -> String {
    let Some((before, after)) = text.split_once(" since=") else { return text.to_owned() };
    let rest = match after.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map_or("", |(_, rest)| rest),
        None => after.find(' ').map_or("", |end| &after[end..]),
    };
    format!("{before}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_which_a_job_saves_is_left_out_and_nothing_else() {
        for (text, rest) in [
            ("backup level=Full", "backup level=Full"),
            ("backup since=\"2026-01-01 00:00:00\" level=Full", "backup level=Full"),
            ("backup level=Full since=2026-01-01", "backup level=Full"),
            ("backup since=x storage=disk", "backup storage=disk"),
            ("backup since=\"open", "backup"),
        ] {
            assert_eq!(without_since(text), rest);
        }
    }
}
