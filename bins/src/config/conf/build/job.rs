//! Jobs: with what they have from their `JobDefs`, and what the resources they name say of them.

use std::collections::BTreeMap;

use towline_core::explain::codes;

use super::super::map::{Mapped, Mapper};
use super::super::parse::{Block, Item, plain};
use super::super::read::Kind;
use super::super::table::Resource;
use super::super::value::{Node, Value};
use super::director::first_of;
use super::list;
use super::scripts::scripts;

/// How many `JobDefs` may follow each other.
const DEEPEST: usize = 16;

/// What jobs refer to.
pub(super) struct Around<'a> {
    pub(super) clients: &'a [Mapped],
    pub(super) storages: &'a [Mapped],
    pub(super) pools: &'a [Mapped],
    pub(super) filesets: &'a [Mapped],
    pub(super) schedules: &'a [Mapped],
    /// The `Messages` that jobs have which name none.
    pub(super) messages: Option<&'a str>,
}

/// The jobs of these resources `Job` and `JobDefs`.
pub(super) fn jobs(mapper: &mut Mapper, resources: &[(&'static Resource, &Block)], around: &Around<'_>) -> Vec<Mapped> {
    let mut defaults: BTreeMap<String, &[Item]> = BTreeMap::new();
    for (table, block) in resources.iter().filter(|(table, _)| table.name == "JobDefs") {
        let mapped = mapper.map(table, &block.name, &block.items, &[]);
        mapper.require(&mapped, &[("name", "Name")]);
        let _found_fault_with = scripts(mapper, &block.items);
        defaults.insert(mapped.name, &block.items);
    }
    let known: Vec<String> = defaults.keys().cloned().collect();
    let mut found = Vec::new();
    for (table, block) in resources.iter().filter(|(table, _)| table.name == "Job") {
        let inherited = inherited(&block.items, &defaults);
        let mut job = mapper.map(table, &block.name, &block.items, &inherited);
        let commands = commands(mapper, &block.items, &defaults);
        if !commands.is_empty() {
            job.set("run_scripts", list(commands));
        }
        if let Some(to) = job.made("JobDefs").cloned() {
            mapper.refer("JobDefs", &to, known.iter().map(String::as_str));
        }
        if let Some(why) = left_out(&job) {
            let message = format!("job {:?} is left out: {why}", job.name);
            mapper.warning(codes::DISABLED, &job.place, message, "");
            continue;
        }
        found.push(job);
    }
    // Copies come last: they read what backups have written.
    let (mut copies, mut others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_copy);
    others.iter_mut().for_each(|job| one(mapper, job, around, &[]));
    copies.iter_mut().for_each(|job| one(mapper, job, around, &others));
    others.extend(copies);
    others
}

fn is_copy(job: &Mapped) -> bool {
    matches!(job.said("Type"), Some("copy" | "migrate"))
}

/// What a job has from its `JobDefs`, and they from theirs: of each directive, what is said nearest to the job.
fn inherited(own: &[Item], defaults: &BTreeMap<String, &[Item]>) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    let mut from = own;
    for _ in 0..DEEPEST {
        let Some(items) = next_defaults(from, defaults) else { break };
        let said: Vec<String> = found.iter().map(|item| plain(&item.name.text)).collect();
        let more = items.iter().filter(|item| {
            let name = plain(&item.name.text);
            !["name", "jobdefs"].contains(&name.as_str()) && !said.contains(&name)
        });
        found.extend(more.cloned());
        from = items;
    }
    found
}

/// The commands of a job, and after them those of its `JobDefs`, whose faults have been found with them.
fn commands<'a>(mapper: &mut Mapper, own: &'a [Item], defaults: &BTreeMap<String, &'a [Item]>) -> Vec<Node> {
    let mut found = scripts(mapper, own);
    let before = mapper.report.mark();
    let mut seen: Vec<&[Item]> = vec![own];
    while let Some(items) = next_defaults(seen.last().copied().unwrap_or_default(), defaults) {
        // They may name themselves.
        if seen.len() > DEEPEST || seen.iter().any(|other| std::ptr::eq(*other, items)) {
            break;
        }
        found.extend(scripts(mapper, items));
        seen.push(items);
    }
    mapper.report.back_to(before);
    found
}

