//! Commands that are refused: logged once a minute for each peer, so that a peer in a loop fills no disk.

use crate::error::{Code, Fault};
use crate::ids::ConnId;
use crate::node::AnyNet;
use crate::notice::Level;
use crate::quiet::{Quiet, more};

/// Characters of a command that are logged: its first word, which holds no key.
const WORD: usize = 32;

/// Who was refused when, and how often since.
#[derive(Debug, Default)]
pub(super) struct Refusals(Quiet<String>);

impl Refusals {
    /// A monitor has sent a command that only directors may send.
    pub(super) fn monitor(&mut self, net: &mut AnyNet, conn: ConnId, name: &str, command: &[u8]) {
        let help = "if it is a director, remove `monitor: true`, else find out who knows its password";
        self.log(net, conn, &format!("monitor {name}"), command, help);
    }

    /// A named console has sent a command that is not in its list.
    pub(super) fn console(&mut self, net: &mut AnyNet, conn: ConnId, name: &str, command: &[u8]) {
        let help = "if it is meant to be allowed, add it to the console's `command_acl`";
        self.log(net, conn, &format!("console {name}"), command, help);
    }

    fn log(&mut self, net: &mut AnyNet, conn: ConnId, who: &str, command: &[u8], help: &str) {
        let Some(unsaid) = self.0.turn(&who.to_owned(), net.now()) else { return };
        let command = String::from_utf8_lossy(command);
        let word: String = command.chars().take_while(|c| !c.is_whitespace() && *c != '=').take(WORD).collect();
        let from = net.ends(conn).map_or_else(String::new, |ends| format!(" at {}", ends.peer));
        let text = format!("{who}{from} may not say {word:?}: refused, nothing was done{}; {help}", more(unsaid));
        net.log_cause(Level::Warn, (Fault::Peer, Code(530)), &text);
    }
}
