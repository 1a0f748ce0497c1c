//! `status subscriptions`: which clients have backups, by which plugins, and how much the newest full ones of them hold. Units
//! are counted as a real director counts them; nobody has to buy any.

use std::collections::BTreeMap;

use crate::catalog::{CatalogAnswer, CatalogRequest, Holding, Listed, Listing};
use crate::config::DirectorConfig;
use crate::wire::json::Json;

use super::super::super::access::Access;
use super::super::super::answer::{Cell, Column, Shown, Table};
use super::super::super::refusal::Refusal;
use super::super::super::reply::{Reply, View};
use super::super::super::words::Words;

/// What is said of files that no plugin saves.
const NO_PLUGIN: &str = "none (file data)";
/// What the last row of a table is called.
const TOTAL: &str = "TOTAL";

/// What there is of something.
#[derive(Clone, Debug, Default)]
struct Unit {
    /// The client, or the fileset of one.
    name: String,
    plugin: String,
    count: usize,
    bytes: u64,
}

/// Which tables are shown.
#[derive(Clone, Copy, Debug)]
struct Parts {
    details: bool,
    clients: bool,
    plugins: bool,
}

#[derive(Debug)]
struct Report {
    version: String,
    system: String,
    time: String,
    /// How many units the configuration says there are.
    configured: u32,
    parts: Parts,
    units: Vec<Unit>,
}

/// All filesets of one client.
#[derive(Debug)]
struct OfClient {
    client: String,
    units: Vec<Unit>,
}

pub(super) fn run(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    // As in a real director: it counts what all have.
    if !view.access().is_some_and(Access::is_open) {
        return Err(Refusal::NotForSome);
    }
    let mut remarks = String::new();
    if words.has("unknown") {
        remarks += "Parameter 'unknown' ignored. There is no unknown data anymore.\n";
    } else if words.has("detail") {
        remarks += "Parameter 'detail' ignored. This is now the default.\n";
    }
    let (has_all, anonymous) = (words.has("all"), words.has("anonymize"));
    let parts = Parts {
        details: has_all || !words.has("clients") && !words.has("plugins"),
        clients: has_all || words.has("clients"),
        plugins: has_all || words.has("plugins"),
    };
    let client = words.value(&["client"]).map(str::to_owned);
    if client.is_some() && (has_all || anonymous || words.has("clients") || words.has("plugins")) {
        remarks += "Parameter 'client=' provided. Ignoring other parameters.\n";
    }
    let reply = Reply::ask(CatalogRequest::List(Listing::Holdings), move |view, answer| match answer {
        CatalogAnswer::Listed(Listed::Holdings(holdings)) => Ok(match client {
            Some(client) => Reply::found(OfClient::of(view, client, holdings)),
            None => Reply::found(Report::of(view, &holdings, parts, anonymous)),
        }),
        other => Err(Refusal::unexpected(other)),
    });
    Ok(reply.after(remarks))
}

/// The plugin that a fileset uses.
fn plugin(config: &DirectorConfig, file_set: &str) -> Option<String> {
    let lines = config.fileset(file_set)?.include.iter().flat_map(|include| &include.plugins);
    lines.map(|line| line.split(':').next().unwrap_or_default().to_lowercase()).next()
}

impl OfClient {
    fn of(view: &View<'_>, client: String, holdings: Vec<Holding>) -> Self {
        let unit = |holding: Holding| {
            let plugin = plugin(view.config(), &holding.file_set).unwrap_or_else(|| NO_PLUGIN.to_owned());
            Unit { name: holding.file_set, plugin, count: 1, bytes: holding.bytes }
        };
        let mut units: Vec<Unit> = holdings.into_iter().filter(|one| one.client == client).map(unit).collect();
        units.sort_by(|one, other| one.name.cmp(&other.name));
        Self { client, units }
    }

    fn table(&self) -> Table {
        const COLUMNS: &[Column<Unit>] = &[
            Column("fileset", |unit| Cell::text_of(&unit.name)),
            Column("plugin", |unit| Cell::text_of(&unit.plugin)),
            Column("size_gb", size),
        ];
        Table::of("unit-detail", COLUMNS, &self.units)
    }
}

impl Shown for OfClient {
    fn text(&self) -> String {
        format!(
            "\nDetailed backup unit report for client '{}':\n{}\
             All plugin jobs and the first non-plugin job are counted.\n",
            self.client,
            self.table().text()
        )
    }

    fn json(&self) -> Option<Json> {
        Some(Json::object([("unit-detail", self.table().rows())]))
    }
}

impl Report {
    fn of(view: &View<'_>, holdings: &[Holding], parts: Parts, anonymous: bool) -> Self {
        let identity = &view.director.common.identity;
        let ids = &view.ids().clients;
        let mut units: BTreeMap<(&str, String), Unit> = BTreeMap::new();
        for holding in holdings {
            let plugin = plugin(view.config(), &holding.file_set);
            let is_plain = plugin.is_none();
            let plugin = plugin.unwrap_or_else(|| NO_PLUGIN.to_owned());
            let unit = units.entry((&holding.client, plugin.clone())).or_default();
            unit.name.clone_from(&holding.client);
            unit.plugin = plugin;
            unit.bytes += holding.bytes;
            // All filesets without a plugin are one.
            unit.count = if is_plain { 1 } else { unit.count + 1 };
        }
        let mut units: Vec<Unit> = units.into_values().collect();
        if anonymous {
            for unit in &mut units {
                let id = ids.get(&unit.name).copied().unwrap_or_default();
                unit.name = format!("Client {id}");
            }
        }
        Self {
            version: identity.full.clone(),
            system: identity.system.clone(),
            time: view.zone().local(view.now()).to_string(),
            configured: view.config().director.subscriptions,
            parts,
            units,
        }
    }

