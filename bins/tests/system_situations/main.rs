//! What Linux does in the situations that decide whether a backup works: the table to which the simulated world is held,
//! made in network namespaces. Needs root, `ip` and `nft`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod lab;
#[path = "../support/mod.rs"]
mod support;

use std::net::Shutdown;
use std::sync::Barrier;
use std::time::Duration;

use lab::{Family, Lab, Observed, PORT, says, says_and_waits};
use support::namespaces::Side::{Inside, Outside};
use towline_core::socket::{Keepalive, SocketOptions};
use towline_simtests::situations::{Row, rows};

/// The gateway of a situation.
fn rules(name: &str, family: Family) -> String {
    let word = family.word();
    let inner = |last| family.address(Inside, last).ip();
    let is_router = name.starts_with("routed") || name.starts_with("a rule for ranges");
    let masquerade = if is_router { "" } else { r#"oifname "wan0" masquerade"# };
    let forward = match name {
        "nobody has the address, behind the gateway" => format!("dnat {word} to {}", inner(77)),
        _ if name.starts_with("forward") || name.starts_with("two interfaces") => {
            format!("dnat {word} to {}", inner(10))
        }
        _ => "accept".to_owned(),
    };
    // Neighbours are asked for by ICMP in IPv6.
    let own = if name.ends_with("gateway answers") { "accept" } else { "meta l4proto tcp drop" };
    let rule = match name {
        "the gateway prohibits it" => format!("tcp dport {PORT} reject with icmpx admin-prohibited"),
        "the gateway resets it" => format!("tcp dport {PORT} reject with tcp reset"),
        "the gateway drops it for good" => format!("tcp dport {PORT} drop"),
        _ if name.starts_with("a rule for ranges") => ranges(name, family),
        _ if name.contains("only a SYN") => "tcp flags & (fin|syn|rst|ack) != syn ct state new drop".to_owned(),
        _ => String::new(),
    };
    format!(
        r#"table inet towline {{
            chain cut {{
            }}
            chain pre {{
                type nat hook prerouting priority dstnat
                iifname "wan0" tcp dport {PORT} {forward}
            }}
            chain post {{
                type nat hook postrouting priority srcnat
                {masquerade}
            }}
            chain own {{
                type filter hook input priority filter
                {own}
            }}
            chain through {{
                type filter hook forward priority filter; policy drop
                jump cut
                ct state invalid drop
                ct state established,related accept
                {rule}
                iifname "lan0" accept
                ct status dnat accept
            }}
        }}"#
    )
}

/// A rule that resets what comes from some addresses to some ports, and one that lets in what it is not about.
fn ranges(name: &str, family: Family) -> String {
    let (first, bits) = if name.ends_with("one address past") { (2, 1) } else { (0, 2) };
    let last = if name.ends_with("one port past") { PORT - 1 } else { PORT };
    let width = if family == Family::V4 { 32 } else { 128 };
    let prefix = format!("{}/{}", family.address(Outside, first).ip(), width - bits);
    let (word, from) = (family.word(), PORT - 2);
    format!("{word} saddr {prefix} tcp dport {from}-{last} reject with tcp reset\n tcp dport {PORT} accept")
}

/// The gateway forgets; then one end says a word to the other.
fn forgotten(lab: &Lab, dialler_is_inside: bool, inside_speaks: bool, to_gateway: bool) -> Observed {
    let (dials, answers) = if dialler_is_inside { ("inside", "outside") } else { ("outside", "inside") };
    let to = if to_gateway { lab.gateway() } else { lab.own(answers) };
    let (mut dialled, mut accepted) = lab.open(dials, answers, to, SocketOptions::default());
    lab.net.forget_connections("gateway");
    match inside_speaks == dialler_is_inside {
        true => says(&mut dialled, &mut accepted, b"word"),
        false => says(&mut accepted, &mut dialled, b"word"),
    }
}

fn observe(name: &str, lab: &Lab) -> Observed {
    let (what, rest) = name.split_once(", ").unwrap_or((name, ""));
    match what {
        "masquerade forgotten" => forgotten(lab, true, rest.starts_with("inside"), false),
        "forward forgotten" => forgotten(lab, false, rest.starts_with("inside"), true),
        "routed and forgotten" => forgotten(lab, true, rest.ends_with("dialler speaks"), false),
        "nobody has the address" if rest == "on the own link" => lab.dial("outside", lab.family.address(Outside, 77)),
        "nobody has the address" => lab.dial("outside", lab.gateway()),
        "no route" => lab.dial("outside", lab.family.address(Inside, 11)),
        "the gateway prohibits it" | "the gateway resets it" | "the gateway drops it for good" => {
            lab.dial("inside", lab.own("outside"))
        }
        "two interfaces" => two_interfaces(lab, rest),
        "a rule for ranges" => {
            let _door = lab.door("inside");
            lab.dial("outside", lab.own("inside"))
        }
        _ if what.contains("host") => by_firewall(lab, what, rest),
        _ => on_the_way(lab, what, rest),
    }
}

/// The host inside is outside too.
fn two_interfaces(lab: &Lab, rest: &str) -> Observed {
    let _door = lab.door("inside");
    match rest {
        "the answer leaves by the other" => lab.dial("outside", lab.gateway()),
        _ => lab.dial("outside", lab.family.address(Outside, 10)),
    }
}

