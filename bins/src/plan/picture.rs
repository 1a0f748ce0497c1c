//! A plan as a picture, SVG: networks as boxes in boxes, hosts with their daemons, and a numbered arrow for each connection,
//! green where it is made, red to the gateway that stops it. Legible on light and on dark paper.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use towline_simtests::calls::Outcome;

use super::topology::{Host, Interface, Network, Topology};
use super::trial::{Barrier, Connection, Tried, Uplink};

/// Sizes in pixels.
const HOST_WIDTH: f64 = 170.0;
const LINE: f64 = 16.0;
const GAP: f64 = 36.0;
const GATEWAY: f64 = 26.0;
/// How wide a row of boxes becomes before another one begins below it.
const WIDEST: f64 = 1_400.0;
/// The longest that is written on a gateway with an address of IPv4.
const GATEWAY_LABEL: &str = "gateway 255.255.255.255 translates";

/// A box with its place.
#[derive(Clone, Copy, Debug, Default)]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn meets(self, other: Self) -> bool {
        let apart = self.x + self.width < other.x || other.x + other.width < self.x;
        !apart && self.y < other.y + other.height && other.y < self.y + self.height
    }

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
    /// What is written outside of hosts: no number may cover it.
    labels: Vec<Area>,
}

impl Layout {
    /// Adds another one at this place.
    fn add(&mut self, other: Self, (dx, dy): (f64, f64)) {
        let moved = |area: Area| Area { x: area.x + dx, y: area.y + dy, ..area };
        let all = |of: BTreeMap<usize, Area>| of.into_iter().map(move |(at, area)| (at, moved(area)));
        self.networks.extend(all(other.networks));
        self.gateways.extend(all(other.gateways));
        self.hosts.extend(all(other.hosts));
        self.labels.extend(other.labels.into_iter().map(moved));
    }
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
    // Over the arrows that cross it.
    let mut labels = String::new();
    for (place, area) in &layout.networks {
        if let Some(network) = topology.networks.get(*place) {
            network_box((&mut out, &mut labels), network, *area, layout.gateways.get(place).copied());
        }
    }
    // Arrows pass behind hosts, and their numbers stand beside them.
    let numbers = arrows(&mut out, topology, &layout, rows);
    for (place, area) in &layout.hosts {
        if let Some(host) = topology.hosts.get(*place) {
            host_box(&mut out, host, *area);
        }
    }
    out.push_str(&labels);
    out.push_str(&numbers);
    out.push_str("</svg>\n");
    out
}

