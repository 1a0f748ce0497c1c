//! From the first byte to `Authenticated`, and every way not to get there.

use super::*;
use crate::conn::{Stage, Timer};
use crate::tls::Kind;

#[test]
fn everybody_gets_in_at_every_split() {
    for &engine in ENGINES {
        for split in [1, 2, 3, 5, 17, 100, usize::MAX] {
            let mut pair = Pair::new(Setup { split, ..setup(engine) });
            pair.drive();
            let [by_dialler, by_acceptor] = [pair.dialler.peer(), pair.acceptor.peer()].map(|peer| peer.unwrap());
            assert_eq!(by_dialler.name.to_string(), "R_STORAGE::backup-sd", "{engine:?}");
            assert_eq!(by_acceptor.name, director(), "{engine:?}");
            assert_eq!(by_acceptor.tls.kind, by_dialler.tls.kind);
            assert_eq!(by_acceptor.tls.kind == Kind::Clear, engine == Engine::Clear);
        }
    }
}

#[test]
fn a_hello_in_clear_goes_out_in_one_write() {
    let mut conn = Conn::dialled(setup(Engine::Clear).dialling, Instant(0));
    let transmit = conn.transmit(usize::MAX);
    let expected = b"\0\0\0\x3dHello Director backup-dir calling Version=\"26.0.0\" Towline=1\n";
    assert_eq!(transmit.len(), 1);
    assert_eq!(&transmit[0][..], expected);
}

#[test]
fn a_wrong_password_reads_as_such_on_both_sides() {
    let director = || Purpose::Director { name: "backup-dir".to_owned() };
    for engine in [Engine::Clear, Engine::Certificate] {
        let mut pair = Pair::new(setup_for(engine, director(), "one", "two"));
        pair.drive();
        assert_eq!(pair.dialler.closed(), Some(&CloseReason::RefusedByPeer));
        assert_eq!(pair.acceptor.closed(), Some(&CloseReason::WrongPassword("R_DIRECTOR::backup-dir".to_owned())));
    }
}

#[test]
#[cfg(any(feature = "psk", feature = "sim"))]
fn a_wrong_pre_shared_key_reads_as_such_on_both_sides() {
    for &engine in &ENGINES[2..] {
        let purpose = Purpose::Director { name: "backup-dir".to_owned() };
        let mut pair = Pair::new(setup_for(engine, purpose, "one", "two"));
        pair.drive();
        let name = || "R_DIRECTOR backup-dir".to_owned();
        assert_eq!(
            pair.acceptor.closed(),
            Some(&CloseReason::Tls(crate::error::TlsError::WrongKey(name()))),
            "{engine:?}"
        );
        assert_eq!(
            pair.dialler.closed(),
            Some(&CloseReason::Tls(crate::error::TlsError::KeyRefused(name()))),
            "{engine:?}"
        );
    }
}

#[test]
fn a_dialler_refuses_an_acceptor_that_does_not_know_the_password() {
    let mut conn = Conn::dialled(setup(Engine::Clear).dialling, Instant(0));
    let mut said = play(&mut conn, "auth cram-md5 <1.2@R_STORAGE::x> ssl=0\n");
    said.extend(play(&mut conn, "1000 OK auth\n"));
    said.extend(play(&mut conn, "1J1q4fh3cg5dpozJZC4DkA\0"));
    assert!(String::from_utf8_lossy(&said).ends_with("1999 Authorization failed.\n"));
    conn.on_read(0, Instant(0));
    assert_eq!(last_word(&mut conn), Some(CloseReason::WrongPassword("the peer at 127.0.0.1:9103".to_owned())));
}

/// A storage daemon that knows one of each kind; the console may not come in clear.
fn acceptor_of_all_kinds(engine: Engine, clear: Clear) -> Accepting {
    let mut keyring = Keyring::builder();
    for kind in PeerKind::ALL {
        let clear = if kind == PeerKind::Console { Clear::Never } else { clear };
        keyring.insert(PeerName::new(kind, "known"), Secret::from("right"), clear);
    }
    Accepting { keyring: Arc::new(keyring.build()), ..setup(engine).accepting }
}