    /// All, in one row.
    fn total(&self) -> Unit {
        let (bytes, count) =
            self.units.iter().fold((0, 0), |(bytes, count), unit| (bytes + unit.bytes, count + unit.count));
        Unit { name: TOTAL.to_owned(), plugin: String::new(), count, bytes }
    }

    fn details(&self) -> Table {
        const COLUMNS: &[Column<Unit>] = &[
            Column("client", |unit| Cell::text_of(&unit.name)),
            Column("plugin", |unit| Cell::text_of(&unit.plugin)),
            Column("count", |unit| Cell::count(unit.count as u64)),
            Column("size_gb", size),
        ];
        Table::of("unit-detail", COLUMNS, self.units.iter().chain([&self.total()]))
    }

    fn clients(&self) -> Table {
        const COLUMNS: &[Column<Unit>] = &[
            Column("client", |unit| Cell::text_of(&unit.name)),
            Column("count", |unit| Cell::count(unit.count as u64)),
            Column("size_gb", size),
        ];
        let mut rows = self.by(|unit| unit.name.clone(), |unit, name| unit.name = name);
        rows.push(self.total());
        Table::of("unit-clients", COLUMNS, &rows)
    }

    fn plugins(&self) -> Table {
        const COLUMNS: &[Column<Unit>] = &[
            Column("plugin", |unit| Cell::text_of(&unit.plugin)),
            Column("count", |unit| Cell::count(unit.count as u64)),
            Column("size_gb", size),
        ];
        let mut rows = self.by(|unit| unit.plugin.clone(), |unit, plugin| unit.plugin = plugin);
        rows.push(Unit { plugin: TOTAL.to_owned(), ..self.total() });
        Table::of("unit-plugins", COLUMNS, &rows)
    }

    /// The units together that have the same key.
    fn by(&self, key: fn(&Unit) -> String, name: fn(&mut Unit, String)) -> Vec<Unit> {
        let mut sums: BTreeMap<String, Unit> = BTreeMap::new();
        for unit in &self.units {
            let sum = sums.entry(key(unit)).or_default();
            sum.count += unit.count;
            sum.bytes += unit.bytes;
        }
        sums.into_iter()
            .map(|(key, mut unit)| {
                name(&mut unit, key);
                unit
            })
            .collect()
    }

    /// Units are counted by clients and plugins, or by terabytes if those are more.
    fn summary(&self) -> [(&'static str, String); 4] {
        let total = self.total();
        let (by_count, by_size) = (total.count as u64, total.bytes.div_ceil(1_000_000_000_000));
        let mode = match by_size >= by_count {
            true => format!("volume-based ({by_size} volume-based units >= {by_count} count-based units)"),
            false => format!("count-based ({by_size} volume-based < {by_count} count-based)"),
        };
        let used = by_count.max(by_size);
        let remaining = i64::from(self.configured) - i64::try_from(used).unwrap_or(i64::MAX);
        [
            ("accounting_mode", mode),
            ("used", used.to_string()),
            ("configured", self.configured.to_string()),
            ("remaining", remaining.to_string()),
        ]
    }
}

fn size(unit: &Unit) -> Cell {
    Cell::Decimal(format!("{:.2}", unit.bytes as f64 / 1e9))
}

impl Shown for Report {
    fn text(&self) -> String {
        let Self { version, system, time, parts, .. } = self;
        let mut text = String::new();
        if parts.details {
            text += &format!(
                "Towline version: {version} ({system})\nBinary info: Towline\nReport time: {time}\n\nDetailed backup unit \
                 report:\n{}",
                self.details().text()
            );
        }
        if parts.clients {
            text += &format!(
                "\nBackup unit report aggregated by client:\n{}For a detailed per-client report run 'status subscriptions \
                 client=<client-name>'\n",
                self.clients().text()
            );
        }
        if parts.plugins {
            text += &format!("\nBackup unit report aggregated by plugin:\n{}", self.plugins().text());
        }
        text += "\nBackup unit summary:\n";
        for (label, value) in self.summary() {
            text += &format!("{label:>16}: {value}\n");
        }
        text
    }

    /// The checksum stands for nothing: nothing is signed.
    fn json(&self) -> Option<Json> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut add = |key: &str, value: Json| members.push((key.to_owned(), value));
        if self.parts.details {
            add("version", self.version.as_str().into());
            add("os", self.system.as_str().into());
            add("binary-info", "Towline".into());
            add("report-time", self.time.as_str().into());
            add("unit-detail", self.details().rows());
        }
        if self.parts.clients {
            add("unit-clients", self.clients().rows());
        }
        if self.parts.plugins {
            add("unit-plugins", self.plugins().rows());
        }
        let summary = self.summary().into_iter().map(|(label, value)| (label.to_owned(), value.as_str().into()));
        add("unit-summary", Json::Object(summary.collect()));
        add("checksum", "".into());
        Some(Json::Object(members))
    }
}
