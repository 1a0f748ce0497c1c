//! A peer that holds a valid key and then breaks TLS: a handshake in the middle, plain text after it.

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
