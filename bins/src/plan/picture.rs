//! A plan as a picture, SVG: networks as boxes in boxes, hosts with their daemons, and a numbered arrow for each connection,
//! green where it is made, red to the gateway that stops it. Legible on light and on dark paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use towline_simtests::calls::Outcome;

use super::topology::{Host, Network, Topology};
use super::trial::{Barrier, Connection, Tried};

/// Sizes in pixels.
const HOST_WIDTH: f64 = 170.0;
const LINE: f64 = 16.0;
const GAP: f64 = 36.0;
const GATEWAY: f64 = 26.0;

/// A box with its place.
#[derive(Clone, Copy, Debug, Default)]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn middle(self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// Where the line from its middle to a point leaves it.
    fn edge(self, to: (f64, f64)) -> (f64, f64) {
        let (x, y) = self.middle();
        let (dx, dy) = (to.0 - x, to.1 - y);
        let scale = |half: f64, delta: f64| if delta.abs() < 0.01 { f64::INFINITY } else { half / delta.abs() };
        let part = scale(self.width / 2.0, dx).min(scale(self.height / 2.0, dy)).min(1.0);
        (x + dx * part, y + dy * part)
    }
}

/// Where everything is, by its place in the topology.
#[derive(Debug, Default)]
struct Layout {
    networks: BTreeMap<usize, Area>,
    gateways: BTreeMap<usize, Area>,
    hosts: BTreeMap<usize, Area>,
}

