//! A network test of one's own: will the laptop behind a mobile provider be saved, which waits for its job for an hour?
//!
//! `cargo run -p towline-simtests --example own_network`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "an example shows what it finds")]

use std::time::Duration;

use towline_core::config::Seconds;
use towline_simtests::gateway::{Gateway, Unknown};
use towline_simtests::ready;
use towline_simtests::site::Site;

fn main() {
    for heartbeat in [60, 600] {
        let mut site = Site::new(7);
        let carrier = Gateway::masquerading([192, 0, 2, 254]).forgets(Duration::from_secs(240), Unknown::Drop);
        let mobile = site.network("mobile provider", None, carrier);
        let server = site.host("server", None, [192, 0, 2, 1]);
        let laptop = site.host("laptop", Some(mobile), [100, 64, 0, 5]);
        let (mut director, mut client) = (ready::director("laptop", "server"), ready::client("server"));
        director.clients[0].connection_from_client_to_director = true;
        director.clients[0].connection_from_director_to_client = false;
        client.directors[0].connection_from_client_to_director = true;
        director.director.heartbeat_interval = Seconds::secs(heartbeat);
        client.file.heartbeat_interval = Seconds::secs(heartbeat);
        site.daemon(server, director).daemon(server, ready::storage()).daemon(laptop, client);
        let mut standing = site.start().expect("a site without a mistake");
        standing.world.run_for(Duration::from_secs(3600));
        let job = standing.order("run job=backup yes").expect("an order that is taken");
        let row = standing.await_end(job, Duration::from_secs(86_400)).expect("a job that ends");
        let calls = standing.world.calls().len();
        println!("heartbeat {heartbeat} s: status {}, {calls} calls in all", char::from(row.job_status));
    }
}