const STYLE: &str = "<style>
  svg { background: #fff; font: 13px sans-serif; }
  .network { fill: #f4f6f8; stroke: #8a939c; }
  .host { fill: #fff; stroke: #333; }
  .gateway { fill: #dfe5ea; stroke: #8a939c; }
  text { fill: #111; } .name { font-weight: bold; } .small { font-size: 11px; }
  .within, .crossing { paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }
  .within { stroke: #f4f6f8; } .crossing { stroke: #dfe5ea; }
  .made { stroke: #1a7f37; fill: none; } .made-fill { fill: #1a7f37; }
  .stopped { stroke: #c1121f; fill: none; stroke-dasharray: 6 4; } .stopped-fill { fill: #c1121f; }
  .number { fill: #fff; font-weight: bold; font-size: 11px; text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    svg { background: #15181b; } text { fill: #eee; }
    .network { fill: #1e2226; stroke: #6b747c; } .host { fill: #15181b; stroke: #ccc; }
    .gateway { fill: #30363c; stroke: #6b747c; }
    .made { stroke: #3fb950; } .made-fill { fill: #2b8a3e; } .stopped { stroke: #ff6b6b; } .stopped-fill { fill: #c92a2a; }
    .within { stroke: #1e2226; } .crossing { stroke: #30363c; }
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
    let left = x + GAP / 2.0;
    let mut hosts = Rows::new(left, top);
    for (at, host) in topology.hosts.iter().enumerate().filter(|(_, host)| host.network == own.name) {
        let height = LINE * 2.5 + LINE * (host.daemons.len().max(1) + host.interfaces.len()) as f64;
        let width = host_width(host);
        // Between rows of hosts there is room for bows.
        let (x, y) = hosts.next(width, GAP * 1.8);
        layout.hosts.insert(at, Area { x, y, width, height });
        hosts.took(width, height);
    }
    let bottom = hosts.bottom;
    let mut inner = Rows::new(left, if bottom > top { bottom + GAP * 1.5 } else { top });
    let behind = |other: &Network| other.gateway.as_ref().is_some_and(|gateway| gateway.to == own.name);
    for (at, _) in topology.networks.iter().enumerate().filter(|(_, other)| behind(other)) {
        // A circle was refused when the topology was read.
        let mut own = Layout::default();
        let area = place(topology, &mut own, at, 0.0, 0.0);
        layout.add(own, inner.next(area.width, GAP));
        inner.took(area.width, area.height);
    }
    let (right, far, bottom) = (hosts.right, inner.right, bottom.max(inner.bottom));
    let names = format!("{} {}", own.name, own.addresses.join(" "));
    let least = (HOST_WIDTH + GAP).max(written(&names) + 20.0);
    let width = (right.max(far) - x - GAP / 2.0).max(least);
    // Below hosts there are bows.
    let margin = if far > left { GAP / 2.0 } else { GAP * 1.8 };
    let area = Area { x, y, width, height: bottom + margin - y };
    let line = |text: &str, row: f64, height: f64| Area { x: x + 10.0, y: y + row, width: written(text), height };
    layout.labels.push(line(&names, if is_inner { GATEWAY } else { 0.0 }, LINE * 1.5));
    if is_inner {
        layout.labels.push(line(GATEWAY_LABEL, 0.0, GATEWAY));
    }
    layout.networks.insert(network, area);
    if is_inner {
        layout.gateways.insert(network, Area { x, y, width, height: GATEWAY });
    }
    area
}

/// Boxes side by side, in as many rows as they need.
struct Rows {
    left: f64,
    /// Where the next one begins.
    at: (f64, f64),
    /// Where the widest row ends, with the gap after it, and the lowest box.
    right: f64,
    bottom: f64,
}

impl Rows {
    const fn new(left: f64, top: f64) -> Self {
        Self { left, at: (left, top), right: left, bottom: top }
    }

    /// The place of a box of this width; of a new row, so far below the last one.
    fn next(&mut self, width: f64, apart: f64) -> (f64, f64) {
        if self.at.0 > self.left && self.at.0 + width > self.left + WIDEST {
            self.at = (self.left, self.bottom + apart);
        }
        self.at
    }

    /// A box of this size stands there.
    fn took(&mut self, width: f64, height: f64) {
        self.bottom = self.bottom.max(self.at.1 + height);
        self.at.0 += width + GAP;
        self.right = self.right.max(self.at.0);
    }
}

/// About how wide a text is.
fn written(text: &str) -> f64 {
    text.chars().count() as f64 * 7.6
}

fn host_width(host: &Host) -> f64 {
    let interfaces: Vec<String> = host.interfaces.iter().map(interface).collect();
    let texts = host.daemons.iter().chain([&host.name]).chain(&interfaces);
    texts.map(|text| written(text) + 20.0).fold(HOST_WIDTH, f64::max)
}

/// How one more interface of a host is written into its box.
fn interface(of: &Interface) -> String {
    format!("{} in {}", of.address, of.network)
}

fn network_box((out, labels): (&mut String, &mut String), network: &Network, area: Area, gateway: Option<Area>) {
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
            "<rect class=\"gateway\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\"/>"
        );
        let (x, y) = (x + 10.0, y + LINE * 1.1);
        let _ = writeln!(labels, "<text class=\"small crossing\" x=\"{x:.0}\" y=\"{y:.0}\">{text}</text>");
        line += GATEWAY;
    }
    let text = escaped(&format!("{} {}", network.name, network.addresses.join(" ")));
    let x = x + 10.0;
    let _ = writeln!(labels, "<text class=\"name within\" x=\"{x:.0}\" y=\"{line:.0}\">{text}</text>");
}

fn host_box(out: &mut String, host: &Host, area: Area) {
    let Area { x, y, width, height } = area;
    let _ = writeln!(
        out,
        "<rect class=\"host\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"4\"/>"
    );
    let wall = if host.firewall.is_some() { ", firewall" } else { "" };
    let address = format!("{}{wall}", host.address);
    let interfaces: Vec<String> = host.interfaces.iter().map(interface).collect();
    let address = [&address].into_iter().chain(&interfaces).map(|text| ("small", text.as_str()));
    let daemons = host.daemons.iter().map(|daemon| ("", daemon.as_str()));
    let lines = [("name", host.name.as_str())].into_iter().chain(address).chain(daemons);
    for (class, (at, text)) in lines.enumerate().map(|(at, (class, text))| (class, (at, text))) {
        let baseline = LINE.mul_add(at as f64 + 1.1, y);
        let text = escaped(text);
        let _ = writeln!(out, "<text class=\"{class}\" x=\"{:.0}\" y=\"{baseline:.0}\">{text}</text>", x + 8.0);
    }
}

/// One arrow for each pair of daemons and number: of several rows, the one that does not work. Returns their numbers, which go
/// over all else.
fn arrows(out: &mut String, topology: &Topology, layout: &Layout, rows: &[Tried]) -> String {
    let mut all: BTreeMap<(&str, &str, &str), &Connection> = BTreeMap::new();
    for one in rows.iter().flat_map(|tried| &tried.connections) {
        let known = all.entry((&one.from, &one.to, one.number.as_str())).or_insert(one);
        if !is_made(one) {
            *known = one;
        }
    }
    let mut drawn = Vec::new();
    for ((from, to, number), connection) in all {
        let (Some(from), Some(to)) = (topology.host_of(from), topology.host_of(to)) else { continue };
        let (Some(&source), Some(&target)) = (layout.hosts.get(&from), layout.hosts.get(&to)) else { continue };
        let stop = connection.stop.as_ref().and_then(|(barrier, _)| match barrier {
            Barrier::Gateway(network) | Barrier::Uplink(Uplink::Network(network)) => {
                layout.gateways.get(&topology.network(network)?).copied()
            }
            Barrier::Firewall(_) | Barrier::Uplink(Uplink::Host(_)) => None,
        });
        drawn.push(Arrow { ends: (from, to), source, target, stop, number, is_made: is_made(connection) });
    }
    // Short ones first, so that bows lie in one another.
    let length = |arrow: &Arrow<'_>| (arrow.source.middle().0 - arrow.target.middle().0).abs();
    drawn.sort_by(|one, other| length(one).total_cmp(&length(other)));
    let mut slots = Slots::default();
    let mut taken: Vec<Area> = layout.labels.iter().chain(layout.hosts.values()).copied().collect();
    let mut numbers = String::new();
    for one in drawn {
        let number = arrow((out, &mut numbers), slots.course(&one), (one.number, one.is_made), &taken);
        taken.push(number);
    }
    numbers
}

/// An arrow that is to be drawn.
struct Arrow<'a> {
    /// The places of the two hosts.
    ends: (usize, usize),
    source: Area,
    target: Area,
    /// The gateway that it ends at.
    stop: Option<Area>,
    number: &'a str,
    is_made: bool,
}

/// Where arrows have begun and ended so far.
#[derive(Default)]
struct Slots {
    /// Below a host, at its left and at its right.
    below: BTreeMap<(usize, bool), u32>,
    /// Between two hosts of different rows.
    between: BTreeMap<(usize, usize), u32>,
}

/// Where an arrow begins, where it bows to, and where it ends.
type Course = ((f64, f64), (f64, f64), (f64, f64));

impl Slots {
    fn course(&mut self, arrow: &Arrow<'_>) -> Course {
        let Arrow { ends: (from, to), source, target, stop, .. } = *arrow;
        if from == to {
            // Out at the right side of the host, and in again below.
            let (right, top, bottom) = (source.x + source.width, source.y + LINE, source.y + source.height - LINE);
            return ((right, top), (right + GAP * 1.6, f64::midpoint(top, bottom)), (right, bottom));
        }
        let (left, right) = (source.middle(), target.middle());
        if stop.is_none() && (left.1 - right.1).abs() < LINE * 3.0 {
            // Below the hosts of one row, so that it crosses none of them.
            let goes_right = left.0 < right.0;
            let (begin, end) = (self.below(from, source, goes_right), self.below(to, target, !goes_right));
            let depth = 0.12_f64.mul_add((end.0 - begin.0).abs(), begin.1.max(end.1) + 24.0);
            return (begin, (f64::midpoint(begin.0, end.0), depth), end);
        }
        let nth = self.between.entry((from.min(to), from.max(to))).or_default();
        let shift = f64::from(*nth) * 22.0;
        *nth += 1;
        let (end_x, end_y) = match stop {
            Some(gateway) => {
                // Beside its label.
                let beside = right.0.max(gateway.x + written(GATEWAY_LABEL));
                (beside.min(gateway.x + gateway.width - 14.0), gateway.y + gateway.height / 2.0)
            }
            None => target.edge(left),
        };
        let (begin_x, begin_y) = source.edge((end_x, end_y));
        let (begin, end) = ((begin_x + shift, begin_y), (end_x + shift, end_y));
        // A bow, so that arrows of one pair do not lie on each other.
        (begin, (f64::midpoint(begin.0, end.0) + 14.0 + shift, f64::midpoint(begin.1, end.1)), end)
    }

    /// The next place below a host, from its left or its right on.
    fn below(&mut self, host: usize, area: Area, from_right: bool) -> (f64, f64) {
        let nth = self.below.entry((host, from_right)).or_default();
        let inward = f64::from(*nth).mul_add(16.0, 20.0).min(area.width / 2.0);
        *nth += 1;
        let x = if from_right { area.x + area.width - inward } else { area.x + inward };
        (x, area.y + area.height)
    }
}

fn is_made(connection: &Connection) -> bool {
    matches!(connection.outcome, Outcome::Open(_)) && connection.stop.is_none()
}

/// How far along an arrow its number may stand, the best first: nearer to whoever dials.
const ALONG: [f64; 9] = [0.3, 0.24, 0.36, 0.18, 0.42, 0.5, 0.6, 0.7, 0.8];

/// An arrow along a bow, with its number where nothing else is; the place of that.
fn arrow(
    (out, numbers): (&mut String, &mut String),
    (begin, bow, end): Course,
    (number, is_made): (&str, bool),
    taken: &[Area],
) -> Area {
    let class = if is_made { "made" } else { "stopped" };
    let at = |part: f64| {
        let rest = 1.0 - part;
        let on = |begin: f64, bow: f64, end: f64| rest * rest * begin + 2.0 * rest * part * bow + part * part * end;
        let (x, y) = (on(begin.0, bow.0, end.0), on(begin.1, bow.1, end.1));
        Area { x: x - 11.0, y: y - 11.0, width: 22.0, height: 22.0 }
    };
    let is_free = |place: &Area| !taken.iter().any(|other| other.meets(*place));
    let place = ALONG.map(at).into_iter().find(is_free).unwrap_or_else(|| at(ALONG[0]));
    let ((x, y), (bx, by), (mx, my), (ex, ey)) = (place.middle(), begin, bow, end);
    let _ = writeln!(
        out,
        "<path class=\"{class}\" stroke-width=\"2\" marker-end=\"url(#{class})\" d=\"M{bx:.0} {by:.0} Q{mx:.0} {my:.0} {ex:.0} \
         {ey:.0}\"/>"
    );
    let _ = writeln!(
        numbers,
        "<circle class=\"{class}-fill\" cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"10\"/>\n<text class=\"number\" x=\"{x:.0}\" \
         y=\"{:.0}\">{}</text>",
        y + 4.0,
        escaped(number)
    );
    place
}

/// Text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