/// The picture.
pub(super) fn svg(topology: &Topology, rows: &[Tried]) -> String {
    let mut layout = Layout::default();
    let outermost = topology.networks.iter().position(|network| network.gateway.is_none()).unwrap_or(0);
    let whole = place(topology, &mut layout, outermost, GAP / 2.0, GAP / 2.0);
    let (width, height) = (whole.width + GAP, whole.height + GAP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n{STYLE}"
    );
    for (place, area) in &layout.networks {
        if let Some(network) = topology.networks.get(*place) {
            network_box(&mut out, network, *area, layout.gateways.get(place).copied());
        }
    }
    for (place, area) in &layout.hosts {
        if let Some(host) = topology.hosts.get(*place) {
            host_box(&mut out, host, *area);
        }
    }
    arrows(&mut out, topology, &layout, rows);
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "<style>
  svg { background: #fff; font: 13px sans-serif; }
  .network { fill: #f4f6f8; stroke: #8a939c; }
  .host { fill: #fff; stroke: #333; }
  .gateway { fill: #dfe5ea; stroke: #8a939c; }
  text { fill: #111; } .name { font-weight: bold; } .small { font-size: 11px; }
  .made { stroke: #1a7f37; fill: none; } .made-fill { fill: #1a7f37; }
  .stopped { stroke: #c1121f; fill: none; stroke-dasharray: 6 4; } .stopped-fill { fill: #c1121f; }
  .number { fill: #fff; font-weight: bold; font-size: 11px; text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    svg { background: #15181b; } text { fill: #eee; }
    .network { fill: #1e2226; stroke: #6b747c; } .host { fill: #15181b; stroke: #ccc; }
    .gateway { fill: #30363c; stroke: #6b747c; }
    .made { stroke: #3fb950; } .made-fill { fill: #2b8a3e; } .stopped { stroke: #ff6b6b; } .stopped-fill { fill: #c92a2a; }
    .number { fill: #fff; }
  }
</style>
<defs>
  <marker id=\"made\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">
    <path d=\"M0 0 8 4 0 8z\" class=\"made-fill\"/></marker>
  <marker id=\"stopped\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">
    <path d=\"M0 0 8 4 0 8z\" class=\"stopped-fill\"/></marker>
</defs>
";

/// Places a network and all that is in it; returns its box. Hosts stand in a row, networks behind gateways in one below.
fn place(topology: &Topology, layout: &mut Layout, network: usize, x: f64, y: f64) -> Area {
    let Some(own) = topology.networks.get(network) else { return Area::default() };
    let is_inner = own.gateway.is_some();
    let top = y + if is_inner { GATEWAY } else { 0.0 } + LINE * 2.0;
    let (mut right, mut bottom) = (x + GAP / 2.0, top);
    for (at, host) in topology.hosts.iter().enumerate().filter(|(_, host)| host.network == own.name) {
        let height = LINE * 2.5 + LINE * host.daemons.len().max(1) as f64;
        layout.hosts.insert(at, Area { x: right, y: top, width: HOST_WIDTH, height });
        right += HOST_WIDTH + GAP;
        bottom = bottom.max(top + height);
    }
    let (mut far, below) = (x + GAP / 2.0, if bottom > top { bottom + GAP * 1.5 } else { top });
    let behind = |other: &Network| other.gateway.as_ref().is_some_and(|gateway| gateway.to == own.name);
    for (at, _) in topology.networks.iter().enumerate().filter(|(_, other)| behind(other)) {
        // A circle was refused when the topology was read.
        let inner = place(topology, layout, at, far, below);
        far += inner.width + GAP;
        bottom = bottom.max(below + inner.height);
    }
    let width = (right.max(far) - x - GAP / 2.0).max(HOST_WIDTH + GAP);
    let area = Area { x, y, width, height: bottom + GAP * 1.8 - y };
    layout.networks.insert(network, area);
    if is_inner {
        layout.gateways.insert(network, Area { x, y, width, height: GATEWAY });
    }
    area
}

fn network_box(out: &mut String, network: &Network, area: Area, gateway: Option<Area>) {
    let Area { x, y, width, height } = area;
    let _ = writeln!(
        out,
        "<rect class=\"network\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>"
    );
    let mut line = y + LINE * 1.2;
    if let (Some(area), Some(gateway)) = (gateway, &network.gateway) {
        let Area { x, y, width, height } = area;
        let kind = if gateway.translates { "translates" } else { "routes" };
        let text = escaped(&format!("gateway {} {kind}", gateway.address));
        let _ = writeln!(
            out,
            "<rect class=\"gateway\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>\n\
             <text class=\"small\" x=\"{:.0}\" y=\"{:.0}\">{text}</text>",
            x + 10.0,
            y + LINE * 1.1
        );
        line += GATEWAY;
    }
    let text = escaped(&format!("{} {}", network.name, network.addresses.join(" ")));
    let _ = writeln!(out, "<text class=\"name\" x=\"{:.0}\" y=\"{line:.0}\">{text}</text>", x + 10.0);
}

fn host_box(out: &mut String, host: &Host, area: Area) {
    let Area { x, y, width, height } = area;
    let _ = writeln!(
        out,
        "<rect class=\"host\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"4\"/>"
    );
    let wall = if host.firewall.is_some() { ", firewall" } else { "" };
    let address = format!("{}{wall}", host.address);
    let address = [("small", address.as_str())];
    let daemons = host.daemons.iter().map(|daemon| ("", daemon.as_str()));
    let lines = [("name", host.name.as_str())].into_iter().chain(address).chain(daemons);
    for (class, (at, text)) in lines.enumerate().map(|(at, (class, text))| (class, (at, text))) {
        let baseline = LINE.mul_add(at as f64 + 1.1, y);
        let text = escaped(text);
        let _ = writeln!(out, "<text class=\"{class}\" x=\"{:.0}\" y=\"{baseline:.0}\">{text}</text>", x + 8.0);
    }
}

/// One arrow for each pair of daemons and number: of several rows, the one that does not work.
fn arrows(out: &mut String, topology: &Topology, layout: &Layout, rows: &[Tried]) {
    let mut all: BTreeMap<(&str, &str, &str), &Connection> = BTreeMap::new();
    for one in rows.iter().flat_map(|tried| &tried.connections) {
        let known = all.entry((&one.from, &one.to, one.number.as_str())).or_insert(one);
        if !is_made(one) {
            *known = one;
        }
    }
    let mut between: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for ((from, to, number), connection) in all {
        let (Some(from), Some(to)) = (topology.host_of(from), topology.host_of(to)) else { continue };
        let (Some(&source), Some(&target)) = (layout.hosts.get(&from), layout.hosts.get(&to)) else { continue };
        let nth = between.entry((from.min(to), from.max(to))).or_default();
        let shift = f64::from(*nth) * 22.0;
        *nth += 1;
        if from == to {
            // Out at the right side of the host, and in again below.
            let (right, top) = (source.x + source.width, source.y + LINE);
            let bow = (right + GAP * 1.6, f64::midpoint(top, source.y + source.height - LINE));
            arrow(out, (right, top), bow, (right, source.y + source.height - LINE), number, is_made(connection));
            continue;
        }
        let stop = connection.stop.as_ref().and_then(|(barrier, _)| match barrier {
            Barrier::Gateway(network) => layout.gateways.get(&topology.network(network)?),
            Barrier::Firewall(_) => None,
        });
        let (begin, bow, end) = course(source, target, stop.copied(), shift);
        arrow(out, begin, bow, end, number, is_made(connection));
    }
}

/// Where an arrow begins, where it bows to, and where it ends. Below the hosts of one row, so that it crosses none of them.
fn course(source: Area, target: Area, stop: Option<Area>, shift: f64) -> ((f64, f64), (f64, f64), (f64, f64)) {
    let (from, to) = (source.middle(), target.middle());
    if stop.is_none() && (from.1 - to.1).abs() < LINE * 3.0 {
        let side = if from.0 < to.0 { 30.0 } else { -30.0 };
        let (begin, end) = (from.0 + side + shift, to.0 - side + shift);
        let (low, lower) = (source.y + source.height, target.y + target.height);
        let depth = 0.12_f64.mul_add((end - begin).abs(), low.max(lower) + 24.0);
        return ((begin, low), (f64::midpoint(begin, end), depth), (end, lower));
    }
    let (end_x, end_y) = match stop {
        Some(gateway) => (to.0, gateway.y + gateway.height / 2.0),
        None => target.edge(from),
    };
    let (begin_x, begin_y) = source.edge((end_x, end_y));
    let (begin, end) = ((begin_x + shift, begin_y), (end_x + shift, end_y));
    // A bow, so that arrows of one pair do not lie on each other.
    (begin, (f64::midpoint(begin.0, end.0) + 14.0 + shift, f64::midpoint(begin.1, end.1)), end)
}

fn is_made(connection: &Connection) -> bool {
    matches!(connection.outcome, Outcome::Open(_)) && connection.stop.is_none()
}

/// An arrow along a bow, with its number nearer to whoever dials.
fn arrow(out: &mut String, begin: (f64, f64), bow: (f64, f64), end: (f64, f64), number: &str, is_made: bool) {
    let class = if is_made { "made" } else { "stopped" };
    let at = |begin: f64, bow: f64, end: f64| 0.49_f64.mul_add(begin, 0.42_f64.mul_add(bow, 0.09 * end));
    let (x, y) = (at(begin.0, bow.0, end.0), at(begin.1, bow.1, end.1));
    let ((bx, by), (mx, my), (ex, ey)) = (begin, bow, end);
    let _ = writeln!(
        out,
        "<path class=\"{class}\" stroke-width=\"2\" marker-end=\"url(#{class})\" d=\"M{bx:.0} {by:.0} Q{mx:.0} {my:.0} {ex:.0} \
         {ey:.0}\"/>\n<circle class=\"{class}-fill\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"10\"/>\n<text class=\"number\" \
         x=\"{x:.0}\" y=\"{:.0}\">{}</text>",
        y + 4.0,
        escaped(number)
    );
}

/// Text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