/// The directives of the `JobDefs` that these name.
fn next_defaults<'a>(from: &[Item], defaults: &BTreeMap<String, &'a [Item]>) -> Option<&'a [Item]> {
    let of_defaults = |item: &&Item| plain(&item.name.text) == "jobdefs";
    let (node, _) = Kind::Text.read(from.iter().rfind(of_defaults)?).ok()?;
    let Value::Text(name) = node.value else { return None };
    defaults.get(&name).copied()
}

/// Why a job is not one of ours.
fn left_out(job: &Mapped) -> Option<String> {
    let kind = job.said("Type")?;
    let level = job.said("Level").map(plain).unwrap_or_default();
    match (kind, level.as_str()) {
        ("archive", _) => Some(format!("there are no jobs of the type `{kind}`")),
        ("backup", "base" | "since") => Some(format!("there are no backups of the level `{level}`")),
        ("verify", "data") => Some("verify jobs compare volumes or the disk with the catalog".to_owned()),
        _ => None,
    }
}

fn one(mapper: &mut Mapper, job: &mut Mapped, around: &Around<'_>, backups: &[Mapped]) {
    let Some(kind) = job.made("Type").cloned() else {
        let message = "`Job` needs the directive `Type`".to_owned();
        return mapper.error(codes::MISSING_FIELD, &job.place, message, "add `Type = Backup`, or what it is");
    };
    let said = job.said("Type").unwrap_or_default().to_owned();
    let is_copy = is_copy(job);
    job.set("kind", kind);
    level(mapper, job, &said);
    let is_admin = matches!(said.as_str(), "admin" | "consolidate");
    let first_client = around.clients.first().filter(|_| is_copy || is_admin);
    take(job, "Client", "client", first_client.map(|client| client.name.as_str()));
    let first_set = around.filesets.first().filter(|_| said != "backup").map(|set| set.name.as_str());
    take(job, "FileSet", "fileset", first_set);
    pool(job, around.pools.first().filter(|_| is_admin));
    take(job, "JobToVerify", "verify_job", None);
    storage(mapper, job, around, backups);
    if let Some(schedule) = job.made("Schedule").cloned() {
        let named = |schedule: &&Mapped| job.said("Schedule") == Some(schedule.name.as_str());
        if around.schedules.iter().find(named).is_none_or(Mapped::is_enabled) {
            job.set("schedule", schedule);
        }
    }
    super::messages::named(job, around.messages);
    selection(mapper, job, is_copy);
    enabled(job, &said, around);
    let needed =
        [("name", "Name"), ("client", "Client"), ("fileset", "FileSet"), ("storage", "Storage"), ("pool", "Pool")];
    mapper.require(job, &needed);
}

/// A field from a directive, else the name of something else.
fn take(job: &mut Mapped, directive: &'static str, field: &'static str, otherwise: Option<&str>) {
    let node = job.made(directive).cloned();
    if let Some(node) = node.or_else(|| Some(Node::text(job.place.clone(), otherwise?))) {
        job.set(field, node);
    }
}

/// The pool of a job, else that of one of its levels, else this one.
fn pool(job: &mut Mapped, otherwise: Option<&Mapped>) {
    take(job, "Pool", "pool", None);
    let of_level = ["full_pool", "differential_pool", "incremental_pool"];
    let named = |field: &&str| job.fields.iter().find(|(known, _)| known == field).map(|(_, node)| node.clone());
    let instead = of_level.iter().find_map(named);
    let first = || otherwise.map(|pool| Node::text(job.place.clone(), pool.name.as_str()));
    if let Some(node) = instead.or_else(first).filter(|_| !job.has("pool")) {
        job.set("pool", node);
    }
}

/// The levels of verify jobs, and what the typed model calls them.
const VERIFIED: &[(&str, &str)] = &[
    ("volumetocatalog", "volume_to_catalog"),
    ("disktocatalog", "disk_to_catalog"),
    ("initcatalog", "init_catalog"),
    ("catalog", "catalog"),
];

/// Backups and verify jobs have levels of their own.
fn level(mapper: &mut Mapper, job: &mut Mapped, kind: &str) {
    let Some(node) = job.made("Level").cloned() else { return };
    let level = job.said("Level").map(plain).unwrap_or_default();
    match (kind, level.as_str()) {
        ("backup", "full" | "differential" | "incremental") => job.set("level", Node::text(node.place, level)),
        ("backup", "virtualfull") => job.set("level", Node::text(node.place, "virtual_full")),
        ("verify", _) if VERIFIED.iter().any(|(word, _)| *word == level) => {
            let known = VERIFIED.iter().find(|(word, _)| *word == level).map_or("", |(_, ours)| ours);
            job.set("verify_level", Node::text(node.place, known));
        }
        ("verify", _) => {
            let message = format!("`{level}` is no level of a verify job");
            let help = "write `VolumeToCatalog`, `DiskToCatalog`, `InitCatalog` or `Catalog`";
            mapper.error(codes::UNKNOWN_VALUE, &node.place, message, help);
        }
        ("backup", _) => {
            let message = format!("`{level}` is no level of a backup");
            let help = "write `Full`, `Differential`, `Incremental` or `VirtualFull`";
            mapper.error(codes::UNKNOWN_VALUE, &node.place, message, help);
        }
        _ => {}
    }
}

