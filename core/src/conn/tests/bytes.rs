//! Whatever arrives, in whatever phase: no panic, and one end.

use proptest::prelude::*;

use super::*;

/// Feeds bytes, then the end; counts how often it closed.
fn survive(conn: &mut Conn, bytes: &[u8], split: usize) -> usize {
    let (mut rest, mut closed) = (bytes, 0);
    let mut turns = 0;
    while !conn.wants().close && turns < 100_000 {
        turns += 1;
        let wants = conn.wants();
        if wants.write {
            let n = conn.transmit(split).iter().map(|slice| slice.len()).sum();
            conn.on_written(n, Instant(0));
        } else if wants.read {
            let space = conn.read_space();
            let n = space.len().min(split).min(rest.len());
            space[..n].copy_from_slice(&rest[..n]);
            rest = &rest[n..];
            conn.on_read(n, Instant(0));
        }
        while let Some(message) = conn.poll_message() {
            closed += usize::from(matches!(message, FromConn::Closed(_)));
            conn.handle_message(ToConn::Taken(1), Instant(0));
        }
    }
    closed
}

fn ready_in_clear() -> Conn {
    Pair::ready(setup(Engine::Clear)).acceptor.conn
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_first_bytes_make_an_acceptor_fail(bytes: Vec<u8>, tls: bool, split in 1..50usize) {
        let head: &[u8] = if tls { b"\x16\x03\x01" } else { b"\0\0\0\x33Hello " };
        for bytes in [bytes.clone(), [head, &bytes].concat()] {
            let mut conn = Conn::accepted(setup(Engine::Certificate).accepting, Instant(0));
            prop_assert_eq!(survive(&mut conn, &bytes, split), 1);
        }
    }

    #[test]
    fn no_bytes_make_a_dialler_fail(bytes: Vec<u8>, split in 1..50usize) {
        for &engine in ENGINES {
            let mut conn = Conn::dialled(setup(engine).dialling, Instant(0));
            prop_assert_eq!(survive(&mut conn, &bytes, split), 1);
        }
    }

    #[test]
    fn no_frames_make_an_authentication_fail(lines: Vec<Vec<u8>>, split in 1..50usize) {
        let mut bytes = Vec::new();
        put_data(&mut bytes, b"Hello Director backup-dir calling\n");
        for line in &lines {
            put_data(&mut bytes, line);
        }
        let mut conn = Conn::accepted(setup(Engine::Clear).accepting, Instant(0));
        prop_assert_eq!(survive(&mut conn, &bytes, split), 1);
    }

    #[test]
    fn no_bytes_make_a_ready_connection_fail(bytes: Vec<u8>, gathers: bool, split in 1..50usize) {
        let mut conn = ready_in_clear();
        if gathers {
            conn.handle_message(ToConn::Gather, Instant(0));
        }
        prop_assert_eq!(survive(&mut conn, &bytes, split), 1);
    }
}
