//! The director in the recorded conversations.

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage};

/// A console of a recording, greeted in our words.
fn console(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("dir-secret"))
        .differs("the version is ours", &["text 1000\\x1eOK: bareos-dir Version: "], &[GREETING])
        .differs(
            "no words about support",
            &["text 1002\\x1e"],
            &["text 1002\\x1eYou are connected using the default console"],
        )
}

const GREETING: &str = "text 1000\\x1eOK: bareos-dir Version: 26.0.0 (23Nov26)";
const CATALOG: &str = "text Using Catalog \"MyCatalog\"\\n";
const OUR_CATALOG: &str = "text Using Catalog \"default\"\\n";
const OUR_CATALOG_WHY: &str = "a director has one catalog, without a name";

#[test]
fn a_backup_is_directed_as_recorded() {
    let mut desk = Desk::open();
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    desk.world.come_in(console(recording!("01-backup-full/00-CON-to-DIR")).differs(
        OUR_CATALOG_WHY,
        &[CATALOG],
        &[OUR_CATALOG],
    ));
    desk.world.assert_done();
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
}
