//! The grid as tables for people: a row for each way to place the three daemons, a column for each mode.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use towline_simtests::oracle::{Case, Given, Heartbeat, Leg, Mode, Row, Stop, Verdict, View, Who, rows};

/// What is said above the rows.
const HEAD: [&str; 3] = [
    "A backup in which nothing is said for longer than the boxes remember a connection, for each way to place the director, \
     the client and the storage daemon, and for each mode. Places with the same letter are one LAN behind one box.",
    "Works: it ends well. Works until idle: it ends well if the heartbeat interval is not above the time after which boxes \
     forget, or if nothing is silent for that long. Otherwise the connection that fails first is named, and where it ends.",
    "A cell begins with what happens when the daemons' names resolve to the addresses that they have outside. What is \
     different comes after it: \"LAN\" where client and storage daemon both have a LAN address, or both are in one network \
     of the director's configuration; \"split names\" where a name resolves to the inner address within its own LAN; \
     \"inner names\" where it does so everywhere.",
];

/// The words of the table in text.
const SHORT: &str = "In few words: D, C and S are director, client and storage daemon, and \"D>S not in\" says that the \
     director dials the storage daemon, whose box lets nobody in; \"not out\": the box of the one who dials lets nothing \
     out; \"no hairpin\": both are behind one box, which does not lead from inside to itself; \"no route\": the dialler's own \
     host knows no way to the address; \"unreachable\": a router on the way knows none.";

/// How addresses are known: by the names in this view, or by LAN addresses and networks.
type Way = (View, bool);

/// What comes of a job, whatever the heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Works,
    UntilIdle,
    Fails(Leg, Stop),
}

/// Compares a table with the committed one.
pub(crate) fn hold(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let first = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
    assert!(found == wanted, "run this test with BLESS=1 and look at what changes in {file}; first: {first:#?}");
}

/// The table as text.
pub(crate) fn text() -> String {
    let head = ["director", "client", "storage"].map(str::to_owned);
    let modes = Mode::ALL.map(|mode| mode.to_string());
    let mut lines: Vec<Vec<String>> = vec![head.into_iter().chain(modes).collect()];
    for row in rows() {
        let cells = Mode::ALL.map(|mode| cell(row, mode).iter().map(part).collect::<Vec<_>>().join("; "));
        lines.push(places(row).into_iter().chain(cells).collect());
    }
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut text = String::new();
    for paragraph in HEAD.into_iter().chain([SHORT]) {
        let _never_fails = writeln!(text, "{}\n", wrapped(paragraph));
    }
    for line in lines {
        let padded: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        let _never_fails = writeln!(text, "{}", padded.join(" | ").trim_end());
    }
    text
}

