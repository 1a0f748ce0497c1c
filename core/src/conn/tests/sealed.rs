//! A peer that holds a valid key and then breaks TLS: records that are cut, a handshake in the middle, plain text after it.

use super::*;
use crate::error::Explain as _;

/// Those that are more than a toy.
const PROTECTED: &[Engine] = &[
    Engine::Certificate,
    #[cfg(feature = "psk")]
    Engine::Psk,
];

/// A record as TLS has it, whatever is in it.
fn record(kind: u8, length: u16, contents: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &length.to_be_bytes()[..], contents].concat()
}

/// What a protected connection in use makes of these bytes, and whether its peer hears of it.
fn broken_by(engine: Engine, bytes: &[u8]) -> (Pair, Option<CloseReason>) {
    let mut pair = Pair::ready(setup(engine));
    pair.to_acceptor.bytes.extend(bytes);
    pair.drive();
    assert_eq!(pair.acceptor.texts(), [""; 0], "{engine:?}: it believed what was not sealed");
    let reason = pair.acceptor.closed().cloned();
    (pair, reason)
}

#[test]
fn what_is_not_sealed_after_the_handshake_ends_the_connection_with_a_tls_error() {
    let mut frame = Vec::new();
    put_data(&mut frame, b"status\n");
    let hello: Vec<u8> = (0..=255).cycle().take(300).collect();
    for (what, bytes) in [
        ("plain text", frame),
        ("a line", b"Hello Director backup-dir calling\n".repeat(20)),
        ("a handshake", record(22, 300, &hello)),
        ("an alert", record(21, 2, &[1, 90])),
        ("data that nobody sealed", record(23, 64, &[7; 64])),
        ("a record longer than there are", record(23, u16::MAX, &[7; 20_000])),
        ("a record of no kind", record(99, 20, &[0; 20])),
    ] {
        for &engine in PROTECTED {
            let (pair, reason) = broken_by(engine, &bytes);
            let Some(reason) = reason else { panic!("{engine:?}: {what} is taken: {:?}", pair.acceptor.heard) };
            assert!(matches!(reason, CloseReason::Tls(_)), "{engine:?}: {what}: {reason:?}");
            assert!((200..500).contains(&reason.code().0), "{engine:?}: {what}: {}", reason.code());
        }
    }
}

#[test]
fn a_record_that_is_cut_is_no_message_and_no_good_end() {
    for &engine in PROTECTED {
        for cut_by in [1, 30] {
            let mut pair = Pair::ready(setup(engine));
            pair.tell_dialler(text("a line that is not to be believed before it is whole"));
            let Pair { dialler, to_acceptor, to_dialler, now, .. } = &mut pair;
            turn(dialler, to_dialler, to_acceptor, usize::MAX, *now);
            let whole = to_acceptor.bytes.len();
            assert!(whole > 60, "{engine:?}: {whole} bytes are under way");
            to_acceptor.bytes.truncate(whole - cut_by);
            to_acceptor.closed = true;
            pair.drive();
            assert_eq!(pair.acceptor.texts(), [""; 0], "{engine:?}");
            let reason = pair.acceptor.closed().expect("it ends");
            assert_eq!(*reason, CloseReason::CutFrame(crate::conn::Stage::Ready), "{engine:?}");
        }
    }
}

#[test]
fn a_record_that_never_ends_keeps_no_more_than_a_record() {
    for &engine in PROTECTED {
        let (mut pair, reason) = broken_by(engine, &record(23, 16_000, &[7; 900]));
        assert_eq!(reason, None, "{engine:?}: it may yet come");
        for _ in 0..40 {
            pair.to_acceptor.bytes.extend([7; 100]);
            pair.wait(60);
        }
        assert!(pair.acceptor.conn.read_space().len() <= 64 * 1024, "{engine:?}");
        assert_eq!(pair.acceptor.texts(), [""; 0]);
    }
}
