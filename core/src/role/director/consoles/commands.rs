//! The commands of a console.

use crate::ids::{ConnId, Who};
use crate::role::director::Net;
use crate::wire::file::FileCommand;
use crate::wire::frame::Signal;
use crate::wire::json::Json;
use crate::wire::status::{JobLevel, JobType};
use crate::wire::storage::StorageCommand;

use crate::config::{self, JobKind};

use super::super::estimate::Estimate;
use super::super::ordering::{self, Order, Resources};
use super::super::{Director, Owner};
use super::grammar::{self, whole_verb};
use super::output::Api;
use super::words::Words;
use super::{Answer, Asked, Doing, show, wait};
use crate::catalog::{CatalogAnswer, CatalogError, CatalogRequest, LastJobs};

impl Director {
    /// Serves one command line.
    pub(super) fn command(&mut self, net: &mut Net, conn: ConnId, line: &str) {
        let words = Words::parse(line);
        let word = words.word(0);
        let verb = whole_verb(&word).to_owned();
        if !self.may(conn, &verb) {
            if let Some(name) = self.consoles.get(&conn).and_then(|console| console.name.as_deref()) {
                self.refusals.console(net, conn, name, verb.as_bytes());
            }
            let text = format!("{verb}: is an invalid command or you have no access to it.\n");
            return self.console_answers(net, conn, Answer::unknown(text));
        }
        if verb.is_empty() {
            if self.api_of(conn) == Api::Text {
                return self.console_done(net, conn, "");
            }
            net.send_signal(conn, Signal::MainPrompt);
            return self.console_goes_on(net, conn);
        }
        if !grammar::is_verb(&verb) {
            let meant = grammar::meant_verb(&verb);
            let text = format!("{verb}: is an invalid command.{meant} Type help for the commands there are.\n");
            return self.console_answers(net, conn, Answer::unknown(text));
        }
        self.command_begins(net, conn);
        match grammar::check(&verb, &words) {
            Ok(()) => self.perform(net, conn, &verb, &words),
            Err(text) => self.console_fails(net, conn, &text),
        }
    }

    fn perform(&mut self, net: &mut Net, conn: ConnId, verb: &str, words: &Words) {
        match verb {
            ".api" => self.set_api(net, conn, words),
            "run" => self.run(net, conn, words),
            "restore" => self.restore(net, conn, words),
            "estimate" => self.estimate(net, conn, words),
            "status" => self.status(net, conn, words),
            "list" => self.list(net, conn, words),
            "messages" => self.messages(net, conn),
            "wait" => self.wait(net, conn, words),
            "cancel" => self.cancel(net, conn, words),
            "explain" => self.explain(net, conn, words),
            "setbandwidth" => self.set_bandwidth(net, conn, words),
            "setip" => self.set_address(net, conn),
            "version" => {
                let (name, full, date) = (&self.config.director.name, &self.identity.full, &self.identity.date);
                let text = format!("{name} Version: {full} ({date})\n");
                let version =
                    [("name", name.as_str().into()), ("version", full.as_str().into()), ("date", date.as_str().into())];
                let value = Json::object([("version", Json::object(version))]);
                self.console_answers(net, conn, Answer::value(text, value));
            }
            "help" => self.help(net, conn, words),
            "quit" | "exit" | ".quit" | ".exit" => {
                self.last_words(net, conn);
                self.console_leaves(net, conn);
            }
            // `grammar::FORMS` and this list belong together.
            _ => self.console_fails(net, conn, &format!("{verb}: is not served.\n")),
        }
    }

    /// Whether the console's command ACL allows a command; the default console may do everything.
    pub(super) fn may(&self, conn: ConnId, verb: &str) -> bool {
        let Some(name) = self.consoles.get(&conn).and_then(|console| console.name.as_deref()) else { return true };
        let free = ["", ".api", "quit", "exit", ".quit", ".exit", "help", "version"];
        let Some(access) = self.config.console(name) else { return false };
        let listed = |word: &str| access.command_acl.iter().any(|entry| entry.eq_ignore_ascii_case(word));
        free.contains(&verb) || (!listed(&format!("!{verb}")) && (listed(verb) || listed("*all*")))
    }