/// Hosts with firewalls of their own.
fn by_firewall(lab: &Lab, what: &str, rest: &str) -> Observed {
    let _door = lab.door("outside");
    if what == "host firewall forgotten" {
        drop(_door);
        lab.net.nft(
            "inside",
            "table inet own {
                chain in {
                    type filter hook input priority filter
                    ct state invalid drop
                    ct state established,related accept
                    meta l4proto tcp drop
                }
                chain out {
                    type filter hook output priority filter
                    ct state invalid drop
                }
            }",
        );
        let (mut inside, mut outside) = lab.outwards(SocketOptions::default());
        lab.net.forget_connections("inside");
        return match rest.starts_with("inside") {
            true => says(&mut inside, &mut outside, b"word"),
            false => says(&mut outside, &mut inside, b"word"),
        };
    }
    let verdict = match what {
        _ if what.ends_with("prohibits it") => "reject with icmpx admin-prohibited",
        _ if what.ends_with("resets it") => "reject with tcp reset",
        _ => "drop",
    };
    let (host, hook) = if what.starts_with("the own host") { ("inside", "output") } else { ("outside", "input") };
    let chain = format!("chain c {{ type filter hook {hook} priority filter; tcp dport {PORT} {verdict}; }};");
    lab.net.nft(host, &format!("table inet own {{ {chain} }}"));
    lab.dial("inside", lab.own("outside"))
}

/// Something happens on the way of a connection that stands.
fn on_the_way(lab: &Lab, what: &str, rest: &str) -> Observed {
    let is_impatient = rest.ends_with("user time-out of 5 s") || what == "data unanswered";
    let (mut inside, mut outside) = lab.outwards(if is_impatient { impatient() } else { SocketOptions::default() });
    assert_eq!(says(&mut inside, &mut outside, b"word").0, "survives");
    match what {
        "data unanswered" => {
            lab.drop_at_gateway("");
            says(&mut inside, &mut outside, b"word")
        }
        "a word is lost for 5 s" => {
            lab.drop_at_gateway("");
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_secs(5));
                    lab.net.nft("gateway", "flush chain inet towline cut");
                });
                says(&mut inside, &mut outside, b"word")
            })
        }
        "only what goes out passes" => {
            lab.drop_at_gateway(r#"iifname "wan0""#);
            match rest.starts_with("inside") {
                true => says_and_waits(&mut inside, &mut outside),
                false => says(&mut outside, &mut inside, b"word"),
            }
        }
        "large segments are lost" => {
            lab.drop_at_gateway("meta length > 1300");
            says(&mut inside, &mut outside, if rest == "a page" { &[7; 4096] } else { b"word" })
        }
        "the uplink is too narrow and says so" | "the uplink is too narrow and silent" => {
            lab.narrow_uplink(1_300, what.ends_with("says so"));
            says(&mut inside, &mut outside, if rest == "a page" { &[7; 4096] } else { b"word" })
        }
        "the far uplink is cut" => {
            lab.net.set_cable("switch", "outside", false);
            says(&mut inside, &mut outside, b"word")
        }
        "the far uplink is cut for 5 s" => {
            lab.net.set_cable("switch", "outside", false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_secs(5));
                    lab.net.set_cable("switch", "outside", true);
                });
                says(&mut inside, &mut outside, b"word")
            })
        }
        "every twentieth segment is lost" => {
            lab.drop_at_gateway(r#"iifname "lan0" numgen inc mod 20 0"#);
            says(&mut inside, &mut outside, &vec![7; 1_000_000])
        }
        "half closed for 50 s" | "half closed for 70 s" => {
            inside.shutdown(Shutdown::Write).unwrap();
            // That much time has to pass.
            std::thread::sleep(Duration::from_secs(if what.contains("50") { 50 } else { 70 }));
            says(&mut outside, &mut inside, b"word")
        }
        _ => panic!("{what}, {rest}: no such situation"),
    }
}

/// A user time-out of 5 s.
fn impatient() -> SocketOptions {
    let (idle, interval) = (Duration::from_secs(60), Duration::from_secs(60));
    let keepalive = Keepalive { idle, interval, probes: Some(3), user_timeout: Some(Duration::from_secs(5)) };
    SocketOptions { keepalive: Some(keepalive), ..SocketOptions::default() }
}

/// What is wrong with a row in a family, if anything is.
fn wrong(row: Row, lab: &Lab) -> Option<String> {
    let (verdict, seconds) = observe(row.name, lab);
    let case = format!("{} (loose {}, {:?}): {verdict} after {seconds:?}", row.name, row.loose, lab.family);
    let apart = match (row.seconds, seconds) {
        (Some(expected), Some(took)) => (expected - took).abs() / (expected * 0.1).max(1.0),
        _ => 0.0,
    };
    (verdict != row.verdict || apart > 1.0).then_some(case)
}

#[test]
fn the_kernel_does_in_each_situation_what_the_table_says() {
    let cases: Vec<(Row, Family)> =
        rows().into_iter().flat_map(|row| [Family::V4, Family::V6].map(|family| (row, family))).collect();
    // Networks are made first, so that no measuring is disturbed by it.
    let ready = Barrier::new(cases.len());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let run = |&(row, family): &(Row, Family)| {
            let ready = &ready;
            scope.spawn(move || {
                let lab = Lab::new(family, row.loose, &rules(row.name, family));
                if row.name.starts_with("two interfaces") {
                    lab.second_interface();
                }
                ready.wait();
                wrong(row, &lab)
            })
        };
        let running: Vec<_> = cases.iter().map(run).collect();
        running.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} of {} differ from the table:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