fn hello_of(kind: PeerKind, name: &str) -> Purpose {
    let name = name.to_owned();
    match kind {
        PeerKind::Director => Purpose::Director { name },
        PeerKind::Client => Purpose::Client { name, protocol: 54 },
        PeerKind::Storage => Purpose::Storage { name },
        PeerKind::Console => Purpose::Console { name, version: None },
        PeerKind::Job => Purpose::StartJob { job: name },
    }
}

/// All that a dialler in clear hears, piece by piece as it is written, and why it was refused if it was.
fn heard_in_clear(accepting: Accepting, purpose: Purpose, key: &str) -> (Vec<Vec<u8>>, Option<CloseReason>) {
    let mut dialling = setup(Engine::Clear).dialling;
    dialling.hello = Hello::new(purpose, Version { major: 26, minor: 0, patch: 0 });
    dialling.key = Secret::from(key);
    let mut pair = Pair::new(Setup { dialling, accepting, split: usize::MAX });
    let mut heard = Vec::new();
    for _ in 0..100 {
        let Pair { dialler, acceptor, to_acceptor, to_dialler, now, .. } = &mut pair;
        turn(dialler, to_dialler, to_acceptor, usize::MAX, *now);
        assert!(to_dialler.bytes.is_empty());
        turn(acceptor, to_acceptor, to_dialler, usize::MAX, *now);
        heard.push(to_dialler.bytes.iter().copied().collect());
    }
    (heard, pair.acceptor.closed().cloned())
}

#[test]
fn an_unknown_name_a_wrong_password_and_one_that_needs_tls_hear_the_same_in_clear() {
    for kind in PeerKind::ALL {
        let hear = |name: &str, key: &str| {
            heard_in_clear(acceptor_of_all_kinds(Engine::Clear, Clear::Allowed), hello_of(kind, name), key)
        };
        let (unknown, why) = hear("other", "wrong");
        let name = format!("{kind}::other");
        assert_eq!(why, Some(CloseReason::UnknownPeer { name, nearest: None }));
        let (wrong, why) = hear("known", "wrong");
        let needs_tls = kind == PeerKind::Console;
        let name = format!("{kind}::known");
        let expected = if needs_tls { CloseReason::TlsRequired(name) } else { CloseReason::WrongPassword(name) };
        assert_eq!(why, Some(expected));
        assert_eq!(unknown, wrong, "{kind}");
        let all = unknown.concat();
        assert!(String::from_utf8_lossy(&all).contains("1999 Authorization failed."), "{all:?}");
        // The right password opens nothing for a name that needs TLS, nor does the decoy for one that nobody has.
        let decoy = acceptor_of_all_kinds(Engine::Clear, Clear::Allowed).keyring.decoy().expose_text();
        assert_eq!(hear("other", &decoy).0, unknown);
        assert_eq!(hear("known", "right").0 == unknown, needs_tls, "{kind}");
    }
}

#[test]
fn where_nobody_may_come_in_clear_nobody_is_asked_for_a_password_there() {
    let hear = |name: &str| {
        let purpose = hello_of(PeerKind::Director, name);
        heard_in_clear(acceptor_of_all_kinds(Engine::Clear, Clear::Never), purpose, "right")
    };
    let ((unknown, why), (known, because)) = (hear("other"), hear("known"));
    assert!(matches!(why, Some(CloseReason::UnknownPeer { .. })), "{why:?}");
    assert!(matches!(because, Some(CloseReason::TlsRequired(_))), "{because:?}");
    assert_eq!(unknown, known);
    assert_eq!(unknown.concat(), (-4_i32).to_be_bytes());
}

#[test]
fn an_unknown_name_reads_as_a_wrong_password_under_a_certificate_too() {
    for (name, key) in [("known", "wrong"), ("other", "right"), ("other", "wrong")] {
        let mut setup = setup_for(Engine::Certificate, hello_of(PeerKind::Client, name), key, "right");
        let known =
            Keyring::builder().with(PeerName::new(PeerKind::Client, "known"), Secret::from("right"), Clear::Never);
        setup.accepting.keyring = Arc::new(known.build());
        let mut pair = Pair::new(setup);
        pair.drive();
        assert_eq!(pair.dialler.closed(), Some(&CloseReason::RefusedByPeer));
        let is_unknown = matches!(pair.acceptor.closed(), Some(CloseReason::UnknownPeer { .. }));
        assert_eq!(is_unknown, name == "other", "{:?}", pair.acceptor.closed());
    }
}

