//! Linux network namespaces as the hosts of a small network:
//!
//! ```text
//!      outside hosts 192.0.2.x             inner hosts 10.0.0.x
//!              └─── switch ─── gateway ─── inner switch ───┘
//!                       .254 wan0   lan0 .254
//! ```
//! A network that speaks IPv6 too has the same numbers in 2001:db8::/64 and fd00::/64. They are gone with their value. What a run leaves behind that was killed, its processes too, the next one removes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Protocol, Socket, Type};

/// What all namespaces' names begin with; then comes who made them, see [`own_mark`].
const PREFIX: &str = "towline-";

/// Where a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Behind the gateway.
    Inside,
    /// In the open.
    Outside,
}

/// The namespaces of one test.
#[derive(Debug)]
pub struct Namespaces {
    prefix: String,
    names: Vec<String>,
}

impl Namespaces {
    /// None yet.
    pub fn none() -> Self {
        assert!(towline::disk::meta::is_root(), "this test needs root");
        remove_what_the_dead_left();
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("{PREFIX}{}-{}-", own_mark(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { prefix, names: Vec::new() }
    }

    /// A switch, a gateway that follows these rules, and an inner switch; no host yet.
    pub fn new(rules: &str) -> Self {
        let mut new = Self::none();
        new.switch("switch");
        new.add("gateway");
        new.switch("inner");
        new.plug("gateway", "wan0", "switch");
        new.plug("gateway", "lan0", "inner");
        new.ip("gateway", "addr add 192.0.2.254/24 dev wan0");
        new.ip("gateway", "addr add 10.0.0.254/24 dev lan0");
        new.set("gateway", "net/ipv4/ip_forward", "1");
        // What belongs to no connection it knows is not let through again without a SYN, as with a firewall that is sold.
        new.set("gateway", "net/netfilter/nf_conntrack_tcp_loose", "0");
        new.nft("gateway", rules);
        new
    }

    /// The same with these hosts: the name, where it is, and the last number of its address.
    pub fn with_hosts(rules: &str, hosts: &[(&str, Side, u8)]) -> Self {
        let mut new = Self::new(rules);
        hosts.iter().for_each(|&(name, side, last)| new.host(name, side, last));
        new
    }

    /// Adds a host with this last number of its address.
    pub fn host(&mut self, name: &str, side: Side, last: u8) {
        self.add(name);
        match side {
            Side::Outside => {
                self.plug(name, "eth0", "switch");
                self.ip(name, &format!("addr add 192.0.2.{last}/24 dev eth0"));
            }
            Side::Inside => {
                self.plug(name, "eth0", "inner");
                self.ip(name, &format!("addr add 10.0.0.{last}/24 dev eth0"));
                self.ip(name, "route add default via 10.0.0.254");
            }
        }
    }

    /// Gives the gateway and these hosts their addresses of IPv6.
    pub fn speak_six(&self, hosts: &[(&str, Side, u8)]) {
        // Nobody is asked whether an address is free: it is there at once.
        let add = |name: &str, port: &str, address: &str| {
            self.set(name, "net/ipv6/conf/all/accept_dad", "0");
            self.ip(name, &format!("addr add {address}/64 dev {port} nodad"));
        };
        add("gateway", "wan0", "2001:db8::254");
        add("gateway", "lan0", "fd00::254");
        self.set("gateway", "net/ipv6/conf/all/forwarding", "1");
        for &(name, side, last) in hosts {
            match side {
                Side::Outside => add(name, "eth0", &format!("2001:db8::{last}")),
                Side::Inside => {
                    add(name, "eth0", &format!("fd00::{last}"));
                    self.ip(name, "-6 route add default via fd00::254");
                }
            }
        }
    }

    /// Does something as a thread of this process on a host: the sockets that it makes are the host's, and stay so.
    pub fn within<T: Send>(&self, host: &str, act: impl FnOnce() -> T + Send) -> T {
        let place = File::open(format!("/var/run/netns/{}", self.full(host))).unwrap();
        let moved = || {
            move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            act()
        };
        std::thread::scope(|scope| scope.spawn(moved).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// A host, or the gateway, forgets all connections that it tracks.
    pub fn forget_connections(&self, host: &str) {
        // `nlmsghdr` and `nfgenmsg`: delete, acknowledge; of `NFNL_SUBSYS_CTNETLINK`, `IPCTNL_MSG_CT_DELETE`, of any family.
        let (length, kind, flags, number) = (20_u32, 0x0102_u16, 5_u16, 1_u32);
        let head = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &flags.to_ne_bytes(), &number.to_ne_bytes()];
        let message = [&head.concat()[..], &[0; 8]].concat();
        let answer = self.within(host, || {
            // `AF_NETLINK` and `NETLINK_NETFILTER`.
            let mut socket = Socket::new(Domain::from(16), Type::RAW, Some(Protocol::from(12))).unwrap();
            socket.write_all(&message).unwrap();
            let mut answer = [0; 64];
            let read = socket.read(&mut answer).unwrap();
            assert!(read >= 20, "a short answer: {read} bytes");
            answer
        });
        // `NLMSG_ERROR` with the error 0.
        assert_eq!((&answer[4..6], &answer[16..20]), (&2_u16.to_ne_bytes()[..], &[0; 4][..]), "{answer:?}");
    }

    /// What becomes a program on a host when the program follows. It ends with this thread, even if that is killed.
    pub fn on(&self, host: &str) -> Vec<PathBuf> {
        let name = self.full(host);
        ["ip", "netns", "exec", &name, "setpriv", "--pdeathsig", "KILL"].iter().map(PathBuf::from).collect()
    }

    /// What becomes a daemon on a host, on this runtime; its options may follow.
    pub fn daemon_on(&self, host: &str, program: &str, runtime: &str) -> Vec<PathBuf> {
        let mut words = self.on(host);
        words.extend([program, "--runtime", runtime].map(PathBuf::from));
        words
    }

    /// Has a host's firewall, or the gateway's, changed or listed by a script; what that prints.
    pub fn nft(&self, host: &str, script: &str) -> String {
        said(Command::new("ip").args(["netns", "exec", &self.full(host), "nft", script]))
    }

    /// Says `ip` something on a host.
    pub fn ip(&self, host: &str, words: &str) {
        said(Command::new("ip").args(["-n", &self.full(host)]).args(words.split(' ')));
    }

    /// Sets something of the kernel for a host.
    pub fn set(&self, host: &str, key: &str, value: &str) {
        let script = format!("echo {value} > /proc/sys/{key}");
        said(Command::new("ip").args(["netns", "exec", &self.full(host), "sh", "-c", &script]));
    }

    /// The TCP sockets of a host, one a line as `ss` prints them.
    pub fn sockets(&self, host: &str) -> String {
        said(Command::new("ip").args(["netns", "exec", &self.full(host), "ss", "-Htn"]))
    }

    /// Adds a switch.
    pub fn switch(&mut self, name: &str) {
        self.add(name);
        self.ip(name, "link add bridge type bridge");
        self.ip(name, "link set bridge up");
    }

    /// What names mean on a host, as lines of its `/etc/hosts`; no resolver is asked there.
    pub fn set_hosts(&self, host: &str, text: &str) {
        let folder = etc(&self.full(host));
        std::fs::create_dir_all(&folder).unwrap();
        for (file, text) in [("hosts", text), ("nsswitch.conf", "hosts: files\n")] {
            std::fs::write(folder.join(file), text).unwrap();
        }
    }

    /// Adds a namespace without a cable.
    pub fn add(&mut self, name: &str) {
        let full = self.full(name);
        self.names.push(full.clone());
        said(Command::new("ip").args(["netns", "add", &full]));
        self.ip(name, "link set lo up");
    }

    /// Pulls a host's cable out and puts another one in: an interface of the same name and of a new number.
    pub fn replug(&self, host: &str, side: Side) {
        self.ip(host, "link delete eth0");
        let switch = if matches!(side, Side::Inside) { "inner" } else { "switch" };
        self.plug(host, "eth0", switch);
    }

    /// What a command says on a host; fails if it fails.
    pub fn run(&self, host: &str, program: &str, words: &[&str]) -> String {
        said(Command::new("ip").args(["netns", "exec", &self.full(host), program]).args(words))
    }

    /// A cable from a host to a switch, `switch` or `inner`.
    pub fn plug(&self, host: &str, port: &str, switch: &str) {
        let (at, to) = (self.full(host), self.full(switch));
        let other = format!("{host}-{port}");
        // An interface's name has at most 15 characters.
        let other = &other[other.len().saturating_sub(15)..];
        said(Command::new("ip").args(["-n", &at, "link", "add", port, "type", "veth", "peer", other, "netns", &to]));
        self.ip(switch, &format!("link set {other} master bridge"));
        self.ip(switch, &format!("link set {other} up"));
        self.ip(host, &format!("link set {port} up"));
    }

    /// Pulls the cable of a host out at its switch, or puts it in again: the host itself may think that it is there.
    pub fn set_cable(&self, switch: &str, host: &str, is_in: bool) {
        self.ip(switch, &format!("link set {host}-eth0 {}", if is_in { "up" } else { "down" }));
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.names.iter().for_each(|name| remove(name));
    }
}

/// Removes a namespace, and ends what runs in it.
fn remove(name: &str) {
    let pids = Command::new("ip").args(["netns", "pids", name]).stderr(Stdio::null()).output();
    let pids = pids.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    for pid in pids.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)) {
        let _ended = kill_process(pid, Signal::KILL);
    }
    let _gone = Command::new("ip").args(["netns", "delete", name]).stderr(Stdio::null()).status();
    let _hosts = std::fs::remove_dir_all(etc(name));
}

/// What `ip netns exec` puts over `/etc` in a namespace.
fn etc(name: &str) -> PathBuf {
    Path::new("/etc/netns").join(name)
}

/// Removes the namespaces of runs that are not there any more.
fn remove_what_the_dead_left() {
    let listed = said(Command::new("ip").args(["netns", "list"]));
    for name in listed.lines().filter_map(|line| line.split(' ').next()) {
        let Some((pid, rest)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else { continue };
        let began = rest.split('-').next().unwrap_or_default();
        if pid.parse().ok().and_then(begin_of).is_none_or(|is| is != began) {
            remove(name);
        }
    }
}

/// This process by its id and when it began, so that no later process is mistaken for it.
fn own_mark() -> String {
    let pid = std::process::id();
    format!("{pid}-{}", begin_of(pid).unwrap())
}

/// The namespaces that a process has made, and that still exist.
pub fn made_by(pid: u32) -> Vec<String> {
    let listed = said(Command::new("ip").args(["netns", "list"]));
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| name.starts_with(&format!("{PREFIX}{pid}-"))).map(str::to_owned).collect()
}

/// When a process began, in ticks, from `/proc/PID/stat`; none if there is no such process.
fn begin_of(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses that may hold anything; the 22nd is the time.
    text.rsplit_once(") ")?.1.split(' ').nth(19).map(str::to_owned)
}

/// What a command says; fails if it fails.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
