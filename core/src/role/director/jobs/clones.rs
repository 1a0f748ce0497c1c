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
