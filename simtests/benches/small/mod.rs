//! The small world that is measured: a director, a storage daemon and a client, one backup and one restore.
#![allow(clippy::expect_used, reason = "a benchmark that cannot run has nothing to say")]

use std::time::Duration;

use towline_simtests::catalog::Catalog;
use towline_simtests::gateway::{Gateway, Unknown};
use towline_simtests::ready;
use towline_simtests::site::{Site, Standing};
use towline_simtests::town::some_files;

/// More than any job here takes.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Three hosts in the open network, with ten files of up to 30,000 bytes.
pub(crate) fn open_site() -> Site {
    let mut site = Site::new(1);
    let hosts = [("dir", 1), ("sd", 2), ("fd", 3)].map(|(name, last)| site.host(name, None, [192, 0, 2, last]));
    site.daemon(hosts[0], ready::director("fd", "sd"))
        .daemon(hosts[1], ready::storage())
        .daemon(hosts[2], ready::client("dir"));
    site.files = some_files(1, 10, 30_000);
    site
}

/// The same with the client behind a gateway that forgets after four minutes; it dials the director and waits there.
#[allow(dead_code, reason = "memory is measured without it")]
pub(crate) fn waiting_site() -> Site {
    let mut site = Site::new(1);
    let gateway = Gateway::masquerading([192, 0, 2, 254]).forgets(Duration::from_secs(240), Unknown::Drop);
    let home = site.network("home", None, gateway);
    let server = site.host("dir", None, [192, 0, 2, 1]);
    let laptop = site.host("fd", Some(home), [10, 0, 0, 3]);
    let (mut director, mut client) = (ready::director("fd", "dir"), ready::client("dir"));
    director.clients[0].connection_from_client_to_director = true;
    director.clients[0].connection_from_director_to_client = false;
    client.directors[0].connection_from_client_to_director = true;
    client.directors[0].connection_from_director_to_client = false;
    site.daemon(server, director).daemon(server, ready::storage()).daemon(laptop, client);
    site
}

/// Runs a backup and a restore to their ends; both must be good.
pub(crate) fn back_up_and_restore(site: &Site, seed: u64) -> Standing {
    // Clones of a site share its catalog; each world here begins with none.
    let catalog = Catalog::default();
    let mut standing = Site { seed, catalog, ..site.clone() }.start().expect("a site without a mistake");
    for line in ["run job=backup yes", "restore client=fd all done yes"] {
        let job = standing.order(line).expect("an order that is taken");
        let row = standing.await_end(job, PATIENCE).expect("a job that ends");
        assert_eq!(char::from(row.job_status), 'T', "{}", standing.report(job));
    }
    standing
}
