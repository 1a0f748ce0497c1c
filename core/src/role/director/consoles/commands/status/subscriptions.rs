//! `status subscriptions`: which clients have backups, and how much the newest full ones of them hold.

use std::collections::BTreeMap;

use crate::catalog::{CatalogAnswer, CatalogRequest, Listed, Listing};
use crate::wire::json::Json;

use super::super::super::answer::{Cell, Column, Shown, Table};
use super::super::super::refusal::Refusal;
use super::super::super::reply::{Reply, View};

/// What there is of a client.
#[derive(Debug)]
struct Unit {
    client: String,
    bytes: u64,
    count: usize,
}

#[derive(Debug)]
struct Report {
    version: String,
    system: String,
    time: String,
    units: Vec<Unit>,
}

pub(super) fn run() -> Reply {
    Reply::ask(CatalogRequest::List(Listing::Holdings), |view, answer| match answer {
        CatalogAnswer::Listed(Listed::Holdings(holdings)) => {
            let mut clients: BTreeMap<String, u64> = BTreeMap::new();
            for holding in holdings {
                *clients.entry(holding.client).or_default() += holding.bytes;
            }
            Ok(Reply::found(Report::of(view, clients)))
        }
        other => Err(Refusal::unexpected(other)),
    })
}

impl Report {
    fn of(view: &View<'_>, clients: BTreeMap<String, u64>) -> Self {
        let identity = &view.director.common.identity;
        let units = clients.into_iter().map(|(client, bytes)| Unit { client, bytes, count: 1 });
        Self {
            version: identity.full.clone(),
            system: identity.system.clone(),
            time: view.zone().local(view.now()).to_string(),
            units: units.collect(),
        }
    }

    fn total(&self) -> Unit {
        let bytes = self.units.iter().map(|unit| unit.bytes).sum();
        Unit { client: "TOTAL".to_owned(), bytes, count: self.units.len() }
    }

    fn table<'a>(&'a self, total: &'a Unit) -> Table {
        const COLUMNS: &[Column<Unit>] = &[
            Column("client", |unit| Cell::text_of(&unit.client)),
            Column("plugin", |unit| Cell::text_of(if unit.client == "TOTAL" { "" } else { "none (file data)" })),
            Column("count", |unit| Cell::count(unit.count as u64)),
            Column("size_gb", |unit| Cell::Text(format!("{:.2}", unit.bytes as f64 / 1e9))),
        ];
        Table::of("unit-detail", COLUMNS, self.units.iter().chain([total]))
    }
}

impl Shown for Report {
    fn text(&self) -> String {
        let Self { version, system, time, .. } = self;
        let (total, table) = (self.total(), self.table(&self.total()).text());
        format!(
            "Towline version: {version} ({system})\nReport time: {time}\n\nDetailed backup unit report:\n{table}\n\
             Backup unit summary:\n            used: {}\n      configured: 0\n       remaining: 0\n",
            total.count
        )
    }

    /// There are no subscriptions: what is said of them is that none is needed.
    fn json(&self) -> Option<Json> {
        let total = self.total();
        let summary = Json::object([
            ("accounting_mode", "none: there are no subscriptions".into()),
            ("used", total.count.to_string().into()),
            ("configured", "0".into()),
            ("remaining", "0".into()),
        ]);
        Some(Json::object([
            ("version", self.version.as_str().into()),
            ("os", self.system.as_str().into()),
            ("binary-info", "Towline".into()),
            ("report-time", self.time.as_str().into()),
            ("unit-detail", self.table(&total).rows()),
            ("unit-summary", summary),
            ("checksum", "".into()),
        ]))
    }
}
