//! `bconsole`: the console.

use super::super::build;
use super::super::read::Kind::{Number, Port, Text, Time};
use super::super::table::{Component, Directive, Resource, field, made, without};
use super::shared::{NAMED, TLS};

pub(in super::super) const COMPONENT: Component = Component {
    name: "bconsole",
    ron: "console.ron",
    file: "bconsole.conf",
    tree: "bconsole.d",
    build: build::console::build,
    resources: &[
        Resource { name: "Director", also: &["Directors"], rows: &[NAMED, DIRECTOR, TLS] },
        Resource { name: "Console", also: &["Consoles"], rows: &[NAMED, CONSOLE, TLS] },
    ],
};

const DIRECTOR: &[Directive] = &[
    field("Address", Text, "address").or(&["DirAddress"]),
    field("Port", Port, "port").or(&["DirPort"]),
    field("Password", Text, "password"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
];

const CONSOLE: &[Directive] = &[
    field("Password", Text, "password"),
    field("HeartbeatInterval", Time, "heartbeat_interval"),
    made("Director", Text, "the console is for the director of this name; without it, for the first"),
    without("RcFile", Text, "no commands are run at the start; write them to standard input"),
    without("HistoryFile", Text, "lines are not kept"),
    without("HistoryLength", Number, "lines are not kept"),
];
