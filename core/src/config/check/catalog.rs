//! The catalogs: each by itself, and what names them.

use std::collections::{BTreeMap, BTreeSet};

use super::Checker;
use crate::config::{Catalog, ConfigPath, DirectorConfig, Job, JobKind, Postgres, PostgresTls, Run, Seconds, Sqlite};
use crate::explain::codes;
use crate::naming::Naming;

/// Each catalog has a name and a database of its own, and what belongs together is in one.
pub(super) fn check(c: &mut Checker, config: &DirectorConfig) {
    each(c, ConfigPath::of("catalog"), &config.catalog);
    let (mut names, mut databases) = (BTreeSet::new(), BTreeSet::new());
    names.insert(config.catalog.name());
    databases.insert(database(&config.catalog));
    for (index, catalog) in config.catalogs.iter().enumerate() {
        let path = ConfigPath::of("catalogs").index(index);
        each(c, path.clone(), catalog);
        if !names.insert(catalog.name()) {
            let message = format!("two catalogs are called {:?}", catalog.name());
            c.error(codes::DUPLICATE_NAME, path.field("name"), message, "give each a `name` of its own");
        }
        if !databases.insert(database(catalog)) {
            let message = format!("catalog {:?} has the database of another one", catalog.name());
            c.error(codes::CATALOG_SETTING, path, message, "give each a database of its own");
        }
    }
    references(c, config);
    for (index, job) in config.jobs.iter().enumerate() {
        of_job(c, &ConfigPath::of("jobs").index(index), job, config);
    }
    counters(c, config);
    names_alike(c, config);
}

/// What tells the database of a catalog from others.
fn database(catalog: &Catalog) -> String {
    match catalog {
        Catalog::Sqlite(file) => file.path.clone(),
        Catalog::Postgres(server) => format!("{} {} {}", server.host, server.port, server.database),
    }
}

/// A catalog that is named is there.
fn references(c: &mut Checker, config: &DirectorConfig) {
    let known = config.all_catalogs().map(Catalog::name);
    let clients = config.clients.iter().map(|client| &client.catalog);
    let pools = config.pools.iter().map(|pool| &pool.catalog);
    let jobs = config.jobs.iter().map(|job| &job.catalog);
    let counters = config.counters.iter().map(|counter| &counter.catalog);
    let mut all = |list: &'static str, named: &mut dyn Iterator<Item = &Option<String>>| {
        for (index, name) in named.enumerate() {
            if let Some(name) = name {
                c.reference(ConfigPath::of(list).index(index).field("catalog"), "catalog", name, known.clone());
            }
        }
    };
    all("clients", &mut clients.into_iter());
    all("pools", &mut pools.into_iter());
    all("jobs", &mut jobs.into_iter());
    all("counters", &mut counters.into_iter());
}

/// Volumes and the jobs on them are in the same catalog, whichever of its pools a job writes to.
fn of_job(c: &mut Checker, path: &ConfigPath, job: &Job, config: &DirectorConfig) {
    if matches!(job.kind, JobKind::Restore | JobKind::Admin | JobKind::Consolidate) || !config.has_several_catalogs() {
        return;
    }
    let own = [
        ("pool", Some(&job.pool)),
        ("full_pool", job.full_pool.as_ref()),
        ("differential_pool", job.differential_pool.as_ref()),
        ("incremental_pool", job.incremental_pool.as_ref()),
        ("virtual_full_pool", job.virtual_full_pool.as_ref()),
        ("next_pool", job.next_pool.as_ref()),
    ];
    let catalog = config.catalog_of_job(job, &job.pool);
    for (field, pool) in own {
        fits(c, path.field(field), pool, catalog, config);
    }
    let moves_on = matches!(job.kind, JobKind::Copy | JobKind::Migrate) || job.always_incremental;
    let from = job.virtual_full_pool.as_ref().filter(|_| job.kind == JobKind::Backup).unwrap_or(&job.pool);
    if moves_on && job.next_pool.is_none() {
        fits(c, path.field("pool"), config.pool(from).and_then(|pool| pool.next_pool.as_ref()), catalog, config);
    }
    if let Some(other) = job.verify_job.as_ref().and_then(|name| config.job(name)) {
        let of_other = config.catalog_of_job(other, &other.pool);
        if of_other != catalog {
            let message =
                format!("job {:?} is recorded in the catalog {of_other:?}, and this one in {catalog:?}", other.name);
            let help = "let both have the same `catalog`: a verify job finds nothing in another one";
            c.error(codes::CONTRADICTION, path.field("verify_job"), message, help);
        }
    }
    let runs = job.schedule.as_ref().and_then(|name| config.schedule(name)).map_or(&[][..], |schedule| &schedule.runs);
    for run in runs {
        of_run(c, path, (job, run), config);
    }
}

