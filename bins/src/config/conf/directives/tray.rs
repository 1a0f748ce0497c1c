//! `tray-monitor`: the tray monitor.

use super::super::build;
use super::super::read::Kind::{Port, Text, Time};
use super::super::table::{Component, Directive, Resource, field, made, without};
use super::shared::{NAMED, NOTED, TLS};

pub(in super::super) const COMPONENT: Component = Component {
    name: "tray-monitor",
    ron: "towline-tray.ron",
    file: "tray-monitor.conf",
    tree: "tray-monitor.d",
    build: build::tray::build,
    resources: &[
        Resource { name: "Monitor", also: &["Monitors"], rows: &[NAMED, MONITOR, TLS] },
        Resource { name: "Director", also: &["Directors"], rows: &[NAMED, DAEMON, TLS] },
        Resource { name: "Client", also: &["Clients"], rows: &[NAMED, DAEMON, WITH_PASSWORD, TLS] },
        Resource { name: "Storage", also: &["Storages"], rows: &[NAMED, DAEMON, WITH_PASSWORD, TLS] },
        Resource { name: "ConsoleFont", also: &["ConsoleFonts"], rows: &[NOTED, FONT] },
    ],
};

const MONITOR: &[Directive] = &[
    made("Password", Text, "is the password at each director"),
    field("RefreshInterval", Time, "refresh_interval"),
    made("DirConnectTimeout", Time, "the longest of the three is `timeout`"),
    made("FdConnectTimeout", Time, "the longest of the three is `timeout`"),
    made("SdConnectTimeout", Time, "the longest of the three is `timeout`"),
];

const DAEMON: &[Directive] = &[
    field("Address", Text, "address").or(&["DirAddress", "FdAddress", "SdAddress"]),
    field("Port", Port, "port").or(&["DirPort", "FdPort", "SdPort"]),
];

const WITH_PASSWORD: &[Directive] = &[field("Password", Text, "password").or(&["FdPassword", "SdPassword"])];

const FONT: &[Directive] = &[without("Font", Text, "the terminal has the font")];