#[test]
fn who_hangs_up_before_it_is_refused_is_still_told_apart_in_our_log() {
    let mut conn = Conn::accepted(acceptor_of_all_kinds(Engine::Clear, Clear::Allowed), Instant(0));
    let asked = play(&mut conn, "Hello Director other calling\n");
    assert!(String::from_utf8_lossy(&asked).contains("auth cram-md5"));
    conn.on_read(0, Instant(0));
    assert!(matches!(last_word(&mut conn), Some(CloseReason::UnknownPeer { .. })));
}

#[test]
fn a_hello_in_clear_is_refused_where_the_policy_wants_tls() {
    let Setup { dialling, .. } = setup(Engine::Clear);
    let Setup { accepting, .. } = setup(Engine::Certificate);
    let mut pair = Pair::new(Setup { dialling, accepting, split: usize::MAX });
    pair.drive();
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::TlsRequired("R_DIRECTOR::backup-dir".to_owned())));
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::EarlyByPeer(Stage::Authentication)));
}

#[test]
#[cfg(any(feature = "psk", feature = "sim"))]
fn a_hello_must_name_the_owner_of_the_key() {
    for &engine in &ENGINES[2..] {
        let mut setup = setup(engine);
        setup.dialling.hello.purpose = Purpose::StartJob { job: "job.1".to_owned() };
        let mut pair = Pair::new(setup);
        pair.drive();
        let reason =
            CloseReason::NameMismatch { hello: "R_JOB::job.1".to_owned(), key: "R_DIRECTOR::backup-dir".to_owned() };
        assert_eq!(pair.acceptor.closed(), Some(&reason), "{engine:?}");
        assert_eq!(pair.dialler.closed(), Some(&CloseReason::EarlyByPeer(Stage::Authentication)));
    }
}

#[test]
#[cfg(any(feature = "psk", feature = "sim"))]
fn who_leaves_as_soon_as_tls_with_a_key_is_done_is_named_with_the_likely_cause() {
    for &engine in &ENGINES[2..] {
        let mut pair = Pair::new(Setup { split: 1, ..setup(engine) });
        while !pair.acceptor.heard.iter().any(|said| matches!(said, FromConn::Reached { stage: Stage::Hello, .. })) {
            assert!(pair.step());
        }
        // The hello is still on its way, and never comes.
        let now = pair.now;
        pair.acceptor.conn.on_read(0, now);
        listen(&mut pair.acceptor, now);
        let reason = CloseReason::LeftAfterKey("R_DIRECTOR::backup-dir".to_owned());
        assert_eq!(pair.acceptor.closed(), Some(&reason), "{engine:?}");
    }
}

#[test]
fn a_policy_that_wants_tls_in_band_is_named() {
    let mut setup = setup(Engine::Clear);
    setup.dialling.policy = 2;
    let mut pair = Pair::new(setup);
    pair.drive();
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::InBandTls { ours: 2, theirs: Some(0) }));
    assert_eq!(pair.acceptor.closed(), Some(&CloseReason::InBandTls { ours: 0, theirs: Some(2) }));
}

#[test]
fn our_own_name_in_a_challenge_is_a_reflection() {
    let mut setup = setup(Engine::Clear);
    setup.accepting.own = "R_DIRECTOR::backup-dir".to_owned();
    let mut pair = Pair::new(setup);
    pair.drive();
    assert_eq!(pair.dialler.closed(), Some(&CloseReason::Reflection));
}

#[test]
fn words_instead_of_a_challenge_are_quoted() {
    let mut conn = Conn::dialled(setup(Engine::Clear).dialling, Instant(0));
    play(&mut conn, "Connection from unknown Director backup-dir at x rejected.\n");
    conn.on_read(0, Instant(0));
    let words = "Connection from unknown Director backup-dir at x rejected.".to_owned();
    assert_eq!(last_word(&mut conn), Some(CloseReason::Refused(words)));
}

#[test]
fn foreign_first_bytes_end_it_without_a_word() {
    let mut conn = Conn::accepted(setup(Engine::Clear).accepting, Instant(0));
    assert!(feed(&mut conn, b"GET / HTTP/1.1\r\n").is_empty());
    assert_eq!(last_word(&mut conn), Some(CloseReason::NotBareos));
    assert!(conn.wants().close);
}

