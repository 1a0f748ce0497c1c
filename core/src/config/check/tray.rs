//! Checks of the tray monitor.

use super::{Built, Check, Checker, Finding, Side};
use crate::config::{ConfigPath, Password, TlsConfig, TrayConfig};
use crate::explain::codes;
use crate::wire::names::PeerKind;

impl Check for TrayConfig {
    fn check(&self, built: Built) -> Vec<Finding> {
        let mut c = Checker::new(built);
        let (monitor, path) = (&self.monitor, ConfigPath::of("monitor"));
        // To file daemons and storage daemons it is a director, to directors a console, which may have a longer name.
        c.name_of(PeerKind::Director, &path, &monitor.name);
        c.not_zero(path.field("refresh_interval"), monitor.refresh_interval.0);
        c.not_zero(path.field("timeout"), monitor.timeout.0);
        c.source_address(&path, monitor.source_address.as_deref());
        let (directors, clients, storages) = (&self.directors, &self.clients, &self.storages);
        // Settings that nobody uses cannot be wrong.
        let own_tls = directors.iter().map(|director| &director.tls).chain(clients.iter().map(|client| &client.tls));
        if own_tls.chain(storages.iter().map(|storage| &storage.tls)).any(Option::is_none) {
            c.tls(&path.field("tls"), &monitor.tls, Side::Dialling);
        }
        let watched = directors.len() + clients.len() + storages.len();
        c.not_empty(ConfigPath::default(), watched, "director, client or storage to watch");
        c.names("directors", directors.iter().map(|director| director.name.as_str()));
        for (index, director) in directors.iter().enumerate() {
            let path = ConfigPath::of("directors").index(index);
            daemon(&mut c, &path, (&director.address, director.port), &director.password, director.tls.as_ref());
        }
        c.names("clients", clients.iter().map(|client| client.name.as_str()));
        for (index, client) in clients.iter().enumerate() {
            let path = ConfigPath::of("clients").index(index);
            daemon(&mut c, &path, (&client.address, client.port), &client.password, client.tls.as_ref());
        }
        c.names("storages", storages.iter().map(|storage| storage.name.as_str()));
        for (index, storage) in storages.iter().enumerate() {
            let path = ConfigPath::of("storages").index(index);
            daemon(&mut c, &path, (&storage.address, storage.port), &storage.password, storage.tls.as_ref());
        }
        if monitor.timeout > monitor.refresh_interval && monitor.refresh_interval.0 != 0 {
            let message = "a daemon may take longer to answer than the pause until it is asked again";
            c.warning(
                codes::CONTRADICTION,
                path.field("timeout"),
                message,
                "lower `timeout`, or raise `refresh_interval`",
            );
        }
        c.findings
    }
}

fn daemon(
    c: &mut Checker,
    path: &ConfigPath,
    (address, port): (&str, u16),
    password: &Password,
    tls: Option<&TlsConfig>,
) {
    c.address(path.field("address"), address);
    c.port(path, port);
    c.password(path, password);
    c.optional_tls(path, tls, Side::Dialling);
}
