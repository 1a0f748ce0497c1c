//! The director.

use towline_core::explain::codes;
use towline_core::wire::names::DEFAULT_CONSOLE;

use super::super::map::{Mapped, Mapper};
use super::super::parse::Block;
use super::super::value::{Node, Value};
use super::job::{Around, jobs};
use super::{fileset, list, listen, messages, of_kind, schedule, whole};

pub(in super::super) fn build(mapper: &mut Mapper, blocks: &[Block]) -> Node {
    let found = mapper.resources(blocks);
    // Jobs are read when all is known that they may have from elsewhere.
    let (of_jobs, rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(table, _)| matches!(table.name, "Job" | "JobDefs"));
    let mut all: Vec<Mapped> =
        rest.into_iter().map(|(table, block)| mapper.map(table, &block.name, &block.items, &[])).collect();
    let mut kind = |kind: &str| of_kind(&mut all, kind);
    let (directors, clients, mut storages, pools) = (kind("Director"), kind("Client"), kind("Storage"), kind("Pool"));
    let (catalogs, messages_found) = (kind("Catalog"), kind("Messages"));
    let (schedules, filesets) = (kind("Schedule"), kind("FileSet"));
    let mut counters = kind("Counter");
    let (profiles, consoles, users) = (kind("Profile"), kind("Console"), kind("User"));
    for user in users {
        let message = format!("user {:?} has no effect: users log in through PAM, which is not asked", user.name);
        mapper.warning(codes::WITHOUT_EFFECT, &user.place, message, "make a console of it");
    }
    // Without a catalog of its own a director has the usual one, whatever it is called.
    counters.iter_mut().for_each(|counter| kept(counter, !catalogs.is_empty()));
    let posts = messages::build(mapper, messages_found);
    let mut fields = Vec::new();
    let mut own = Vec::new();
    let mut folder = None;
    let mut usual = None;
    if let Some(mut daemon) = mapper.only("Director", directors) {
        listen::listen(mapper, &mut daemon);
        mapper.require(&daemon, &[("name", "Name"), ("password", "Password")]);
        // More jobs at once than anybody has asked for would be a surprise.
        daemon.default("maximum_concurrent_jobs", Value::Number(1));
        usual = messages::of_daemon(&mut daemon, &posts);
        own.clone_from(&daemon.tls);
        folder = daemon.fields.iter().find(|(field, _)| *field == "working_directory").map(|(_, node)| node.clone());
        fields.push(("director", daemon.node()));
    }
    storages.iter_mut().for_each(|storage| device(mapper, storage));
    for client in &clients {
        mapper.require(client, &[("name", "Name"), ("address", "Address"), ("password", "Password")]);
    }
    let pools = pools_of(mapper, pools);
    let sets: Vec<_> = filesets.into_iter().map(|set| fileset::build(mapper, set)).collect();
    let schedules: Vec<_> = schedules.into_iter().map(|schedule| schedule::build(mapper, schedule)).collect();
    let around = Around {
        clients: &clients,
        storages: &storages,
        pools: &pools,
        filesets: &sets,
        schedules: &schedules,
        messages: usual.as_deref(),
    };
    let jobs = jobs(mapper, &of_jobs, &around);
    let consoles = consoles_of(mapper, consoles);
    for console in &consoles {
        mapper.require(console, &[("name", "Name"), ("password", "Password")]);
    }
    let peers = |resources: Vec<Mapped>| list(resources.into_iter().map(|resource| resource.peer(&own)).collect());
    let plain = |resources: Vec<Mapped>| list(resources.into_iter().map(Mapped::node).collect());
    fields.push(("jobs", plain(jobs)));
    fields.push(("filesets", plain(sets)));
    fields.push(("schedules", plain(schedules)));
    fields.push(("pools", plain(pools)));
    fields.push(("counters", plain(counters)));
    fields.push(("clients", peers(clients)));
    fields.push(("storages", peers(storages)));
    fields.push(("consoles", peers(consoles)));
    fields.push(("profiles", plain(profiles)));
    let mut databases = catalogs.iter().filter_map(|catalog| database(mapper, catalog, folder.as_ref()));
    if let Some(first) = databases.next() {
        fields.push(("catalog", first));
    }
    let further: Vec<Node> = databases.collect();
    if !further.is_empty() {
        fields.push(("catalogs", list(further)));
    }
    if !messages::say_what_is_so_anyway(&posts, &["console", "catalog"]) {
        fields.push(("messages", plain(posts)));
    }
    whole(fields)
}

/// The consoles that may log in: not those whose users PAM would have to be asked about, and not the director's own, which a
/// dump of a configuration lists among them.
fn consoles_of(mapper: &mut Mapper, mut consoles: Vec<Mapped>) -> Vec<Mapped> {
    consoles.retain(|console| {
        let asks_pam = console.made("UsePamAuthentication").is_some_and(|node| node.value == Value::Bool(true));
        let (why, help) = if asks_pam {
            // Its password alone would let everybody in.
            ("its users log in through PAM, which is not asked", "make a console with a password for each of them")
        } else if console.name == DEFAULT_CONSOLE {
            ("it is the director's own, with the director's password", "remove it")
        } else {
            return true;
        };
        let message = format!("console {:?} is left out: {why}", console.name);
        mapper.warning(codes::WITHOUT_EFFECT, &console.place, message, help);
        false
    });
    consoles
}