/// The pools that a line of a schedule names, with those of the job that it leaves as they are.
fn of_run(c: &mut Checker, path: &ConfigPath, (job, run): (&Job, &Run), config: &DirectorConfig) {
    let named = [&run.pool, &run.full_pool, &run.differential_pool, &run.incremental_pool, &run.virtual_full_pool];
    let is_only = run.pool.is_some() && named.iter().skip(1).all(|pool| pool.is_none());
    let catalog = config.catalog_of_job(job, run.pool.as_ref().unwrap_or(&job.pool));
    let of_levels = [
        run.full_pool.as_ref().or(job.full_pool.as_ref()),
        run.differential_pool.as_ref().or(job.differential_pool.as_ref()),
        run.incremental_pool.as_ref().or(job.incremental_pool.as_ref()),
        run.virtual_full_pool.as_ref().or(job.virtual_full_pool.as_ref()),
    ];
    for pool in of_levels.into_iter().filter(|_| !is_only).chain([run.next_pool.as_ref().or(job.next_pool.as_ref())]) {
        fits(c, path.field("schedule"), pool, catalog, config);
    }
}

fn fits(c: &mut Checker, path: ConfigPath, pool: Option<&String>, catalog: &str, config: &DirectorConfig) {
    let Some(pool) = pool.filter(|pool| !config.is_pool_in(pool, catalog)) else { return };
    let other = config.pool(pool).and_then(|pool| pool.catalog.as_deref()).unwrap_or_default();
    if c.findings.iter().any(|found| found.path == path && found.code == codes::CONTRADICTION) {
        return;
    }
    let message = format!("pool {pool:?} is in the catalog {other:?}, and the job is recorded in {catalog:?}");
    let help = "let all pools that a job works with name the same `catalog`, or none";
    c.error(codes::CONTRADICTION, path, message, help);
}

/// The numbers in one name, and the counters that go on with each other, are in one catalog.
fn counters(c: &mut Checker, config: &DirectorConfig) {
    let catalog = |name: &str| {
        let counter = config.counters.iter().find(|counter| counter.name == name)?;
        Some(counter.catalog.as_deref().unwrap_or_else(|| config.catalog.name()))
    };
    for (index, counter) in config.counters.iter().enumerate() {
        let Some(next) = &counter.wrap_counter else { continue };
        if let Some(other) = catalog(next).filter(|other| Some(*other) != catalog(&counter.name)) {
            let path = ConfigPath::of("counters").index(index).field("wrap_counter");
            let message = format!("counter {next:?} has its number in another catalog, {other:?}");
            c.error(codes::CONTRADICTION, path, message, "let both name the same `catalog`");
        }
    }
    for (index, pool) in config.pools.iter().enumerate() {
        let Ok(naming) = Naming::parse(pool.label_format.as_deref().unwrap_or_default()) else { continue };
        let of_counters: BTreeSet<&str> = naming.variables().iter().filter_map(|one| catalog(&one.name)).collect();
        if of_counters.len() > 1 {
            let path = ConfigPath::of("pools").index(index).field("label_format");
            let message = "its counters have their numbers in several catalogs";
            c.error(codes::LABEL_FORMAT, path, message, "let the counters of one name have the same `catalog`");
        }
    }
}