/// The storage of a job, else that of its pool, else of a copy that of the backups in its pool.
fn storage(mapper: &mut Mapper, job: &mut Mapped, around: &Around<'_>, backups: &[Mapped]) {
    let own: Vec<Node> = job.words("Storage").cloned().collect();
    first_of(mapper, "Storage", &own);
    let of_pool = || {
        let pool = around.pools.iter().find(|pool| job.said("Pool") == Some(pool.name.as_str()))?;
        pool.words("Storage").next().cloned()
    };
    let field =
        |of: &Mapped, name: &str| of.fields.iter().find(|(field, _)| *field == name).map(|(_, node)| node.clone());
    let of_backups = || {
        let backups = || backups.iter().filter(|one| one.said("Type") == Some("backup"));
        let pool = field(job, "pool").map(|node| node.value);
        let same = |one: &&Mapped| field(one, "pool").map(|node| node.value) == pool;
        field(backups().find(same).or_else(|| backups().next())?, "storage")
    };
    let first = || around.storages.first().map(|storage| Node::text(job.place.clone(), storage.name.as_str()));
    let first = || first().filter(|_| matches!(job.said("Type"), Some("admin" | "consolidate")));
    if let Some(storage) = own.into_iter().next().or_else(of_pool).or_else(of_backups).or_else(first) {
        job.set("storage", storage);
    }
}

/// What a copy or migration takes: by the names of jobs or clients, or all that has no copy.
fn selection(mapper: &mut Mapper, job: &mut Mapped, is_copy: bool) {
    let Some(by) = job.made("SelectionType").cloned() else { return };
    if !is_copy {
        let message = "`SelectionType` has no effect: only copies and migrations select jobs".to_owned();
        return mapper.warning(codes::WITHOUT_EFFECT, &by.place, message, "");
    }
    let selection = match job.said("SelectionType").map(plain).unwrap_or_default().as_str() {
        "job" => "job",
        "client" => "client",
        "volume" => "volume",
        "oldestvolume" => "oldest_volume",
        "smallestvolume" => "smallest_volume",
        "pooloccupancy" => "pool_occupancy",
        "pooltime" => "pool_time",
        "pooluncopiedjobs" => "pool_uncopied_jobs",
        "sqlquery" => "sql_query",
        _ => {
            let message = format!("{:?} is no way to select jobs", job.said("SelectionType").unwrap_or_default());
            let help = "write `Job`, `Client`, `Volume`, `OldestVolume`, `SmallestVolume`, `PoolOccupancy`, `PoolTime`, \
                        `SqlQuery` or `PoolUncopiedJobs`";
            return mapper.error(codes::UNKNOWN_VALUE, &by.place, message, help);
        }
    };
    job.set("selection", Node::text(by.place, selection));
    // No more than Bareos starts without a word.
    job.default("max_concurrent_copies", Value::Number(100));
}

/// A job may be started unless it, or what it needs, says otherwise.
fn enabled(job: &mut Mapped, kind: &str, around: &Around<'_>) {
    let is = |of: &[Mapped], directive: &'static str| {
        let named = |one: &&Mapped| job.words(directive).any(|name| name.value == Value::Text(one.name.clone()));
        of.iter().find(named).is_none_or(Mapped::is_enabled)
    };
    let set = around.filesets.iter().find(|set| job.said("FileSet") == Some(set.name.as_str()));
    let is_whole = kind != "backup" || set.is_none_or(|set| !set.is_disabled);
    let all = is(around.clients, "Client") && is(around.storages, "Storage") && is_whole;
    if !(job.is_enabled() && !job.is_disabled && all) {
        let place = job.made("Enabled").map_or_else(|| job.place.clone(), |node| node.place.clone());
        job.set("enabled", Node::new(place, Value::Bool(false)));
    }
}