#[test]
fn an_early_end_names_the_stage() {
    for (bytes, stage) in [
        (&b""[..], Stage::FirstBytes),
        (b"\0\0\0\x33Hello Director", Stage::Hello),
        (b"\0\0\0\x33Hello Director backup-dir calling Version=\"26.0.0\"\n", Stage::Authentication),
    ] {
        let mut conn = Conn::accepted(setup(Engine::Clear).accepting, Instant(0));
        feed(&mut conn, bytes);
        conn.on_read(0, Instant(0));
        let expected = match stage {
            Stage::Hello => CloseReason::CutFrame(stage),
            _ => CloseReason::EarlyByPeer(stage),
        };
        // The challenge that nobody will read is still to be written before it ends.
        flush(&mut conn);
        assert_eq!(last_word(&mut conn), Some(expected));
    }
}

#[test]
fn who_does_not_authenticate_in_time_is_closed_at_the_deadline_and_not_before() {
    for &engine in ENGINES {
        let mut pair = Pair::new(setup(engine));
        let deadline = pair.acceptor.conn.poll_timeout().unwrap();
        assert_eq!((deadline.at, deadline.why), (Instant(61 * SECOND), Timer::Authentication));
        pair.acceptor.conn.handle_timeout(Instant(61 * SECOND - 1));
        assert!(!pair.acceptor.conn.wants().close);
        pair.acceptor.conn.handle_timeout(Instant(61 * SECOND));
        assert_eq!(last_word(&mut pair.acceptor.conn), Some(CloseReason::TooSlow(Stage::FirstBytes)));
        pair.acceptor.conn.handle_timeout(Instant(62 * SECOND));
        assert!(pair.acceptor.conn.poll_message().is_none() && pair.acceptor.conn.poll_timeout().is_none());
    }
}

#[test]
fn an_early_frame_may_have_4096_bytes_and_not_one_more() {
    use crate::limits::EARLY_TEXT;
    for (length, limit) in [(EARLY_TEXT, None), (EARLY_TEXT + 1, Some(4096))] {
        let mut conn = Conn::dialled(setup(Engine::Clear).dialling, Instant(0));
        let mut frame = Vec::new();
        put_data(&mut frame, &vec![b'x'; length]);
        feed(&mut conn, &frame);
        flush(&mut conn);
        conn.on_read(0, Instant(0));
        let is_too_long = matches!(last_word(&mut conn), Some(CloseReason::FrameTooLong { length: 4097, limit: 4096 }));
        assert_eq!(is_too_long, limit.is_some());
    }
}

#[test]
fn a_head_that_announces_too_much_is_refused_before_the_payload_has_come() {
    use crate::limits::EARLY_TEXT;
    for (length, refused) in [(EARLY_TEXT, false), (EARLY_TEXT + 1, true)] {
        let mut conn = Conn::dialled(setup(Engine::Clear).dialling, Instant(0));
        feed(&mut conn, &u32::try_from(length).unwrap().to_be_bytes());
        flush(&mut conn);
        let is_refused = matches!(last_word(&mut conn), Some(CloseReason::FrameTooLong { length: 4097, limit: 4096 }));
        assert_eq!(is_refused, refused, "{length}");
    }
}

/// Feeds bytes in as large pieces as fit; returns what the connection has to write.
pub(super) fn feed(conn: &mut Conn, mut bytes: &[u8]) -> Vec<u8> {
    let mut said = flush(conn);
    while !bytes.is_empty() && conn.wants().read {
        let space = conn.read_space();
        let n = space.len().min(bytes.len());
        space[..n].copy_from_slice(&bytes[..n]);
        bytes = &bytes[n..];
        conn.on_read(n, Instant(0));
        said.extend(flush(conn));
    }
    said
}

fn play(conn: &mut Conn, line: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    put_data(&mut frame, line.as_bytes());
    feed(conn, &frame)
}

pub(super) fn flush(conn: &mut Conn) -> Vec<u8> {
    let mut said = Vec::new();
    while conn.wants().write {
        let slices: Vec<u8> = conn.transmit(usize::MAX).iter().flat_map(|slice| slice.to_vec()).collect();
        conn.on_written(slices.len(), Instant(0));
        said.extend(slices);
    }
    said
}

fn last_word(conn: &mut Conn) -> Option<CloseReason> {
    std::iter::from_fn(|| conn.poll_message()).find_map(|message| match message {
        FromConn::Closed(reason) => Some(reason),
        _ => None,
    })
}
