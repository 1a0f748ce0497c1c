//! A typed configuration as files in Bareos' syntax: the way back over the same tables.

mod schedule;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use towline_core::address::Endpoint;
use towline_core::config::{Bytes, Catalog, Passwords, Revealed, Seconds};
use towline_core::wire::names::{CATALOG, MESSAGES};

use super::Configured;
use super::directives::fileset::BLOCKS;
use super::directives::job::RUN_SCRIPT;
use super::read::Kind;
use super::table::{Act, Component, Resource};
use schedule::runs;
use text::{block, one, one_of, one_of_each, quoted, shown, taken};

/// The files of a configuration, and what Bareos has no directive for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The name of each file below the folder, and its text, with passwords.
    pub files: Vec<(String, String)>,
    /// Fields that are left out, each with its place.
    pub left_out: Vec<String>,
}

/// A configuration in Bareos' syntax.
///
/// # Errors
/// Only if it cannot be expressed as data, which is a bug.
pub fn to_conf<T: Configured + Passwords + Clone>(config: &T) -> Result<Written, serde_json::Error> {
    let value = serde_json::to_value(Revealed::of(config))?;
    let Value::Object(fields) = value else { return Ok(Written::default()) };
    let mut writer = Writer {
        component: T::COMPONENT,
        out: Written::default(),
        own_tls: None,
        names: BTreeSet::new(),
        catalog: CATALOG.to_owned(),
        messages: String::new(),
        told: String::new(),
    };
    writer.all(fields);
    Ok(writer.out)
}

struct Writer {
    component: &'static Component,
    out: Written,
    /// The TLS settings of the daemon itself, which peers without their own have too.
    own_tls: Option<Value>,
    /// The names of files so far.
    names: BTreeSet<String>,
    /// The name of the first catalog.
    catalog: String,
    /// The resource that messages go by where nothing else is said.
    messages: String,
    /// The director that messages of a file or storage daemon go to.
    told: String,
}

/// The lines of a block, deeper by one step.
type Lines = Vec<String>;
type Fields = Map<String, Value>;

impl Writer {
    /// Each field of a configuration is a resource, or a list of resources of one kind.
    fn all(&mut self, mut fields: Fields) {
        let is_tray = self.component.name == "tray-monitor";
        let own = ["director", "file", "storage", "monitor"].iter().find_map(|own| fields.get(*own));
        if self.component.name != "bconsole" {
            self.own_tls = own.and_then(|own| own.get("tls")).cloned();
        }
        let named = own.and_then(|own| own.get("messages")?.as_str()).map(str::to_owned);
        if is_tray {
            let password =
                fields.get("directors").and_then(|list| list.get(0)).and_then(|one| one.get("password")).cloned();
            if let (Some(Value::Object(monitor)), Some(password)) = (fields.get_mut("monitor"), password) {
                monitor.insert("password".to_owned(), password);
            }
        }
        let is_client_or_storage = matches!(self.component.name, "bareos-fd" | "bareos-sd");
        let first_director = fields.get("directors").filter(|_| is_client_or_storage).and_then(|list| list.get(0));
        let first_director = first_director.and_then(|one| one.get("name")?.as_str()).map(str::to_owned);
        let first = fields.get("messages").and_then(|list| list.get(0)?.get("name")?.as_str()).map(str::to_owned);
        let has_messages = first.is_some();
        self.messages = named.or(first).unwrap_or_else(|| MESSAGES.to_owned());
        self.told = first_director.clone().unwrap_or_default();
        for (field, value) in self.in_order(fields) {
            let kind = match (field.as_str(), self.component.name) {
                ("director", _) | ("directors", _) => "Director",
                ("file", _) | ("clients", _) => "Client",
                ("storage", _) | ("storages", _) => "Storage",
                ("devices", _) => "Device",
                ("autochangers", _) => "Autochanger",
                ("monitor", _) => "Monitor",
                ("jobs", _) => "Job",
                ("filesets", _) => "FileSet",
                ("pools", _) => "Pool",
                ("counters", _) => "Counter",
                ("schedules", _) => "Schedule",
                ("console" | "consoles", _) => "Console",
                ("profiles", _) => "Profile",
                ("catalog" | "catalogs", _) => "Catalog",
                ("messages", _) => "Messages",
                _ => {
                    self.out.left_out.push(field);
                    continue;
                }
            };
            match value {
                Value::Array(list) => {
                    for (index, one) in list.into_iter().enumerate() {
                        self.resource(kind, &format!("{field}[{index}]"), one, true);
                    }
                }
                one => self.resource(kind, &field, one, false),
            }
        }
        // The daemons of Bareos do not start without the resource.
        if let Some(director) = first_director.filter(|_| !has_messages) {
            let text = format!("Messages {{\n  Name = {MESSAGES}\n  Director = {} = all\n}}\n", quoted(&director));
            self.file("Messages", MESSAGES, &text);
        }
        if self.component.name == "bareos-dir" && !has_messages {
            let text = format!("Messages {{\n  Name = {MESSAGES}\n  Console = all\n  Catalog = all\n}}\n");
            self.file("Messages", MESSAGES, &text);
        }
    }

