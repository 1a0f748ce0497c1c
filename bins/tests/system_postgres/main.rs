//! The catalog on a real PostgreSQL server: all that holds on SQLite, and what only a server can do: go away, come back,
//! refuse, and lose the answer to a commit. Needs Debian's `postgresql` and root, to become another user.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../../src/catalog/tests/bodies/mod.rs"]
mod bodies;
mod daemons;
mod lost;
mod lost_catalog;
mod owner;
mod refused;
mod secure;
#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use support::postgres::Server;
use towline::catalog::{Attempt, Catalog, PostgresCatalog};

/// The server that tests running at the same time share; the last one of them ends it.
fn shared() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::start());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// The name of a database that no other test has.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

macro_rules! on_postgres {
    ($($module:ident :: $body:ident;)*) => {$(
        #[test]
        fn $body() {
            let server = shared();
            let mut catalog = PostgresCatalog::open(&server.database(&name())).unwrap();
            bodies::$module::$body(&mut catalog);
        }
    )*};
}

bodies::for_each_body!(on_postgres);