/// The device of a storage.
fn device(mapper: &mut Mapper, storage: &mut Mapped) {
    let devices: Vec<Node> = storage.words("Device").cloned().collect();
    first_of(mapper, "Device", &devices);
    if let Some(first) = devices.first() {
        storage.set("device", first.clone());
    }
    let needed = [
        ("name", "Name"),
        ("address", "Address"),
        ("password", "Password"),
        ("device", "Device"),
        ("media_type", "MediaType"),
    ];
    mapper.require(storage, &needed);
}

/// Says that only the first of several counts.
pub(super) fn first_of(mapper: &mut Mapper, directive: &str, values: &[Node]) {
    if let Some(second) = values.get(1) {
        let message = format!("this and what follows has no effect: the first `{directive}` is used");
        mapper.warning(codes::WITHOUT_EFFECT, &second.place, message, "");
    }
}

/// A counter in a catalog keeps its number.
fn kept(counter: &mut Mapped, is_named: bool) {
    if let Some(catalog) = counter.made("Catalog").cloned() {
        if is_named {
            counter.set("catalog", catalog.clone());
        }
        counter.set("keep", Node::new(catalog.place, Value::Bool(true)));
    }
}

/// The pools that jobs can use.
fn pools_of(mapper: &mut Mapper, pools: Vec<Mapped>) -> Vec<Mapped> {
    let mut found = Vec::new();
    for mut pool in pools {
        mapper.require(&pool, &[("name", "Name")]);
        if pool.said("PoolType") == Some("scratch") {
            let message = format!("pool {:?} is left out: no pool takes volumes from another", pool.name);
            mapper.warning(codes::WITHOUT_EFFECT, &pool.place, message, "let each pool label its own: `Label Format`");
            continue;
        }
        if let Some(format) = pool.made("LabelFormat").cloned() {
            pool.set("label_format", format);
        }
        let storages: Vec<Node> = pool.words("Storage").cloned().collect();
        first_of(mapper, "Storage", &storages);
        if let Some(storage) = storages.first() {
            pool.set("storage", storage.clone());
        }
        found.push(pool);
    }
    found
}

/// A catalog.
fn database(mapper: &mut Mapper, catalog: &Mapped, folder: Option<&Node>) -> Option<Node> {
    let take = |directive: &'static str, field: &'static str| Some((field, catalog.made(directive)?.clone()));
    let Some(name) = catalog.made("DbName") else {
        let message = "`Catalog` needs the directive `DbName`".to_owned();
        mapper.error(codes::MISSING_FIELD, &catalog.place, message, "add `DbName = …`");
        return None;
    };
    let noted = catalog.fields.iter().find(|(field, _)| *field == "description").cloned();
    if catalog.said("DbDriver") == Some("sqlite") {
        let is_path = |file: &str| file.contains('/') || file.ends_with(".sqlite");
        let path = match (&name.value, folder.map(|node| &node.value)) {
            (Value::Text(file), _) if is_path(file) => file.clone(),
            (Value::Text(file), Some(Value::Text(folder))) => format!("{folder}/{file}.sqlite"),
            (Value::Text(file), _) => format!("/var/lib/towline/{file}.sqlite"),
            _ => String::new(),
        };
        let mut inside = vec![
            ("name", Node::text(catalog.place.clone(), catalog.name.clone())),
            ("path", Node::text(name.place.clone(), path)),
        ];
        inside.extend(noted);
        return Some(choice(catalog, "sqlite", inside));
    }
    let mut inside: Vec<_> = [
        take("DbName", "database"),
        take("DbUser", "user"),
        take("DbPassword", "password"),
        take("DbPort", "port"),
        take("DbAddress", "host"),
    ]
    .into_iter()
    .flatten()
    // An empty password is none.
    .filter(|(field, node)| *field != "password" || node.value != Value::Text(String::new()))
    .collect();
    if let Some(socket) = catalog.made("DbSocket") {
        let Value::Text(path) = &socket.value else { return None };
        let folder =
            path.rsplit_once('/').filter(|(_, file)| file.starts_with(".s.PGSQL")).map_or(&**path, |(up, _)| up);
        inside.retain(|(field, _)| *field != "host");
        inside.push(("host", Node::text(socket.place.clone(), folder)));
    }
    inside.push(("name", Node::text(catalog.place.clone(), catalog.name.clone())));
    inside.extend(noted);
    Some(choice(catalog, "postgres", inside))
}

fn choice(catalog: &Mapped, name: &'static str, inside: Vec<(&'static str, Node)>) -> Node {
    let inside = Node::new(catalog.place.clone(), Value::Fields(inside));
    Node::new(catalog.place.clone(), Value::Choice(name, Box::new(inside)))
}
