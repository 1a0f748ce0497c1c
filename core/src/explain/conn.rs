//! `T03`: hello and authentication; `T04`: connections in use.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        301,
        "the first bytes are no hello",
        (Fault::Peer, Retry::Never),
        "Something connected and sent neither the first line of a Bareos daemon nor the beginning of TLS.",
        "A port scanner, a browser or a monitoring probe does this. Let it look elsewhere; backups are not harmed.",
    ),
    entry(
        302,
        "unknown or unsuitable hello",
        (Fault::Peer, Retry::Never),
        "A backup program connected whose first line this daemon does not serve: a director called a console port, for \
         example, or the hello is of an unknown kind.",
        "Compare the ports in the peer's configuration with those of the daemons on this host: 9101 is the director's, \
         9102 the file daemon's and 9103 the storage daemon's.",
    ),
    entry(
        303,
        "unknown name",
        (Fault::Config, Retry::Never),
        "The peer introduced itself with a name that no resource here has. If there is a similar one, the log line names it. \
         The peer hears the same as with a wrong password.",
        "Add a resource of this name here, or correct the name in the peer's configuration.",
    ),
    entry(
        304,
        "hello and key belong to different names",
        (Fault::Config, Retry::Never),
        "The TLS key proved one name and the hello claimed another. Two resources at the peer were mixed up, or somebody \
         who knows one password tries to be another.",
        "Give each resource at the peer its own name and password, and look at who the address in the log line is.",
    ),
    entry(
        305,
        "clear text where TLS is required",
        (Fault::Config, Retry::Never),
        "The resource of this peer requires TLS and the peer began in clear. Where nobody may come in clear it was refused \
         before it proved its password; elsewhere it was asked for that first, as everybody is.",
        "Turn TLS on at the peer. Only in a network that you trust entirely set `enable: false` in \
         the `tls` of its resource here.",
    ),
    entry(
        306,
        "wrong password",
        (Fault::Config, Retry::Never),
        "Both sides know each other's name, and their passwords differ.",
        "Make the passwords of the two resources that name each other equal, and restart the daemon whose resource you \
         changed. Look for blanks at the end and for a resource of the same name in another file.",
    ),
    entry(
        307,
        "the peer refuses our password",
        (Fault::Config, Retry::Never),
        "The peer asked for proof of the password and did not accept ours. A Towline daemon does the same when it does not \
         know our name; only its log tells which.",
        "Compare the password and the name here with those in the peer's resource for this daemon.",
    ),
    entry(
        308,
        "the peer refuses us",
        (Fault::Peer, Retry::Backoff),
        "Instead of asking for the password the peer said something else. The log line quotes it.",
        "Check that the peer has a resource for our name, and read the peer's own log.",
    ),
    entry(
        309,
        "the peer's challenge carries our own name",
        (Fault::Peer, Retry::Never),
        "A daemon that is asked to prove itself to itself may be the victim of somebody who sends its own challenge back.",
        "Give the two daemons different names. If they have different names already, find out who answers at this address.",
    ),
    entry(
        310,
        "the peer asks for TLS to begin after authentication",
        (Fault::Config, Retry::Never),
        "Old configurations exchange passwords in clear and begin TLS afterwards. Towline does not.",
        "Turn TLS on from the first byte at both ends, or off at both ends.",
    ),
    entry(
        311,
        "closed by the peer before authentication",
        (Fault::Peer, Retry::Backoff),
        "The peer hung up without saying why while the connection was being set up. Daemons do so on purpose, to tell \
         strangers nothing.",
        "Read the peer's log: it does not know our name, requires TLS, or has too many connections.",
    ),
    entry(
        312,
        "not authenticated in time",
        (Fault::Network, Retry::Backoff),
        "The connection stood, and then the exchange stopped half-way. The stage in the log line says where.",
        "A firewall may let connections through and drop what follows, also large packets only. Otherwise the peer is \
         overloaded or stopped.",
    ),
    entry(
        313,
        "this daemon does not serve such callers",
        (Fault::Config, Retry::Never),
        "Somebody with a valid name and password called with words that are meant for a daemon of another kind.",
        "Look up which address and port the caller's configuration has for the daemon it means. A port forwarded to the \
         wrong host looks like this too.",
    ),
    entry(
        314,
        "a connection was pushed out to make room for others",
        (Fault::Peer, Retry::Backoff),
        "So many connections were waiting to be authenticated that the one of them that had been silent longest was closed, \
         of the network that held most. A peer that speaks keeps its place, so others still get in.",
        "Find out who opens them, and keep strangers out with a firewall. If they are your own clients, which all come in the \
         same minute, raise `max_unauthenticated` or spread the schedule.",
    ),
    entry(
        315,
        "the peer gave our place to another one",
        (Fault::Peer, Retry::Backoff),
        "The peer is a Towline daemon with too many connections that are not authenticated, and ours had said nothing for \
         longest: the way to it is slow, or this machine is.",
        "Look into the peer's log: the lines with T0314 say from where it is crowded. The connection is tried again meanwhile.",
    ),
    entry(
        316,
        "the peer left as soon as TLS with a key was done",
        (Fault::Config, Retry::Never),
        "The key was right, and the peer hung up without its hello. A Bareos daemon with `TLS Verify Peer = yes` does so when \
         its peer has shown no certificate: with a key there is none. It does the same when it is stopped in this moment.",
        "Configure a certificate and its key for this daemon, signed by an authority that the peer trusts; it is then shown to \
         all that take certificates. Or set `TLS Verify Peer = no` at the peer: the key proves who both are.",
    ),
    entry(
        317,
        "no descriptors or memory left for a connection",
        (Fault::Local, Retry::Backoff),
        "Each connection takes a descriptor or two, and this process, or the whole system, has no more. Connections that come in \
         wait in the queue of the system and are accepted once there is room; meanwhile those that have shown no password \
         and are silent make room. What this daemon dials is tried again.",
        "Raise the limit of open files: `LimitNOFILE` in the unit file of the service, or `ulimit -Hn` where it is started (the \
         daemon takes what the hard limit allows). For the whole system it is `fs.file-max`. If it should have been enough, \
         `ss -tanp` shows who holds so many connections.",
    ),
    entry(
        318,
        "an idle connection was let go to make room for another",
        (Fault::Config, Retry::Backoff),
        "A console or director had as many connections as one name or all names together may have, and one more came. The one \
         that had said nothing for longest, and had nothing under way, was closed: first of the same name, else of the name \
         that holds most. Consoles may take three quarters of `max_console_connections` for one name.",
        "Find the script or program that opens connections and leaves them open; `status network` shows who is connected. If so \
         many consoles are meant, raise `max_console_connections`.",
    ),
    entry(
        319,
        "a connection in use stood still for too long",
        (Fault::Network, Retry::Backoff),
        "Nothing of what was sent was acknowledged for five minutes, or for three heartbeat intervals if that is longer. TCP would \
         have gone on for about a quarter of an hour; the job was ended instead. The line says how many bytes were under way, \
         and whether small packets got through all the time.",
        "If small packets got through, look for what on the way carries less than the MTU of the sending host, above all tunnels \
         and VPNs; the lines with T0131 and T0132 say whose packets are lost. If nothing got through, look for what ended the \
         way to the peer. Without a heartbeat interval TCP's own time counts.",
    ),
    entry(
        401,
        "closed",
        (Fault::Local, Retry::Never),
        "This daemon ended the connection after everything was said.",
        "This is the normal end.",
    ),
    entry(
        402,
        "closed by the peer",
        (Fault::Peer, Retry::Backoff),
        "The peer ended the connection in an orderly way.",
        "If no job was running, all is well. If one was, the peer's log says why it left.",
    ),
    entry(
        403,
        "the connection broke",
        (Fault::Network, Retry::Backoff),
        "The system reported that the connection is gone: reset, timed out, or unreachable. The usual reason is a firewall \
         or NAT box that forgets connections on which nothing is said for some minutes.",
        "Set `heartbeat_interval` below the idle time of what stands between the hosts: 60 seconds suits nearly all of \
         them. Otherwise check the line, and whether the peer was restarted.",
    ),
    entry(
        404,
        "protocol error",
        (Fault::Peer, Retry::Backoff),
        "The peer said something that is not allowed at this point.",
        "Report it with both versions and the log line; one of the two programs is wrong.",
    ),
    entry(
        405,
        "the peer closed in the middle of a message",
        (Fault::Network, Retry::Backoff),
        "The connection ended, and the last message was not complete. No program does that on purpose.",
        "Look for a crash in the peer's log, and for something in between that cuts connections.",
    ),
    entry(
        406,
        "the peer's message is too long",
        (Fault::Peer, Retry::Backoff),
        "A message was announced that is longer than any sensible one at this point. It was not read.",
        "Check that the peer is a backup daemon of a supported version.",
    ),
    entry(
        407,
        "the peer does not read",
        (Fault::Peer, Retry::Backoff),
        "So much waited to be sent that the connection was given up, to keep memory bounded.",
        "See whether the peer hangs: its processor, its disk, its log. Then run the job again.",
    ),
    entry(
        408,
        "the end of the conversation took too long",
        (Fault::Peer, Retry::Backoff),
        "All was said, and the peer neither took the last of it nor closed its side in time.",
        "What was acknowledged before is safe. See whether the peer hangs.",
    ),
    entry(
        409,
        "aborted",
        (Fault::Local, Retry::Never),
        "This daemon cut the connection: a job was cancelled, or the daemon is stopping.",
        "The lines before it in the log say which of the two it was.",
    ),
    entry(
        410,
        "no heartbeat of the peer",
        (Fault::Network, Retry::Backoff),
        "Two Towline daemons ask each other for a heartbeat after a silence of one `heartbeat_interval`. The peer has not \
         answered for three: its host is off or asleep, or a firewall or NAT box on the way has forgotten the connection \
         and drops its packets.",
        "See whether the peer's host runs. If it does, lower `heartbeat_interval` below the idle time of the firewall, so \
         that the connection is never idle for so long.",
    ),
];
