//! The decision over the whole grid of settings, against a closed form, and its words.

use serde_json::{Value, json};

use super::*;

/// What a side says of networks in the grid: names, each with an address made of it.
const NETWORKS: [&[&str]; 4] = [&[], &["b"], &["c"], &["a", "b", "c"]];

/// One side of the grid. Each of its addresses says whose it is and which.
fn side(name: &str, has_address: bool, has_lan: bool, networks: &[&str]) -> Value {
    let networks: BTreeMap<_, _> = networks.iter().map(|net| (*net, format!("{name}.{net}"))).collect();
    let mut side = json!({ "name": name, "password": "x", "networks": networks });
    if has_address {
        side["address"] = json!(format!("{name}.address"));
    }
    if has_lan {
        side["lan_address"] = json!(format!("{name}.lan"));
    }
    side
}

fn client(passive: bool, has_address: bool, has_lan: bool, networks: &[&str]) -> Client {
    let mut client = side("fd", has_address, has_lan, networks);
    (client["passive"], client["port"]) = (json!(passive), json!(1002));
    serde_json::from_value(client).unwrap()
}

fn storage(name: &str, port: u16, has_lan: bool, networks: &[&str]) -> Storage {
    let mut storage = side(name, true, has_lan, networks);
    for (field, value) in [("port", json!(port)), ("device", json!("d")), ("media_type", json!("m"))] {
        storage[field] = value;
    }
    serde_json::from_value(storage).unwrap()
}

/// The rules once more, as one expression: the end of the address of the side that is dialled.
fn expected(lan: [bool; 2], networks: [&[&str]; 2], has_address: bool) -> Option<String> {
    let shared = networks[0].iter().filter(|net| networks[1].contains(net)).min().map(|net| (*net).to_owned());
    shared
        .or_else(|| (lan == [true; 2]).then(|| "lan".to_owned()))
        .or_else(|| has_address.then(|| "address".to_owned()))
}

#[test]
fn the_decision_follows_the_rules_everywhere() {
    let both = [false, true];
    let mut seen = 0;
    for (first, second) in NETWORKS.iter().flat_map(|first| NETWORKS.iter().map(move |second| (*first, *second))) {
        for lan in both.iter().flat_map(|a| both.map(|b| [*a, b])) {
            for passive in both {
                for has_address in both {
                    let client = client(passive, has_address, lan[0], first);
                    let storage = storage("sd", 1003, lan[1], second);
                    let outcome = decide(Pair::Job { client: &client, storage: &storage });
                    let (number, name, port, has_address) =
                        if passive { ("7", "fd", 1002, has_address) } else { ("6", "sd", 1003, true) };
                    let wanted = expected(lan, [first, second], has_address).map(|end| format!("{name}.{end}"));
                    let got = outcome.as_ref().ok();
                    assert_eq!(got.map(|channel| channel.address.clone()), wanted, "{client:?} {storage:?}");
                    if let Some(channel) = got {
                        let ends = (channel.number.as_str(), channel.dialled.as_str(), channel.port);
                        assert_eq!(ends, (number, name, port));
                        assert_eq!(channel.dialler, if passive { "sd" } else { "fd" });
                    }
                    seen += 1;
                }
            }
            let (reading, writing) = (storage("one", 1, lan[0], first), storage("two", 2, lan[1], second));
            let channel = decide(Pair::Copy { reading: &reading, writing: &writing }).unwrap();
            let wanted = format!("two.{}", expected(lan, [first, second], true).unwrap());
            assert_eq!((channel.number, channel.address, channel.port), (Number::StorageToStorage, wanted, 2));
            assert_eq!((channel.dialler, channel.dialled), ("one".to_owned(), "two".to_owned()));
        }
    }
    assert_eq!(seen, 16 * 4 * 2 * 2);
}

