//! `setip`: a client that moves tells the director by a named console where it can be dialled.

use std::sync::Arc;

use crate::address::Address;
use crate::ids::ConnId;
use crate::notice::Level;
use crate::role::director::Net;

use super::super::Director;

impl Director {
    /// Gives the client of the console's own name the address the console comes from, for new jobs, until the
    /// configuration is read again.
    pub(super) fn set_address(&mut self, net: &mut Net, conn: ConnId) {
        let name = self.consoles.get(&conn).and_then(|console| console.name.clone());
        let Some(name) = name else {
            let text = "setip is for a console with the name of a client; this is the default console.\n";
            return self.console_fails(net, conn, text);
        };
        let Some(ends) = net.ends(conn) else { return };
        // Of a link: with the interface of this machine that has the link.
        let address = Address::from(ends.peer).to_string();
        // The jobs under way keep the configuration they began with.
        let config = Arc::make_mut(&mut self.config);
        let Some(client) = config.clients.iter_mut().find(|client| client.name == name) else {
            return self.console_fails(net, conn, &format!("There is no client \"{name}\".\n"));
        };
        client.address = Some(address.clone());
        net.log(Level::Info, &format!("client {name} is at {address} now, as its console says"));
        self.console_done(net, conn, &format!("Client \"{name}\" address set to {address}\n"));
    }
}