/// Each catalog counts its own volumes, and volumes of all may lie in the same folder: there the second of a name is refused.
fn names_alike(c: &mut Checker, config: &DirectorConfig) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for job in config.jobs.iter().filter(|job| job.kind == JobKind::Backup) {
        let catalog = config.catalog_of_job(job, &job.pool);
        let more = [&job.full_pool, &job.differential_pool, &job.incremental_pool, &job.next_pool];
        for name in more.into_iter().flatten().chain([&job.pool]) {
            let Some(format) = config.pool(name).and_then(|pool| pool.label_format.as_deref()) else { continue };
            let first = *seen.entry(format).or_insert(catalog);
            if first != catalog && !is_unlike(format, config) && found.insert(format) {
                let index = config.pools.iter().position(|pool| pool.name == *name).unwrap_or_default();
                let path = ConfigPath::of("pools").index(index).field("label_format");
                let message = format!("jobs of the catalogs {first:?} and {catalog:?} give volumes the same names");
                let help = "give each catalog a pool with a `label_format` of its own, or write `${Catalog}` into it";
                c.warning(codes::LABEL_FORMAT, path, message, help);
            }
        }
    }
}

/// Whether a format makes other names for each catalog.
fn is_unlike(format: &str, config: &DirectorConfig) -> bool {
    let Ok(naming) = Naming::parse(format) else { return true };
    let is_counter = |name: &str| config.counters.iter().any(|counter| counter.name == name);
    let all = naming.variables();
    all.into_iter().any(|one| matches!(&*one.name, "Catalog" | "JobId" | "JobName") || is_counter(&one.name))
}

/// A catalog by itself.
fn each(c: &mut Checker, path: ConfigPath, catalog: &Catalog) {
    c.name(&path, catalog.name());
    match catalog {
        Catalog::Sqlite(Sqlite { path: file, .. }) if file.is_empty() => {
            let help = "name the file of the SQLite catalog";
            c.error(codes::EMPTY, path.field("path"), "there is no catalog file", help);
        }
        Catalog::Sqlite(_) => {}
        Catalog::Postgres(postgres) => server(c, &path, postgres),
    }
    if catalog.retry_for() < SHORTEST_RESTART {
        let message = "a restart of the catalog's server fails every running job";
        let help = "let requests be tried again for longer than a restart takes, such as `\"2 min\"`";
        c.warning(codes::CATALOG_SETTING, path.field("retry_for"), message, help);
    }
}

/// A server that is upgraded or restarted is away for about so long.
const SHORTEST_RESTART: Seconds = Seconds::secs(5);