    /// The fields, further catalogs last: the first resource is the catalog of whatever names none.
    fn in_order(&mut self, mut fields: Fields) -> Vec<(String, Value)> {
        if fields.contains_key("catalogs") {
            fields.entry("catalog").or_insert_with(|| json!(Catalog::default()));
        }
        let catalog =
            fields.get("catalog").and_then(|catalog| catalog.as_object()?.values().next()?.get("name")?.as_str());
        self.catalog = catalog.unwrap_or(CATALOG).to_owned();
        let (catalogs, mut all): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(field, _)| field == "catalogs");
        all.extend(catalogs);
        all
    }

    fn resource(&mut self, kind: &'static str, at: &str, value: Value, is_peer: bool) {
        let (Value::Object(mut fields), Some(table)) = (value, self.component.resource(kind)) else { return };
        let of_catalog = || fields.values().next()?.get("name")?.as_str();
        let name = match kind {
            "Catalog" => of_catalog().unwrap_or(CATALOG),
            _ => fields.get("name").and_then(Value::as_str).unwrap_or("Standard"),
        };
        let name = name.to_owned();
        let mut lines = vec![format!("Name = {}", quoted(&name))];
        fields.remove("name");
        if is_peer && !fields.contains_key("tls") && self.component.with("TlsEnable").contains(&kind) {
            fields.extend(self.own_tls.clone().map(|tls| ("tls".to_owned(), tls)));
        }
        match kind {
            "Job" => {
                let messages = fields.remove("messages").and_then(|name| Some(name.as_str()?.to_owned()));
                lines.push(format!("Messages = {}", quoted(messages.as_ref().unwrap_or(&self.messages))));
                job(&mut fields, &mut lines);
                self.scripts(&mut fields, &mut lines, at);
            }
            "FileSet" => self.fileset(&mut fields, &mut lines, at),
            "Schedule" => runs(&mut fields, &mut lines),
            "Catalog" => self.catalog(&mut fields, &mut lines, at),
            "Messages" => self.destinations(&mut fields, &mut lines, at),
            "Monitor" => {
                special(&mut fields, &mut lines, &[("password", "Password"), ("timeout", "DirConnectTimeout")])
            }
            "Pool" => special(&mut fields, &mut lines, &[("label_format", "LabelFormat"), ("storage", "Storage")]),
            "Counter" if fields.remove("keep") == Some(Value::Bool(true)) => {
                let of = taken(&mut fields, "catalog").map_or_else(|| quoted(&self.catalog), |name| one(&name));
                lines.push(format!("Catalog = {of}"));
            }
            "Storage" if is_peer => special(&mut fields, &mut lines, &[("device", "Device")]),
            "Device" => {
                self.device(&mut fields, &mut lines, at);
                // Without a word the reader takes what Bareos takes.
                fields.entry("label_media").or_insert(Value::Bool(true));
                special(&mut fields, &mut lines, &[("maximum_volume_size", "VolumeCapacity")]);
            }
            "Director" if !is_peer && self.component.name == "bareos-dir" => {
                fields.entry("maximum_concurrent_jobs").or_insert(Value::from(20));
            }
            "Client" if !is_peer && self.component.name == "bareos-fd" && fields.contains_key("plugin_names") => {
                lines.push("PluginDirectory = /usr/lib/bareos/plugins".to_owned());
                special(&mut fields, &mut lines, &[("plugin_names", "PluginNames")]);
            }
            "Client" if self.component.name == "bareos-dir" => {
                // Bareos wants one of each, of a client that nobody dials too.
                fields.entry("address").or_insert_with(|| Value::from(name.as_str()));
            }
            "Director" if self.component.name == "bareos-fd" => {
                special(&mut fields, &mut lines, &[("allowed_job_commands", "AllowedJobCommand")]);
            }
            "Director" if self.component.name == "tray-monitor" => _ = fields.remove("password"),
            _ => {}
        }
        if !is_peer {
            self.listen(&mut fields, &mut lines, at);
            special(&mut fields, &mut lines, &[("messages", "Messages")]);
        }
        self.fields(table, fields, &mut lines, at);
        self.file(kind, &name, &block(table.name, &lines));
    }

    /// What the table of a resource has a directive for.
    fn fields(&mut self, table: &Resource, fields: Fields, lines: &mut Lines, at: &str) {
        for (field, value) in fields {
            if let ("tls", Value::Object(tls)) = (field.as_str(), &value) {
                if tls.is_empty() {
                    lines.push("TlsEnable = yes".to_owned());
                }
                // Without a word the reader takes what Bareos takes.
                if tls.contains_key("ca") && !tls.contains_key("verify_peer") {
                    lines.push("TlsVerifyPeer = yes".to_owned());
                }
                for (field, value) in tls {
                    // Without TLS nothing requires it, and with it a connection without is refused anyway.
                    if field != "require" {
                        let directive =
                            table.directives().find(|one| matches!(one.act, Act::Tls(known) if known == field));
                        self.directive(
                            directive.map(|one| (one.name, one.kind)),
                            value,
                            lines,
                            &format!("{at}.tls.{field}"),
                        );
                    }
                }
                continue;
            }
            let directive = table.directives().find(|one| matches!(one.act, Act::Field(known) if known == field));
            self.directive(directive.map(|one| (one.name, one.kind)), &value, lines, &format!("{at}.{field}"));
        }
    }

    fn directive(&mut self, directive: Option<(&str, Kind)>, value: &Value, lines: &mut Lines, at: &str) {
        match directive.and_then(|(name, kind)| Some((name, shown(kind, value)?))) {
            Some((name, values)) => lines.extend(values.iter().map(|value| format!("{name} = {value}"))),
            None => self.out.left_out.push(at.to_owned()),
        }
    }

    fn listen(&mut self, fields: &mut Fields, lines: &mut Lines, at: &str) {
        let Some(Value::Array(list)) = fields.remove("listen") else { return };
        if list.is_empty() {
            self.out.left_out.push(format!("{at}.listen"));
            return;
        }
        let entries = list.iter().filter_map(Value::as_str).filter_map(|text| {
            // Two ports apart tell whether it has one of its own.
            let (a, b) = (Endpoint::parse(text, 1)?, Endpoint::parse(text, 2)?);
            let port = if a.port == b.port { format!("; port = {}", a.port) } else { String::new() };
            let family = if text.matches(':').count() > 1 { "ipv6" } else { "ip" };
            Some(format!("{family} = {{ addr = {}{port} }}", a.address))
        });
        lines.push(block("Addresses =", &entries.collect::<Vec<_>>()).trim_end().to_owned());
    }

    /// The type of a device; the settings of a store in one line, without its keys.
    fn device(&mut self, fields: &mut Fields, lines: &mut Lines, at: &str) {
        if fields.remove("kind").is_none() {
            return lines.push("DeviceType = File".to_owned());
        }
        lines.push("DeviceType = Object".to_owned());
        let Some(Value::Object(settings)) = fields.remove("object") else { return };
        let mut options = Vec::new();
        for (name, value) in settings {
            let shown = match name.as_str() {
                "access_key" | "secret_key" => None,
                "part_size" => serde_json::from_value(value).ok().map(|Bytes(bytes)| bytes.to_string()),
                "retry_for" => serde_json::from_value(value).ok().map(|Seconds(seconds)| seconds.to_string()),
                _ => match value {
                    Value::Bool(is) => Some(if is { "yes" } else { "no" }.to_owned()),
                    Value::String(text) if !text.contains(',') => Some(text),
                    _ => None,
                },
            };
            match shown {
                Some(shown) => options.push(format!("{name}={shown}")),
                None => self.out.left_out.push(format!("{at}.object.{name}")),
            }
        }
        if !options.is_empty() {
            lines.push(format!("DeviceOptions = {}", quoted(&options.join(","))));
        }
    }

    fn fileset(&mut self, fields: &mut Fields, lines: &mut Lines, at: &str) {
        let table = |name: &str| BLOCKS.iter().find(|block| block.name == name);
        let (Some(include), Some(exclude), Some(options)) = (table("Include"), table("Exclude"), table("Options"))
        else {
            return;
        };
        if let Some(Value::Array(list)) = fields.remove("include") {
            for (index, one) in list.into_iter().enumerate() {
                let Value::Object(mut one) = one else { continue };
                let at = format!("{at}.include[{index}]");
                let mut inside = Vec::new();
                let blocks = one.remove("options").unwrap_or_else(|| Value::Array(vec![Value::Object(Fields::new())]));
                if let Value::Array(list) = blocks {
                    for each in list {
                        let Value::Object(mut each) = each else { continue };
                        let mut lines = Vec::new();
                        // Without a word of it hard links are kept here, and are not in Bareos.
                        each.entry("hardlinks").or_insert(Value::Bool(true));
                        if let Some(wild) = taken(&mut each, "wild_file") {
                            lines.extend(wild.iter().map(|text| format!("WildFile = {}", quoted(text))));
                        }
                        self.fields(options, each, &mut lines, &format!("{at}.options"));
                        inside.push(block("Options", &lines).trim_end().to_owned());
                    }
                }
                files(&mut one, &mut inside);
                self.fields(include, one, &mut inside, &at);
                lines.push(block("Include", &inside).trim_end().to_owned());
            }
        }
        if let Some(Value::Object(mut one)) = fields.remove("exclude") {
            let mut inside = Vec::new();
            files(&mut one, &mut inside);
            self.fields(exclude, one, &mut inside, &format!("{at}.exclude"));
            lines.push(block("Exclude", &inside).trim_end().to_owned());
        }
    }

    fn scripts(&mut self, fields: &mut Fields, lines: &mut Lines, at: &str) {
        let Some(Value::Array(list)) = fields.remove("run_scripts") else { return };
        for (index, one) in list.into_iter().enumerate() {
            let Value::Object(mut one) = one else { continue };
            let mut inside = Vec::new();
            let is_console = one.remove("console") == Some(Value::Bool(true));
            let directive = if is_console { "Console" } else { "Command" };
            special(&mut one, &mut inside, &[("command", directive), ("runs_on_client", "RunsOnClient")]);
            self.fields(&RUN_SCRIPT, one, &mut inside, &format!("{at}.run_scripts[{index}]"));
            lines.push(block(RUN_SCRIPT.name, &inside).trim_end().to_owned());
        }
    }

    /// A line for each place that messages go to; a command before those that it sends.
    fn destinations(&mut self, fields: &mut Fields, lines: &mut Lines, at: &str) {
        let Some(Value::Array(list)) = fields.remove("destinations") else { return };
        let mut commands = BTreeMap::new();
        for (index, one) in list.into_iter().enumerate() {
            let Value::Object(mut one) = one else { continue };
            let kind = taken(&mut one, "kind").unwrap_or_default().concat();
            let when = taken(&mut one, "when").unwrap_or_default().concat();
            let types = taken(&mut one, "types").map_or_else(|| "all".to_owned(), |types| types.join(", "));
            let mut to = one_of_each(taken(&mut one, "to").unwrap_or_default());
            let (directive, command) = match (kind.as_str(), when.as_str()) {
                ("mail", "on_error") => ("MailOnError", Some("MailCommand")),
                ("mail", "on_success") => ("MailOnSuccess", Some("MailCommand")),
                ("mail", _) => ("Mail", Some("MailCommand")),
                ("operator", _) => ("Operator", Some("OperatorCommand")),
                ("append", _) => ("Append", None),
                ("file", _) => ("File", None),
                ("syslog", _) => ("Syslog", None),
                ("console", _) => ("Console", None),
                ("catalog", _) => ("Catalog", None),
                ("stdout", _) => ("Stdout", None),
                ("stderr", _) => ("Stderr", None),
                ("director", _) => {
                    to = format!("{} = ", quoted(&self.told));
                    ("Director", None)
                }
                _ => {
                    self.out.left_out.push(format!("{at}.destinations[{index}]"));
                    continue;
                }
            };
            if let Some(name) = command {
                let line = taken(&mut one, "command").unwrap_or_default().concat();
                let is_new = commands.get(name) != Some(&line);
                if is_new && (commands.contains_key(name) || !line.is_empty()) {
                    lines.push(format!("{name} = {}", quoted(&line)));
                    commands.insert(name, line);
                }
            }
            lines.push(format!("{directive} = {to}{types}"));
        }
    }

    fn catalog(&mut self, fields: &mut Fields, lines: &mut Lines, at: &str) {
        let mut names: &[(&str, &str)] = &[("password", "DbPassword"), ("port", "DbPort")];
        let mut inside = match (fields.remove("sqlite"), fields.remove("postgres")) {
            (Some(Value::Object(inside)), _) => {
                lines.push("DbDriver = sqlite".to_owned());
                lines.push("DbUser = none".to_owned());
                names = &[("path", "DbName")];
                inside
            }
            (_, Some(Value::Object(mut inside))) => {
                for (field, directive) in [("database", "DbName"), ("user", "DbUser")] {
                    let name = taken(&mut inside, field).map_or_else(|| "towline".to_owned(), |text| one(&text));
                    lines.push(format!("{directive} = {name}"));
                }
                let host = taken(&mut inside, "host").unwrap_or_else(|| vec!["/run/postgresql".to_owned()]);
                let directive = if host.iter().any(|host| host.starts_with('/')) { "DbSocket" } else { "DbAddress" };
                lines.push(format!("{directive} = {}", one(&host)));
                inside
            }
            _ => return,
        };
        inside.remove("name");
        special(&mut inside, lines, names);
        special(&mut inside, lines, &[("description", "Description")]);
        self.out.left_out.extend(inside.keys().map(|field| format!("{at}.{field}")));
    }

    /// A file of a tree, or a part of the one file of a console.
    fn file(&mut self, kind: &str, name: &str, text: &str) {
        if self.component.name == "bconsole" {
            match self.out.files.first_mut() {
                Some((_, all)) => *all += text,
                None => self.out.files.push((self.component.file.to_owned(), text.to_owned())),
            }
            return;
        }
        // Which catalog comes first must not depend on the names of files.
        let of_catalogs = format!("{}/catalog/", self.component.tree);
        let mut files = self.out.files.iter_mut();
        if kind == "Catalog"
            && let Some((_, all)) = files.find(|(path, _)| path.starts_with(&of_catalogs))
        {
            *all += text;
            return;
        }
        let safe: String = name.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect();
        let safe = safe.trim_start_matches('.');
        let path = |number: usize| {
            let number = if number == 0 { String::new() } else { format!("-{number}") };
            format!("{}/{}/{safe}{number}.conf", self.component.tree, kind.to_lowercase())
        };
        let mut number = 0;
        while !self.names.insert(path(number)) {
            number += 1;
        }
        self.out.files.push((path(number), text.to_owned()));
    }
}