    /// Marks a console as waiting for the answer to a request.
    pub(super) fn console_asks(&mut self, net: &mut Net, conn: ConnId, asked: Asked, request: CatalogRequest) {
        if let Some(console) = self.consoles.get_mut(&conn) {
            console.doing = Doing::Asking(asked);
            net.ask(request, Owner::Console(conn));
        }
    }

    /// Shows the catalog's answer to a console.
    pub(in super::super) fn console_answered(
        &mut self,
        net: &mut Net,
        conn: ConnId,
        answer: Result<CatalogAnswer, CatalogError>,
    ) {
        let api = self.api_of(conn);
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        let Doing::Asking(asked) = std::mem::replace(&mut console.doing, Doing::Asking(Asked::Other)) else { return };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.console_fails(net, conn, &format!("{error}\n")),
        };
        match (asked, answer) {
            (Asked::Restore(restoring), answer) => self.restore_goes_on(net, conn, *restoring, answer),
            (Asked::Estimate(estimate), CatalogAnswer::LastJobs(last)) => {
                self.send_estimate(net, conn, &estimate, &last)
            }
            (Asked::Files(job_id), CatalogAnswer::FileList { files, next }) => {
                self.show_files(net, conn, job_id, &files, next);
            }
            (Asked::Jobs(listing), CatalogAnswer::Jobs(rows)) => self.show_jobs(net, conn, listing, rows),
            (Asked::Known(job_id, next), CatalogAnswer::Jobs(rows)) => {
                self.list_of_job(net, conn, job_id, *next, &rows)
            }
            (Asked::Ended(wanted), CatalogAnswer::Jobs(rows)) => self.show_end(net, conn, &wanted, &rows),
            (Asked::Volumes(Some(pool)), CatalogAnswer::Volumes(rows)) if rows.is_empty() && !self.has_pool(&pool) => {
                let known = self.config.pools.iter().map(|pool| pool.name.as_str());
                let text = format!("There is no pool \"{pool}\".{}\n", grammar::did_you_mean(&pool, known));
                self.console_fails(net, conn, &text);
            }
            (Asked::Volumes(_), CatalogAnswer::Volumes(rows)) => {
                self.console_answers(net, conn, show::volumes(&rows).answer(api));
            }
            (Asked::Clients, CatalogAnswer::Clients(rows)) => {
                self.console_answers(net, conn, show::clients(&rows).answer(api));
            }
            (Asked::Log, CatalogAnswer::Log(rows)) => {
                let text: String = rows.iter().map(|row| row.text.as_str()).collect();
                self.console_done(net, conn, &text);
            }
            (_, other) => self.console_fails(net, conn, &format!("unexpected answer of the catalog: {other:?}\n")),
        }
    }

    fn has_pool(&self, name: &str) -> bool {
        self.config.pools.iter().any(|pool| pool.name == name)
    }

    fn run(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let Some(job) = words.value(&["job"]).and_then(|name| self.config.job(name)) else {
            let names: Vec<&str> = self.config.jobs.iter().map(|job| job.name.as_str()).collect();
            let wanted = words.value(&["job"]).unwrap_or_default();
            let meant = grammar::did_you_mean(wanted, names.iter().copied());
            let text = format!("Name a job: run job=NAME.{meant} There are: {}\n", names.join(", "));
            return self.console_fails(net, conn, &text);
        };
        if !job.enabled {
            return self.console_fails(net, conn, &format!("Job \"{}\" is switched off by `enabled`.\n", job.name));
        }
        let Some(kind) = ordering::type_of(job.kind) else {
            return self.console_fails(net, conn, "Use restore to restore.\n");
        };
        if let Some(word) = idle_word(kind, words) {
            let text = format!("{word}= changes nothing for a job that copies, migrates or verifies: leave it out.\n");
            return self.console_fails(net, conn, &text);
        }
        let original = words.value(&["jobid"]).map(str::parse);
        if original.as_ref().is_some_and(|number| number.is_err() || kind == JobType::Backup) {
            let text = "jobid= wants the number of the job that a copy, migration or verify job shall take.\n";
            return self.console_fails(net, conn, text);
        }
        let (level, accurate) = match level_of(job, words) {
            Ok(_) if kind == JobType::Verify => (JobLevel::VerifyVolume, false),
            Ok(chosen) => chosen,
            Err(text) => return self.console_fails(net, conn, &text),
        };
        let pick = |key: &str, default: &str| words.value(&[key]).unwrap_or(default).to_owned();
        let with = Resources {
            client: pick("client", &job.client),
            fileset: pick("fileset", &job.fileset),
            storage: pick("storage", &job.storage),
            pool: pick("pool", &job.pool),
        };
        let original = original.and_then(Result::ok);
        let order = Order { accurate, original, console: Some(conn), ..Order::of(&job.name, kind, level, with) };
        if let Some(missing) = self.missing_resource(&order) {
            return self.console_fails(net, conn, &missing);
        }
        self.console_prints(net, conn, "Using Catalog \"default\"\n");
        if words.has("yes") {
            return self.place(net, conn, order);
        }
        let text = format!(
            "Run {} job\nJobName:  {}\nLevel:    {}\nClient:   {}\nFileSet:  {}\nPool:     {}\nStorage:  {}\n\
             OK to run? (yes/no): ",
            super::super::tables::of(kind).0,
            order.name,
            level_name(order.level),
            order.client,
            order.fileset,
            order.pool,
            order.storage
        );
        self.confirm(net, conn, order, &text);
    }

    fn estimate(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let job = words.value(&["job"]).and_then(|name| self.config.job(name));
        let Some(job) = job.filter(|job| job.kind == JobKind::Backup) else {
            let wanted = words.value(&["job"]).unwrap_or_default();
            let known = self.config.jobs.iter().filter(|job| job.kind == JobKind::Backup).map(|job| job.name.as_str());
            let meant = grammar::did_you_mean(wanted, known);
            let text = format!("Name a backup job: estimate job=NAME.{meant}\n");
            return self.console_fails(net, conn, &text);
        };
        let level = match level_of(job, words) {
            Ok((level, _)) => level,
            Err(text) => return self.console_fails(net, conn, &text),
        };
        let pick = |key: &str, default: &str| words.value(&[key]).unwrap_or(default).to_owned();
        let estimate = Estimate {
            job: job.name.clone(),
            client: pick("client", &job.client),
            fileset: pick("fileset", &job.fileset),
            level,
            listing: words.has("listing"),
        };
        for (kind, name, known) in [
            ("client", &estimate.client, self.config.client(&estimate.client).is_some()),
            ("fileset", &estimate.fileset, self.config.fileset(&estimate.fileset).is_some()),
        ] {
            if !known {
                return self.console_fails(net, conn, &self.no_such(kind, name));
            }
        }
        self.console_prints(net, conn, "Using Catalog \"default\"\n");
        match estimate.request(self, net.wall().seconds()) {
            Some(request) => self.console_asks(net, conn, Asked::Estimate(Box::new(estimate)), request),
            None => self.send_estimate(net, conn, &estimate, &LastJobs::default()),
        }
    }

    /// A sentence about the first resource of an order that does not exist.
    pub(super) fn missing_resource(&self, order: &Order) -> Option<String> {
        let checks = [
            ("client", &order.client, self.config.client(&order.client).is_some()),
            ("fileset", &order.fileset, order.restore.is_some() || self.config.fileset(&order.fileset).is_some()),
            ("storage", &order.storage, self.config.storage(&order.storage).is_some()),
            ("pool", &order.pool, self.config.pool(&order.pool).is_some()),
        ];
        let (kind, name, _) = checks.into_iter().find(|(.., known)| !known)?;
        Some(self.no_such(kind, name))
    }

    /// A sentence about a resource that does not exist, with the nearest that does.
    pub(super) fn no_such(&self, kind: &str, name: &str) -> String {
        let config = &self.config;
        let known: Vec<&str> = match kind {
            "client" | "file daemon" => config.clients.iter().map(|client| client.name.as_str()).collect(),
            "storage" | "storage daemon" => config.storages.iter().map(|storage| storage.name.as_str()).collect(),
            "fileset" => config.filesets.iter().map(|fileset| fileset.name.as_str()).collect(),
            "pool" => config.pools.iter().map(|pool| pool.name.as_str()).collect(),
            _ => config.jobs.iter().map(|job| job.name.as_str()).collect(),
        };
        format!("There is no {kind} \"{name}\".{}\n", grammar::did_you_mean(name, known))
    }

    /// Asks a person whether to go on.
    pub(super) fn confirm(&mut self, net: &mut Net, conn: ConnId, order: Order, text: &str) {
        match self.api_of(conn) {
            Api::Text => {
                self.console_prints(net, conn, text);
                net.send_signal(conn, Signal::SubPrompt);
            }
            Api::Framed => {
                net.send_signal(conn, Signal::YesNo);
                net.send_signal(conn, Signal::TextInput);
                self.console_prints(net, conn, text);
            }
            // Nobody is there to answer (`wire/1 §6.4`).
            Api::Json { .. } => {
                return self.console_fails(net, conn, "Say yes in the command: this asks before it runs.\n");
            }
        }
        if let Some(console) = self.consoles.get_mut(&conn) {
            console.doing = Doing::Confirming(Box::new(order));
        }
        self.console_goes_on(net, conn);
    }

    pub(super) fn confirmed(&mut self, net: &mut Net, conn: ConnId, order: Order, line: &str) {
        match line.to_lowercase().as_str() {
            "yes" | "y" => self.place(net, conn, order),
            "no" | "n" | "." | "" => self.console_done(net, conn, "Job not run.\n"),
            _ => self.confirm(net, conn, order, "Please answer yes or no: "),
        }
    }

    /// Orders the job; the console hears its number.
    pub(super) fn place(&mut self, net: &mut Net, conn: ConnId, order: Order) {
        if self.stopping {
            return self.console_fails(net, conn, "Job not run: the director is being stopped.\n");
        }
        if let Some(console) = self.consoles.get_mut(&conn) {
            console.doing = Doing::Asking(Asked::Other);
        }
        self.order_job(net, Order { console: Some(conn), ..order });
    }

    fn status(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let ask = |name: &str| -> (Who, String, String) {
            if words.has("client") {
                (Who::File, name.to_owned(), FileCommand::Status.to_line())
            } else {
                let devices = self.config.storage(name).map(|storage| storage.device.clone()).into_iter().collect();
                (Who::Storage, name.to_owned(), StorageCommand::Status { devices }.to_line())
            }
        };
        match words.value(&["client", "storage"]) {
            Some(name) => {
                let (who, name, command) = ask(name);
                let known = match who {
                    Who::File => self.config.client(&name).is_some(),
                    _ => self.config.storage(&name).is_some(),
                };
                if !known {
                    return self.console_fails(net, conn, &self.no_such(&who.to_string(), &name));
                }
                if let Some(console) = self.consoles.get_mut(&conn) {
                    console.doing = Doing::Asking(Asked::Other);
                }
                if let Err(why) = self.send_errand(net, who, &name, command, Some(conn)) {
                    self.console_fails(net, conn, &format!("{name} cannot be dialled: {why}.\n"));
                }
            }
            None if words.has("client") || words.has("storage") => {
                let text = "Name it: status client=NAME or status storage=NAME.\n";
                self.console_fails(net, conn, text);
            }
            None if words.has("network") => self.status_network(net, conn),
            None => {
                let days = match number_of::<u32>(words, "days") {
                    Ok(days) => days,
                    Err(text) => return self.console_fails(net, conn, &text),
                };
                let text = show::director(self, net.wall(), days);
                let value = show::director_value(self, net.wall(), days);
                self.console_answers(net, conn, Answer::value(text, value));
            }
        }
    }

    fn messages(&mut self, net: &mut Net, conn: ConnId) {
        let zone = &self.identity.zone;
        let Some(console) = self.consoles.get_mut(&conn) else { return };
        let lines: Vec<String> = self.journal.show(console.seen).map(|line| show::report_line(line, zone)).collect();
        (console.seen, console.notified) = (self.journal.total(), false);
        let text = if lines.is_empty() { "You have no messages.\n".to_owned() } else { lines.concat() };
        let lines = lines.iter().map(|line| line.trim_end().into()).collect();
        let value = Json::object([("messages", Json::List(lines))]);
        self.console_answers(net, conn, Answer::value(text, value));
    }

    fn help(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let wanted = words.word(1);
        let verb = whole_verb(&wanted);
        if !wanted.is_empty() && !grammar::is_verb(verb) {
            let text = format!("There is no command \"{wanted}\".{}\n", grammar::meant_verb(&wanted));
            return self.console_fails(net, conn, &text);
        }
        let forms = grammar::FORMS.iter().filter(|form| wanted.is_empty() || form.verb == verb);
        let lines = forms.flat_map(|form| form.help);
        let text: String = lines.map(|(usage, what)| format!("  {usage}\n      {what}\n")).collect();
        self.console_done(net, conn, &text);
    }

    fn cancel(&mut self, net: &mut Net, conn: ConnId, words: &Words) {
        let wanted = words.value(&["jobid", "job", "ujobid"]).unwrap_or_default().to_owned();
        let found = self.jobs.values().find(|job| job.unique == wanted || Ok(job.id) == wanted.parse());
        let Some(id) = found.map(|job| job.id) else {
            if let Some(kept) = self.unrecorded.find(&wanted) {
                let (id, status) = (kept.job.id, wait::word(kept.job.status));
                let text =
                    format!("JobId {id} has ended ({status}); only the record of its end waits for the catalog.\n");
                return self.console_done(net, conn, &text);
            }
            let text = match wanted.as_str() {
                "" => "Name a running job: cancel jobid=N.\n".to_owned(),
                _ => format!("There is no running job \"{wanted}\". Name one: cancel jobid=N.\n"),
            };
            return self.console_fails(net, conn, &text);
        };
        self.cancel_for(net, id, conn);
    }
}

