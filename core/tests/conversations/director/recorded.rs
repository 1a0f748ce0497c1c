//! The director in the recorded conversations.

use crate::recording;
use crate::support::conv::Side;
use crate::support::password;
use crate::support::peer::Script;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, backup_file, backup_storage};

fn console(conv: &str) -> Script {
    Script::new(conv, Side::Acceptor, password("dir-secret"))
}

#[test]
fn a_backup_is_directed_as_recorded() {
    let mut desk = Desk::open();
    desk.world.await_dial(STORAGE_PORT, backup_storage());
    desk.world.await_dial(FILE_PORT, backup_file());
    desk.world.come_in(console(recording!("01-backup-full/00-CON-to-DIR")));
    desk.world.assert_done();
    assert_eq!(desk.status(1), 'T', "{}", desk.report(1));
}