/// Fields that code of their own makes of a directive of this name.
fn special(fields: &mut Fields, lines: &mut Lines, names: &[(&str, &str)]) {
    for (field, directive) in names {
        let Some(value) = fields.remove(*field) else { continue };
        let is_text = !matches!(value, Value::Number(_));
        if let (true, Ok(Bytes(size))) = (*directive == "VolumeCapacity", serde_json::from_value(value.clone())) {
            lines.push(format!("{directive} = {size}"));
        } else if let (true, Ok(Seconds(seconds))) =
            (*directive == "DirConnectTimeout", serde_json::from_value(value.clone()))
        {
            lines.push(format!("{directive} = {seconds} seconds"));
        } else if let Some(texts) = one_of(&value) {
            let shown = texts.iter().map(|text| if is_text { quoted(text) } else { text.clone() });
            lines.extend(shown.map(|text| format!("{directive} = {text}")));
        }
    }
}

fn job(fields: &mut Fields, lines: &mut Lines) {
    let kind = taken(fields, "kind").unwrap_or_else(|| vec!["backup".to_owned()]).concat();
    let level = taken(fields, "level").map(|level| level.concat());
    lines.push(format!("Type = {kind}"));
    if kind == "backup" {
        let level = level.unwrap_or_else(|| "incremental".to_owned());
        lines.push(format!("Level = {}", level.replace('_', "")));
    }
    if kind == "verify" {
        let level = taken(fields, "verify_level").map_or_else(|| "volumetocatalog".to_owned(), |level| level.concat());
        lines.push(format!("Level = {}", level.replace('_', "")));
    }
    let names = [
        ("client", "Client"),
        ("fileset", "FileSet"),
        ("storage", "Storage"),
        ("pool", "Pool"),
        ("schedule", "Schedule"),
        ("verify_job", "JobToVerify"),
        ("enabled", "Enabled"),
    ];
    special(fields, lines, &names);
    let is_copy = matches!(kind.as_str(), "copy" | "migrate");
    if is_copy {
        fields.entry("max_concurrent_copies").or_insert(Value::from(0));
    }
    let by_name = [("select_jobs", "Job"), ("select_clients", "Client")];
    let selection = taken(fields, "selection").map(|by| by.concat().replace('_', ""));
    lines.extend(selection.iter().map(|by| format!("SelectionType = {by}")));
    let mut chosen = selection.is_some();
    for (field, by) in by_name {
        if let Some(pattern) = fields.get(field).and_then(Value::as_str).filter(|_| !chosen) {
            let regex = format!("^{}$", pattern.replace('.', "\\.").replace('*', ".*"));
            lines.push(format!("SelectionType = {by}"));
            lines.push(format!("SelectionPattern = {}", quoted(&regex)));
            fields.remove(field);
            chosen = true;
        }
    }
    if !chosen && is_copy {
        lines.push("SelectionType = PoolUncopiedJobs".to_owned());
    }
}

/// A list or a command of the client has a backslash in front; those of the director have none.
fn files(fields: &mut Fields, lines: &mut Lines) {
    for file in taken(fields, "files").into_iter().flatten() {
        let on_client = if file.starts_with(['<', '|']) { "\\" } else { "" };
        lines.push(format!("File = {}", quoted(&format!("{on_client}{file}"))));
    }
    let lists = taken(fields, "director_lists").into_iter().flatten();
    lines.extend(lists.map(|list| format!("File = {}", quoted(&list))));
}