#[test]
fn what_is_named_as_the_way_is_where_the_address_is_from() {
    for (lan, networks, via) in [
        ([true; 2], [&["b"], &["b"]], Via::Network("b".to_owned())),
        ([true; 2], [&["b"], &["c"]], Via::Lan),
        ([true, false], [&["b"], &["c"]], Via::Address),
        ([false, true], [&["b"], &["c"]], Via::Address),
    ] {
        let (client, storage) = (client(false, true, lan[0], networks[0]), storage("sd", 3, lan[1], networks[1]));
        assert_eq!(decide(Pair::Job { client: &client, storage: &storage }).unwrap().via, via);
    }
}

fn config() -> DirectorConfig {
    let mut config = json!({
        "director": { "name": "dir", "password": "x" },
        "clients": [side("laptop-fd", true, true, &["lan-a"]), side("server-fd", false, false, &[])],
        "storages": [],
    });
    config["clients"][1]["passive"] = json!(true);
    let mut config: DirectorConfig = serde_json::from_value(config).unwrap();
    config.storages = vec![storage("one-sd", 9103, true, &["lan-a", "lan-b"]), storage("two-sd", 9103, false, &[])];
    config.storages[1].address = "2001:db8::2".to_owned();
    config
}

#[test]
fn the_explanation_names_the_number_the_address_and_each_reason() {
    let explain = |client, storage, copy| explain(&config(), client, storage, copy);
    assert_eq!(
        explain(Some("laptop-fd"), Some("one-sd"), None).unwrap(),
        "Connection 6: file daemon \"laptop-fd\" dials storage daemon \"one-sd\" at one-sd.lan-a:9103, network lan-a\n  \
         - client \"laptop-fd\" is not passive, so its file daemon dials\n  \
         - both are in the network \"lan-a\"\n"
    );
    assert_eq!(
        explain(Some("laptop-fd"), Some("two-sd"), None).unwrap(),
        "Connection 6: file daemon \"laptop-fd\" dials storage daemon \"two-sd\" at [2001:db8::2]:9103, address\n  \
         - client \"laptop-fd\" is not passive, so its file daemon dials\n  \
         - no network decides: \"two-sd\" names none\n  \
         - LAN addresses count only if both have one: \"two-sd\" has none\n  \
         - so the `address` of \"two-sd\" counts\n"
    );
    assert_eq!(
        explain(Some("server-fd"), Some("two-sd"), None).unwrap(),
        "No data channel: storage \"two-sd\" has to dial the passive client \"server-fd\", which has no address that it \
         could use\n  \
         - client \"server-fd\" is passive, so the storage daemon dials\n  \
         - no network decides: neither \"two-sd\" nor \"server-fd\" names one\n  \
         - LAN addresses count only if both have one: neither \"two-sd\" nor \"server-fd\" has one\n\
         What to do: give the client an `address`, or both of them a network or a LAN address; or remove `passive`.\n"
    );
    let copy = explain(None, Some("one-sd"), Some("two-sd")).unwrap();
    assert!(
        copy.starts_with("Connection 8: storage daemon \"one-sd\" dials second storage daemon \"two-sd\" at "),
        "{copy}"
    );
}

#[test]
fn a_name_that_nothing_has_is_answered_with_the_nearest_one() {
    let explain = |client, storage| explain(&config(), client, storage, None).unwrap_err();
    assert_eq!(
        explain(Some("latop-fd"), Some("one-sd")),
        "There is no client \"latop-fd\"; did you mean \"laptop-fd\"?"
    );
    assert_eq!(explain(Some("laptop-fd"), Some("zzz")), "There is no storage \"zzz\".");
    assert!(explain(Some("laptop-fd"), None).starts_with("Name both ends: "));
}

#[test]
fn a_job_names_the_path_in_one_line() {
    let config = config();
    let pair = Pair::Job { client: &config.clients[0], storage: &config.storages[0] };
    assert_eq!(
        decide(pair).unwrap().path(),
        "data channel: file daemon dials storage daemon at one-sd.lan-a:9103 (connection 6), network lan-a"
    );
}