fn server(c: &mut Checker, path: &ConfigPath, postgres: &Postgres) {
    if postgres.host.is_empty() {
        let help = "name the folder of its Unix socket, such as `/run/postgresql`, or its address";
        c.error(codes::EMPTY, path.field("host"), "there is no host of the catalog's server", help);
    } else if !postgres.host.starts_with('/') {
        c.optional_address(path.field("host"), Some(&postgres.host));
    }
    if !postgres.host.is_empty() && !postgres.is_local() && !postgres.clear_text && postgres.tls == PostgresTls::Disable
    {
        let message = format!("the catalog's server {:?} would be reached in clear text", postgres.host);
        let help = "set `tls: verify_full`, run the server on the director's machine (a Unix socket or a loopback \
                    address), or set `clear_text: true` if a tunnel protects the way to it";
        c.error(codes::CLEAR_CATALOG, path.field("host"), message, help);
    }
    if postgres.tls != PostgresTls::Disable && postgres.host.starts_with('/') {
        let help = "leave `tls` out, or name the server's address in `host`";
        c.error(codes::CATALOG_SETTING, path.field("tls"), "a Unix socket has no TLS", help);
    }
    if postgres.tls_ca.is_some() && postgres.tls != PostgresTls::VerifyFull {
        let help = "set `tls: verify_full`, or leave `tls_ca` out";
        c.error(codes::CATALOG_SETTING, path.field("tls_ca"), "nothing is held against these authorities", help);
    }
    if postgres.port == 0 {
        let help = "leave it out for the usual port 5432";
        c.error(codes::CATALOG_SETTING, path.field("port"), "no server listens on port 0", help);
    }
    c.not_zero(path.field("connect_timeout"), postgres.connect_timeout.0);
    for (field, value) in [("database", &postgres.database), ("user", &postgres.user)] {
        if value.is_empty() || value.contains('\0') {
            let message = format!("the {field} of the catalog has no name a server could know");
            c.error(
                codes::CATALOG_SETTING,
                path.field(field),
                message,
                "leave it out for `towline`, or give it a name",
            );
        }
    }
    let Some(password) = &postgres.password else { return };
    if password.clear().expose().starts_with(b"[md5]") {
        let message = "the password of the catalog's server is a digest";
        let help = "write the password itself: a server of PostgreSQL does not take this form";
        c.error(codes::CATALOG_SETTING, path.field("password"), message, help);
    } else {
        c.password(path, password);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Built;
    use super::*;
    use crate::config::check::Severity;

    fn findings(value: serde_json::Value) -> Vec<(Severity, String)> {
        let mut c = Checker::new(Built { psk: true });
        each(&mut c, ConfigPath::of("catalog"), &serde_json::from_value(value).unwrap());
        c.findings.into_iter().map(|f| (f.severity, format!("{} {}", f.code, f.path))).collect()
    }

    fn postgres(value: serde_json::Value) -> Vec<(Severity, String)> {
        findings(serde_json::json!({ "postgres": value }))
    }

    #[test]
    fn what_works_is_not_found_fault_with() {
        for value in [
            serde_json::json!({}),
            serde_json::json!({ "host": "localhost", "password": "x" }),
            serde_json::json!({ "host": "::1", "port": 5433 }),
            serde_json::json!({ "host": "db.example.org", "clear_text": true }),
            serde_json::json!({ "host": "db.example.org", "tls": "require" }),
            serde_json::json!({ "host": "db.example.org", "tls": "verify_full", "tls_ca": "ca.pem" }),
        ] {
            assert_eq!(postgres(value.clone()), [], "{value}");
        }
        assert_eq!(findings(serde_json::json!({ "sqlite": { "path": "c.sqlite" } })), []);
    }

    #[test]
    fn what_cannot_work_is_found_at_its_place() {
        let error = |text: &str| vec![(Severity::Error, text.to_owned())];
        for (value, expected) in [
            (serde_json::json!({ "host": "db.example.org" }), "T0845 catalog.host"),
            (serde_json::json!({ "host": "192.0.2.1" }), "T0845 catalog.host"),
            (serde_json::json!({ "host": "" }), "T0836 catalog.host"),
            (serde_json::json!({ "host": "no host", "clear_text": true }), "T0824 catalog.host"),
            (serde_json::json!({ "tls": "verify_full" }), "T0846 catalog.tls"),
            (serde_json::json!({ "host": "::1", "tls": "require", "tls_ca": "x" }), "T0846 catalog.tls_ca"),
            (serde_json::json!({ "port": 0 }), "T0846 catalog.port"),
            (serde_json::json!({ "user": "" }), "T0846 catalog.user"),
            (serde_json::json!({ "database": "" }), "T0846 catalog.database"),
            (serde_json::json!({ "password": "[md5]5ebe2294ecd0e0f08eab7690d2a6ee69" }), "T0846 catalog.password"),
            (serde_json::json!({ "password": "" }), "T0823 catalog.password"),
            (serde_json::json!({ "connect_timeout": 0 }), "T0835 catalog.connect_timeout"),
        ] {
            assert_eq!(postgres(value.clone()), error(expected), "{value}");
        }
        assert_eq!(findings(serde_json::json!({ "sqlite": { "path": "" } })), error("T0836 catalog.path"));
    }

    #[test]
    fn a_time_that_no_restart_fits_into_is_warned_of() {
        for (time, warned) in [(4, true), (5, false)] {
            let found = postgres(serde_json::json!({ "retry_for": time }));
            let expected = [(Severity::Warning, "T0846 catalog.retry_for".to_owned())];
            assert_eq!(found, if warned { &expected[..] } else { &[] }, "{time}");
        }
    }

    /// A director with two catalogs, two pools of which each is in one, and a job with the first.
    fn two() -> serde_json::Value {
        let mut base = crate::config::tests::director();
        base["catalogs"] = serde_json::json!([{ "sqlite": { "name": "Archive", "path": "archive.sqlite" } }]);
        base["pools"][0]["catalog"] = serde_json::json!("MyCatalog");
        let deep = serde_json::json!({ "name": "Deep", "catalog": "Archive", "label_format": "Deep-" });
        base["pools"].as_array_mut().unwrap().push(deep);
        base
    }

    /// The errors of it after a change, as code and place.
    fn errors(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
        let mut config = two();
        change(&mut config);
        let config: DirectorConfig = serde_json::from_value(config).unwrap();
        let mut c = Checker::new(Built { psk: true });
        check(&mut c, &config);
        c.findings.into_iter().map(|found| format!("{} {}", found.code, found.path)).collect()
    }

    #[test]
    fn two_catalogs_have_two_names_and_two_databases() {
        assert_eq!(errors(|_| {}), Vec::<String>::new());
        let found = errors(|config| config["catalogs"][0]["sqlite"]["name"] = serde_json::json!("MyCatalog"));
        assert!(found.contains(&"T0821 catalogs[0].name".to_owned()), "{found:?}");
        let found = errors(|config| {
            config["catalog"] = serde_json::json!({ "sqlite": { "path": "archive.sqlite" } });
        });
        assert_eq!(found, ["T0846 catalogs[0]"]);
    }

    #[test]
    fn a_catalog_that_is_named_is_there() {
        for list in ["clients", "pools", "jobs"] {
            let found = errors(|config| config[list][0]["catalog"] = serde_json::json!("Archiv"));
            assert!(found.contains(&format!("T0820 {list}[0].catalog")), "{list}: {found:?}");
        }
    }

    #[test]
    fn the_pools_of_a_job_are_in_one_catalog() {
        for field in ["full_pool", "incremental_pool", "next_pool"] {
            let found = errors(|config| config["jobs"][0][field] = serde_json::json!("Deep"));
            assert_eq!(found, [format!("T0840 jobs[0].{field}")]);
        }
        // All in the other one is as good.
        assert_eq!(errors(|config| config["jobs"][0]["pool"] = serde_json::json!("Deep")), Vec::<String>::new());
        let runs = |run: serde_json::Value| {
            errors(move |config| {
                config["schedules"] = serde_json::json!([{ "name": "s", "runs": [run] }]);
                config["jobs"][0]["schedule"] = serde_json::json!("s");
            })
        };
        assert_eq!(runs(serde_json::json!({ "at": ["1:00"], "pool": "Deep" })), Vec::<String>::new());
        assert_eq!(runs(serde_json::json!({ "at": ["1:00"], "full_pool": "Deep" })), ["T0840 jobs[0].schedule"]);
    }

    #[test]
    fn volumes_of_two_catalogs_are_not_to_have_the_same_names() {
        let formats = |format: &str| {
            let format = serde_json::json!(format);
            errors(move |config| {
                config["pools"][0].as_object_mut().unwrap().remove("catalog");
                config["pools"][0]["label_format"] = format;
                let mut job = config["jobs"][0].clone();
                (job["name"], job["catalog"]) = (serde_json::json!("other"), serde_json::json!("Archive"));
                config["jobs"].as_array_mut().unwrap().push(job);
            })
        };
        assert_eq!(formats("Full-"), ["T0843 pools[0].label_format"]);
        assert_eq!(formats("Full-${NumVols}"), ["T0843 pools[0].label_format"]);
        assert_eq!(formats("Full-${Catalog}-${NumVols}"), Vec::<String>::new());
    }

    #[test]
    fn the_counters_of_a_name_have_their_numbers_in_one_catalog() {
        let counters = |second: &str| {
            let second = serde_json::json!(second);
            errors(move |config| {
                config["counters"] = serde_json::json!([
                    { "name": "A", "catalog": "Archive", "wrap_counter": "B" },
                    { "name": "B", "catalog": second },
                ]);
                config["pools"][1]["label_format"] = serde_json::json!("x-${A+}-${B}");
            })
        };
        assert_eq!(counters("Archive"), Vec::<String>::new());
        assert_eq!(counters("MyCatalog"), ["T0840 counters[0].wrap_counter", "T0843 pools[1].label_format"]);
    }
}
