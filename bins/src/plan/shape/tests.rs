//! A trial of a row's shape says the same as one of the row itself, and rows that differ in names alone share it.

use std::fmt::Write as _;
use std::fs;

use towline_simtests::rng::Rng;

use super::super::trial::tried;
use super::super::{Plan, plan};

/// Plans a director's configuration, others, and a topology.
fn planned(director: &str, others: &[String], topology: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: String, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let mut configs = vec![write("director.ron".to_owned(), director)];
    for (number, text) in others.iter().enumerate() {
        configs.push(write(format!("other{number}.ron"), text));
    }
    let network = write("network.ron".to_owned(), topology);
    let configs: Vec<_> = configs.iter().map(std::path::PathBuf::as_path).collect();
    plan(&configs, &network).unwrap_or_else(|text| panic!("{text}\n{director}\n{topology}"))
}

/// A network, drawn.
struct Drawn {
    rng: Rng,
    /// Networks by their numbers: the one around it, how it is crossed, and how many hosts are in it.
    networks: Vec<(usize, bool, u64)>,
    names: String,
    others: Vec<String>,
}

impl Drawn {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut networks = vec![(0, false, 0)];
        for number in 1..=1 + rng.below(3) {
            let around = usize::try_from(rng.below(number)).unwrap();
            networks.push((around, !rng.one_in(3), 0));
        }
        Self { rng, networks, names: String::new(), others: Vec::new() }
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.rng.below(of.len() as u64)).unwrap()]
    }

    /// A place for a host: its network and its address there.
    fn place(&mut self) -> (usize, String) {
        let number = usize::try_from(self.rng.below(self.networks.len() as u64)).unwrap();
        self.networks[number].2 += 1;
        (number, format!("10.{number}.0.{}", self.networks[number].2))
    }

    /// The gateway's outside address of a network.
    fn outside(&self, number: usize) -> String {
        format!("10.{}.1.{number}", self.networks[number].0)
    }

    /// What a daemon at a place is dialled at, and the port: its own address or a gateway's.
    fn dialled(
        &mut self,
        host: &str,
        (network, address): &(usize, String),
        port: u16,
        forwards: &mut Vec<(usize, String)>,
    ) -> String {
        match self.rng.below(4) {
            0 => address.clone(),
            1 => host.to_owned(),
            2 => {
                let name = format!("{host}.example");
                let seen_by = self.pick(&["", r#", seen_by: ["center"]"#, r#", seen_by: ["bystander"]"#]);
                let _ = writeln!(self.names, r#"(name: "{name}", addresses: ["{address}"]{seen_by}),"#);
                name
            }
            _ if *network == 0 => address.clone(),
            _ => {
                forwards.push((*network, format!(r#"(port: {port}, to: "{address}"),"#)));
                self.outside(*network)
            }
        }
    }

    fn rules(&mut self) -> String {
        let mut rules = String::new();
        for number in 0..self.rng.below(3) {
            let way = self.pick(&["in", "out"]);
            let from = self.pick(&["", r#"from: "10.0.0.0/16", "#, r#"from: "10.1.0.1", "#, r#"from: "10.0.0.0/8", "#]);
            let port = self.pick(&["", "port: 9102, ", r#"port: "9101-9103", "#, r#"port: "9103-9200", "#]);
            let verdict = self.pick(&["accept", "drop", "reset", "prohibit"]);
            // One rule a way, so that none is in the shadow of another.
            let is_new = !rules.contains(&format!("way: {way}"));
            if is_new || number == 0 {
                let _ = write!(rules, "(way: {way}, {from}{port}verdict: {verdict}),");
            }
        }
        rules
    }
}

const KEY: &str = "long enough to be good";

/// A client with its job, and where its host is.
fn client(drawn: &mut Drawn, number: usize, forwards: &mut Vec<(usize, String)>) -> [String; 3] {
    let (place, port) = (drawn.place(), 9_200 + u16::try_from(number).unwrap());
    let address = drawn.dialled(&format!("host{number}"), &place, port, forwards);
    let more = match drawn.rng.below(5) {
        0 => "passive: true, ".to_owned(),
        1 => format!(r#"lan_address: "{}", "#, place.1),
        2 => {
            let heartbeat = drawn.pick(&["0", "60"]);
            drawn.others.push(format!(
                r#"(file: (name: "client{number}", port: {port}, heartbeat_interval: {heartbeat}), directors: [(name: "dir",
                    password: "{KEY} {number}", address: "10.0.0.1", connection_from_client_to_director: true,
                    connection_from_director_to_client: false)])"#
            ));
            format!(
                "connection_from_client_to_director: true, connection_from_director_to_client: false, heartbeat_interval: {heartbeat}, "
            )
        }
        _ => String::new(),
    };
    let kind = drawn.pick(&["backup", "backup", "restore"]);
    let pool = drawn.pick(&["p0", "p1"]);
    let firewall = match drawn.rng.one_in(4) {
        true => format!(", firewall: (inward: accept, rules: [{}])", drawn.rules()),
        false => String::new(),
    };
    [
        format!(r#"(name: "client{number}", address: "{address}", port: {port}, {more}password: "{KEY} {number}"),"#),
        format!(
            r#"(name: "job{number}", kind: {kind}, client: "client{number}", fileset: "set", storage: "s0", pool: "{pool}"),"#
        ),
        format!(
            r#"(name: "host{number}", network: "n{}", address: "{}", daemons: ["client{number}"]{firewall}),"#,
            place.0, place.1
        ),
    ]
}

/// A plan of a drawn network.
fn drawn(seed: u64) -> Plan {
    let mut drawn = Drawn::new(seed);
    drawn.networks[0].2 = 2;
    let (mut forwards, mut storages, mut hosts) = (Vec::new(), String::new(), String::new());
    for number in 0..2 {
        let (place, port) = (drawn.place(), 9_103 + number);
        let address = drawn.dialled(&format!("store{number}"), &place, port, &mut forwards);
        let _ = writeln!(
            storages,
            r#"(name: "s{number}", address: "{address}", port: {port}, device: "dev", media_type: "M{number}", password: "{KEY} s{number}"),"#
        );
        let _ = writeln!(
            hosts,
            r#"(name: "store{number}", network: "n{}", address: "{}", daemons: ["s{number}"]),"#,
            place.0, place.1
        );
    }
    let (mut clients, mut jobs) = (String::new(), String::new());
    for number in 0..4 {
        let [client, job, host] = client(&mut drawn, number, &mut forwards);
        clients += &client;
        jobs += &job;
        hosts += &host;
    }
    let director = format!(
        r#"(director: (name: "dir", password: "{KEY}", fd_connect_timeout: 60, sd_connect_timeout: 60),
            clients: [{clients}], storages: [{storages}], jobs: [{jobs}
                (name: "copy", kind: copy, client: "client0", fileset: "set", storage: "s0", pool: "p0")],
            pools: [(name: "p0", storage: "s0", label_format: "a-", next_pool: "p1"), (name: "p1", storage: "s1", label_format: "b-")],
            filesets: [(name: "set", include: [(files: ["/etc"])])])"#
    );
    let mut networks = r#"(name: "n0", addresses: ["10.0.0.0/16"]),"#.to_owned();
    for number in 1..drawn.networks.len() {
        let (around, translates, _) = drawn.networks[number];
        let own = forwards
            .iter()
            .filter(|(network, _)| *network == number && translates)
            .map(|(_, forward)| forward.as_str());
        let (own, outside, rules) = (own.collect::<String>(), drawn.outside(number), drawn.rules());
        let more = drawn.pick(&[
            "",
            "hairpin: true, ",
            r#"idle: "4 min", "#,
            r#"idle: "1 min", forgotten: reset, "#,
            "inward: reset, ",
        ]);
        let _ = writeln!(
            networks,
            r#"(name: "n{number}", gateway: (to: "n{around}", address: "{outside}", translates: {translates}, forwards: [{own}], {more}rules: [{rules}])),"#
        );
    }
    let topology = format!(
        r#"(networks: [{networks}], hosts: [(name: "center", network: "n0", address: "10.0.0.1", daemons: ["dir"]),
            (name: "bystander", network: "n0", address: "10.0.0.2"), {hosts}], names: [{}])"#,
        drawn.names
    );
    planned(&director, &drawn.others, &topology)
}

#[test]
fn a_trial_of_a_shape_says_exactly_what_one_of_the_row_says() {
    let (mut works, mut fails, mut until) = (0, 0, 0);
    for seed in 0..24 {
        let plan = drawn(seed);
        for shared in &plan.rows {
            let alone = tried(plan.topology(), &plan.given, &shared.row);
            assert_eq!(format!("{shared:#?}"), format!("{alone:#?}"), "{seed}");
            match alone.verdict {
                super::Verdict::Works => works += 1,
                super::Verdict::Fails => fails += 1,
                super::Verdict::WorksUntilIdle(_) => until += 1,
                super::Verdict::Unknown(_) => {}
            }
        }
    }
    assert!(works > 15 && fails > 20 && until > 0, "{works} work, {fails} fail, {until} work for a while");
}

#[test]
fn rows_that_differ_in_names_addresses_ports_and_passwords_alone_are_tried_once() {
    let client = |n: usize| {
        let port = 9_300 + n;
        format!(r#"(name: "c{n}", address: "192.0.2.254", port: {port}, password: "{KEY} {n}", passive: true),"#)
    };
    let job = |n: usize| {
        format!(r#"(name: "j{n}", client: "c{n}", fileset: "set", storage: "s{}", pool: "p{}"),"#, n % 3, n % 3)
    };
    let storage = |n: usize| {
        format!(
            r#"(name: "s{n}", address: "s{n}.example", device: "d{n}", media_type: "M{n}", password: "{KEY} s{n}"),"#
        )
    };
    let each = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let pool = |n: usize| format!(r#"(name: "p{n}", storage: "s{n}", label_format: "v{n}-"),"#);
    let director = format!(
        r#"(director: (name: "dir", password: "{KEY}"), clients: [{}], storages: [{}], jobs: [{}], pools: [{}],
            filesets: [(name: "set", include: [(files: ["/etc"])])])"#,
        each(30, &client),
        each(3, &storage),
        each(30, &job),
        each(3, &pool)
    );
    let forward = |n: usize| format!(r#"(port: {0}, to: "10.0.0.{n}:{0}"),"#, 9_300 + n);
    let rule = |n: usize| format!(r#"(way: in, to: "10.0.0.{n}", verdict: accept),"#);
    let host = |n: usize| format!(r#"(name: "h{n}", network: "home", address: "10.0.0.{n}", daemons: ["c{n}"]),"#);
    let store =
        |n: usize| format!(r#"(name: "s{n}", network: "net", address: "192.0.2.{}", daemons: ["s{n}"]),"#, n + 10);
    let name = |n: usize| format!(r#"(name: "s{n}.example", addresses: ["192.0.2.{}"]),"#, n + 10);
    let topology = format!(
        r#"(networks: [(name: "net", addresses: ["192.0.2.0/24"]), (name: "home", gateway: (to: "net", address: "192.0.2.254",
            forwards: [{}], rules: [{}]))], hosts: [(name: "center", network: "net", address: "192.0.2.1", daemons: ["dir"]),
            {}{}], names: [{}])"#,
        each(30, &forward),
        each(30, &rule),
        each(30, &host),
        each(3, &store),
        each(3, &name)
    );
    let plan = planned(&director, &[], &topology);
    assert_eq!((plan.rows.len(), plan.trials.held()), (30, 1));
    assert!(plan.rows.iter().all(|tried| tried.verdict == super::Verdict::Works), "{:#?}", plan.rows[0]);
    let sockets: Vec<String> =
        plan.rows[7].connections.iter().map(|one| format!("{} {}", one.to, one.address)).collect();
    assert_eq!(sockets, ["s1 192.0.2.11:9103", "c7 192.0.2.254:9307", "c7 192.0.2.254:9307"]);
}