/// A paragraph in lines of at most 120 letters.
fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= 120 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// The table as a page that needs nothing else.
pub(crate) fn html() -> String {
    let mut page = format!("{PAGE}<h1>What works where</h1>\n");
    for paragraph in HEAD {
        let _never_fails = writeln!(page, "<p>{paragraph}</p>");
    }
    page.push_str("<table>\n<thead><tr><th>director</th><th>client</th><th>storage</th>");
    for mode in Mode::ALL {
        let _never_fails = write!(page, "<th>{mode}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows() {
        page.push_str("<tr>");
        for place in places(row) {
            let _never_fails = write!(page, "<th>{place}</th>");
        }
        for mode in Mode::ALL {
            let parts = cell(row, mode).iter().map(html_part).collect::<String>();
            let _never_fails = write!(page, "<td>{parts}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</body>\n</html>\n");
    page
}

/// The places of a row, with the letters of their LANs where two are in one.
fn places(row: Row) -> [String; 3] {
    Who::ALL.map(|who| {
        let has_neighbour = Who::ALL.into_iter().any(|other| other != who && row.together(who, other));
        let letter = if has_neighbour { format!(" {}", char::from(b'A' + row.lan(who))) } else { String::new() };
        format!("{}{letter}", row.place(who))
    })
}

/// What is said of a row in a mode: first what happens by public names, then what is different.
fn cell(row: Row, mode: Mode) -> Vec<(Option<Way>, Said)> {
    let by_way = by_way(row, mode);
    let first = by_way[&(View::Public, false)];
    let mut cell = vec![(None, first)];
    for (way, said) in by_way {
        // What the names of a view do alone, LAN addresses need not repeat.
        let known = cell.iter().rev().find(|(known, _)| known.is_none_or(|(view, _)| view == way.0));
        if known.is_none_or(|(_, before)| *before != said) {
            cell.push((Some(way), said));
        }
    }
    cell
}

/// All cases of a row in a mode, by how addresses are known.
fn by_way(row: Row, mode: Mode) -> BTreeMap<Way, Said> {
    let mut all: BTreeMap<Way, Said> = BTreeMap::new();
    for view in row.views() {
        for (lan_address, networks) in Given::ALL.into_iter().flat_map(|one| Given::ALL.map(|other| (one, other))) {
            let verdict =
                |heartbeat| Case { row, mode, lan_address, networks, view, heartbeat, loose: false }.verdict();
            let said = match (verdict(Heartbeat::Below), verdict(Heartbeat::At), verdict(Heartbeat::Above)) {
                (Verdict::Works, Verdict::Works, Verdict::Works) => Said::Works,
                (Verdict::Works, Verdict::Works, Verdict::UntilIdle) => Said::UntilIdle,
                (Verdict::Fails(leg, stop), at, above) if at == above && at == Verdict::Fails(leg, stop) => {
                    Said::Fails(leg, stop)
                }
                other => panic!("heartbeats make an odd difference: {row:?} {mode:?} {view:?} {other:?}"),
            };
            let way = (view, lan_address == Given::Both || networks == Given::Both);
            let before = all.insert(way, said);
            assert!(
                before.is_none_or(|before| before == said),
                "more counts than both have: {row:?} {mode:?} {view:?}"
            );
        }
    }
    all
}

/// The same in few words, of which [`SHORT`] says what they mean.
fn part((way, said): &(Option<Way>, Said)) -> String {
    let letter = |who| match who {
        Who::Director => 'D',
        Who::Client => 'C',
        Who::Storage => 'S',
    };
    let said = match *said {
        Said::Works => "works".to_owned(),
        Said::UntilIdle => "until idle".to_owned(),
        Said::Fails(Leg { from, to }, stop) => {
            let why = match stop {
                Stop::NotOut => "not out",
                Stop::NotIn => "not in",
                Stop::NoHairpin => "no hairpin",
                Stop::NoRoute => "no route",
                Stop::Unreachable => "unreachable",
            };
            format!("{}>{} {why}", letter(from), letter(to))
        }
    };
    way.map_or_else(|| said.clone(), |way| format!("{}: {said}", way_of(way)))
}

fn html_part((way, said): &(Option<Way>, Said)) -> String {
    let class = match said {
        Said::Works => "works",
        Said::UntilIdle => "idle",
        Said::Fails(..) => "fails",
    };
    let way = way.map_or_else(String::new, |way| format!("<small>{}</small> ", way_of(way)));
    format!("<div>{way}<span class=\"{class}\">{}</span></div>", said_of(*said))
}

const fn way_of(way: Way) -> &'static str {
    match way {
        (View::Public, false) => "names",
        (View::Public, true) => "LAN",
        (View::Split, false) => "split names",
        (View::Split, true) => "split names, LAN",
        (View::Inner, false) => "inner names",
        (View::Inner, true) => "inner names, LAN",
    }
}

fn said_of(said: Said) -> String {
    match said {
        Said::Works => "works".to_owned(),
        Said::UntilIdle => "works until idle".to_owned(),
        Said::Fails(Leg { from, to }, stop) => {
            let why = match stop {
                Stop::NotOut => format!("{from}'s box lets nothing out"),
                Stop::NotIn => format!("{to}'s box lets nobody in"),
                Stop::NoHairpin => "no hairpin".to_owned(),
                Stop::NoRoute => "no route".to_owned(),
                Stop::Unreachable => "unreachable".to_owned(),
            };
            format!("{from} to {to}: {why}")
        }
    }
}

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What works where</title>
<style>
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --line: #d0d7de; --head: #f3f5f7;
  --works: #116329; --idle: #7d4e00; --fails: #a40e26; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --text: #e6edf3; --line: #3d444d; --head: #1c2128; --works: #56d364; --idle: #e3b341; --fails: #ff7b72; }
}
body { background: var(--ground); color: var(--text); font: 14px/1.4 system-ui, sans-serif; margin: 2em; }
p { max-width: 60em; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .3em .6em; text-align: left; vertical-align: top; }
thead th { background: var(--head); position: sticky; top: 0; }
tbody th { font-weight: 600; white-space: nowrap; }
.works { color: var(--works); font-weight: 600; }
.idle { color: var(--idle); }
.fails { color: var(--fails); }
</style>
</head>
<body>
"#;
