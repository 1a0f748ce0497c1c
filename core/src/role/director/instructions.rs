//! What consoles say, what they are answered, and what they have the director do.

use std::sync::Arc;

use crate::catalog::{CatalogAnswer, CatalogError, CatalogName};
use crate::error::Explain;
use crate::ids::{ConnId, HandleId};
use crate::notice::Level;
use crate::wire::file_answers;
use crate::work::Work;
use crate::work::script::ScriptWork;

use super::common::Tools;
use super::consoles::{self, Answer, Desk, Heard, Instruction, Refusal, Reply, View};
use super::effect::Effect;
use super::invitations::Invitation;
use super::jobs::lists::{Lists, Unread};
use super::jobs::ordering::Order;
use super::tokens::Owner;
use super::{Director, Net, jobs};

impl Director {
    /// A line from a console: a command, or the answer to a question.
    pub(super) fn console_says(&mut self, net: &mut Net, conn: ConnId, text: &[u8]) {
        let reply = match self.consoles.hear(net, conn, text) {
            Some(Heard::Line(line)) => consoles::serve(&View { director: self, net, conn, said: None }, &line),
            Some(Heard::Answer(question, line)) => {
                question.hear(&View { director: self, net, conn, said: None }, &line)
            }
            None => return,
        };
        self.console_replies(net, conn, reply);
    }

    /// The catalog has answered what a console has had asked.
    pub(super) fn console_answered(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let Some(then) = self.consoles.answered(conn) else { return };
        let reply = match answer {
            Ok(answer) => {
                let view = View { director: self, net, conn, said: None };
                then.go_on(&view, view.seen(answer))
            }
            Err(error) => Reply::refused(error),
        };
        self.console_replies(net, conn, reply);
    }

    /// The lists that a console asks about are read, or not.
    pub(super) fn console_has_lists(&mut self, net: &mut Net, conn: ConnId, lists: Result<Lists, Unread>) {
        let Some(then) = self.consoles.gathered(conn) else { return };
        let reply = then.go_on(&View { director: self, net, conn, said: None }, lists);
        self.console_replies(net, conn, reply);
    }

    /// A daemon has done what a console that has gone wanted of it: the catalog hears of it, and nothing else is done.
    pub(super) fn finish(&mut self, net: &mut Net, conn: ConnId, mut catalog: CatalogName, mut reply: Reply) {
        loop {
            reply = match reply {
                Reply::Begin(next)
                | Reply::Using(next)
                | Reply::Say(_, next)
                | Reply::Page(_, next)
                | Reply::Mark(_, next) => *next,
                Reply::In(now, next) => {
                    catalog = now;
                    *next
                }
                Reply::Ask(request, then) if !request.only_reads() => {
                    let owner = Owner::Left(conn, catalog.clone(), then);
                    return Tools { net, common: &mut self.common }.ask(&catalog, request, owner);
                }
                Reply::Answer(Answer::Failed(why)) => {
                    let text = format!("a console has left before the end of its command, which has failed: {why}");
                    return net.log_cause(Level::Warn, (why.fault(), why.code()), &text);
                }
                _ => return,
            }
        }
    }

    /// A console has gone: ends what only it waits for.
    pub(super) fn forget(&mut self, net: &mut Net, conn: ConnId, gathers: Option<HandleId>) {
        let tools = &mut Tools { net, common: &mut self.common };
        if let Some(handle) = gathers {
            tools.net.work(Work::Script(ScriptWork::Stop(handle)), Owner::Stopped);
        }
        self.errands.forget(tools, conn);
    }

    /// Carries out what a line of a console has come to, and goes on with one that came too early.
    pub(super) fn console_replies(&mut self, net: &mut Net, conn: ConnId, reply: Reply) {
        let desk = Desk { jobs: &self.jobs, lines: self.common.journal.total() };
        if let Some(instruction) = self.consoles.reply(net, conn, reply, desk) {
            self.instructed(net, conn, instruction);
        }
        if let Some(said) = self.consoles.ended_for_job(&mut self.common, conn) {
            self.jobs.command_ended(&mut Tools { net, common: &mut self.common }, said);
        }
        if let Some(line) = self.consoles.next_line(conn) {
            self.console_says(net, conn, line.as_bytes());
        }
    }

    /// Does what a console wants.
    pub(super) fn instructed(&mut self, net: &mut Net, conn: ConnId, instruction: Instruction) {
        let tools = &mut Tools { net, common: &mut self.common };
        match instruction {
            Instruction::Ask(catalog, request) => tools.ask(&catalog, request, Owner::Console(conn)),
            Instruction::Gather(wanted) => {
                let limit = jobs::command_limit(tools);
                let handle = wanted.read(tools.net, limit, |_| Owner::ConsoleLists(conn, wanted.clone()));
                self.consoles.gathers(conn, handle);
            }
            Instruction::Order(_) if tools.common.stopping.has_begun() => {
                tools.answer(conn, Answer::Failed(Refusal::Stopping))
            }
            Instruction::Order(order) => self.jobs.order(tools, Order { console: Some(conn), ..*order }),
            Instruction::Switch(what, name, on) => {
                let done = if on { "enabled" } else { "disabled" };
                tools.net.log(Level::Info, &format!("{} {name} is {done} by a console", what.name()));
                Arc::make_mut(&mut tools.common.overrides).switch(what, &name, on);
                self.schedules.plan(tools);
            }
            Instruction::Errand(errand) => tools.effect(Effect::Errand(errand)),
            Instruction::Cancel(id) => self.jobs.cancel_for(tools, id, conn),
            Instruction::Limit(limited, limit) => self.jobs.limit(tools, conn, limited, limit),
            Instruction::Move(client, address) => {
                tools.net.log(Level::Info, &format!("client {client} is at {address} now, as its console says"));
                Arc::make_mut(&mut tools.common.overrides).set_address(&client, address);
            }
            Instruction::Choose(name, files) => self.consoles.choose(conn, name, files),
            Instruction::LookUp(host) => tools.net.look_up(host.clone(), Owner::Name(conn, host)),
            Instruction::Debug(asked) => {
                let own = &tools.common.config.director;
                let (now, file) = self.debugging.set(tools.net, &own.name, own.working_directory.as_deref(), &asked);
                tools.answer(conn, Answer::said(file_answers::debug(&now, &file)));
            }
            Instruction::Configure(work) => self.reload.ask(tools, Some(conn), work),
            Instruction::Invite(invitation) => self.invite(net, *invitation),
            Instruction::Hand(name) => self.handed(net, conn, &name),
            Instruction::Messages => tools.common.journal.note_shown(),
            Instruction::Forget(gathers) => self.forget(net, conn, gathers),
        }
    }

    /// Keeps an invitation, so that a console of its name may come.
    fn invite(&mut self, net: &mut Net, invitation: Invitation) {
        let text = format!("client {} is invited by a console", invitation.client);
        if self.invitations.keep(invitation, net.wall().seconds()) {
            net.log(Level::Info, &text);
            net.set_keyring(Arc::new(self.keyring()));
        }
    }

    /// An invitation was handed out.
    fn handed(&mut self, net: &mut Net, conn: ConnId, name: &str) {
        let (now, from) = (net.wall().seconds(), net.ends(conn).map(|ends| ends.peer));
        if let Some(client) = self.invitations.used(name, now, from) {
            let from = from.map_or_else(String::new, |from| format!(" from {}", from.ip().to_canonical()));
            net.log(Level::Info, &format!("client {client} has joined{from}"));
        }
    }
}
