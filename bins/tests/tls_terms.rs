//! What TLS may agree on, as the configuration says it, between processes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod support;

use support::network::{Network, Plan};
use support::plant;

#[test]
fn the_terms_of_tls_decide_the_version_and_the_suite_of_every_connection() {
    let all = r#"tls: (protocol: "-TLSv1.3", cipher_list: "kPSK+AES128:!SHA256"),"#.to_owned();
    let network = Network::start(&Plan { all, ..Plan::default() });
    plant(&network.source, 3, 1 << 16);
    let backup = network.backup();
    assert!(backup.is_ok(), "{}", backup.report);
    let agreed = backup.report.lines().filter_map(|line| line.split_once(", encryption: "));
    let agreed: Vec<_> = agreed.map(|(_, suite)| suite.trim()).collect();
    assert!(agreed.len() >= 3 && agreed.iter().all(|suite| *suite == "PSK-AES128-GCM-SHA256 TLSv1.2"), "{agreed:?}");
}