/// The word of a `run` that has no bearing for a job of this kind.
fn idle_word(kind: JobType, words: &Words) -> Option<&'static str> {
    let idle: &[&str] = match kind {
        JobType::Copy | JobType::Migrate => &["level", "accurate", "client", "fileset", "storage"],
        JobType::Verify => &["accurate", "fileset", "storage", "pool"],
        _ => &[],
    };
    idle.iter().copied().find(|word| words.has(word))
}

/// The number after a word, if it stands there.
///
/// # Errors
/// The word's value is no number, or too large a one, in a sentence.
pub(super) fn number_of<N: std::str::FromStr>(words: &Words, word: &str) -> Result<Option<N>, String> {
    let Some(text) = words.value(&[word]) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{word}={text}: say a number.\n"))
}

/// The level of a job of this resource, and whether it is accurate, as its resource or the console says.
///
/// # Errors
/// What is wrong with the words, in a sentence.
pub(super) fn level_of(job: &config::Job, words: &Words) -> Result<(JobLevel, bool), String> {
    let level = match words.value(&["level"]).map(str::to_lowercase).as_deref() {
        None => order_level(job.level),
        Some("volumetocatalog") if job.kind == JobKind::Verify => JobLevel::VerifyVolume,
        Some(_) if job.kind == JobKind::Verify => {
            return Err("A verify job has the level VolumeToCatalog.\n".to_owned());
        }
        Some("full") => JobLevel::Full,
        Some("differential") => JobLevel::Differential,
        Some("incremental") => JobLevel::Incremental,
        Some(other) => return Err(format!("level={other}: say full, differential or incremental.\n")),
    };
    let accurate = match words.value(&["accurate"]).map(str::to_lowercase).as_deref() {
        None => job.accurate,
        Some("yes") => true,
        Some("no") => false,
        Some(other) => return Err(format!("accurate={other}: say yes or no.\n")),
    };
    Ok((level, accurate))
}

/// The level of a resource as it is ordered.
pub(in super::super) const fn order_level(level: config::Level) -> JobLevel {
    match level {
        config::Level::Full => JobLevel::Full,
        config::Level::Differential => JobLevel::Differential,
        config::Level::Incremental => JobLevel::Incremental,
    }
}

/// A level in a word.
pub(in super::super) const fn level_name(level: JobLevel) -> &'static str {
    match level {
        JobLevel::Full => "Full",
        JobLevel::Differential => "Differential",
        JobLevel::Incremental => "Incremental",
        JobLevel::VerifyVolume => "VolumeToCatalog",
        _ => "",
    }
}
