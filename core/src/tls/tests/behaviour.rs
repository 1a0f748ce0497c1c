//! What every engine does alike.

use super::{Authority, End, NO_LIMIT, Pair, config, wall};
use crate::error::TlsError;
use crate::tls::record::record_len;
use crate::tls::rustls::{CertificateAcceptor, CertificateDialler};
use crate::tls::{Kind, State, Versions};

fn handshake_survives_a_split_at_every_byte(make: fn() -> Pair) {
    for chunk in [1, 3, 1000] {
        let mut pair = make();
        assert_eq!(pair.dialler.session.state(), State::Handshaking);
        assert_eq!(pair.shake(chunk), (Ok(()), Ok(())));
        assert_eq!(pair.dialler.established(), pair.acceptor.established());
    }
}

fn data_goes_both_ways_in_order(make: fn() -> Pair) {
    let mut pair = make().ready();
    let there = pair.dialler.seal(&[b"Hello ", b"", b"Director"]);
    let back = pair.acceptor.seal(&[b"1000 OK"]);
    pair.acceptor.feed(&there).unwrap();
    pair.dialler.feed(&back).unwrap();
    assert_eq!(pair.acceptor.take_plain(), b"Hello Director");
    assert_eq!(pair.dialler.take_plain(), b"1000 OK");
    assert!(pair.acceptor.cipher.is_empty() && pair.acceptor.out.is_empty());
}

fn a_mebibyte_passes_in_pieces_no_larger_than_the_limit_and_a_record(make: fn() -> Pair) {
    let data: Vec<u8> = (0..1 << 20).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for towards_dialler in [false, true] {
        let Pair { mut dialler, mut acceptor } = make().ready();
        let (from, to): (&mut End, &mut End) =
            if towards_dialler { (&mut acceptor, &mut dialler) } else { (&mut dialler, &mut acceptor) };
        to.limit = 50_000;
        let mut got = Vec::new();
        for part in data.chunks(256 * 1024) {
            // As frames are sealed: small heads between large bodies.
            let slices: Vec<&[u8]> = part.chunks(65_536).flat_map(|frame| [&frame[..4], &frame[4..]]).collect();
            let sealed = from.seal(&slices);
            assert!(sealed.len() <= part.len() + 17 * 96, "records are full: {}", sealed.len());
            to.feed(&sealed).unwrap();
            while to.plain.len() >= to.limit {
                assert!(to.plain.len() <= to.limit + 16_384);
                let before = to.cipher.len();
                to.feed(&[]).unwrap();
                assert_eq!(to.cipher.len(), before, "nothing is opened while the limit is reached");
                got.extend(to.take_plain());
                to.feed(&[]).unwrap();
            }
            got.extend(to.take_plain());
            assert!(to.cipher.is_empty());
        }
        assert!(got == data);
    }
}

fn close_notify_is_seen_and_the_other_direction_stays_open(make: fn() -> Pair) {
    let mut pair = make().ready();
    let mut last = pair.dialler.seal(&[b"the tail"]);
    last.extend(pair.dialler.close());
    assert!(pair.dialler.session.seal(&[b"more"], &mut Vec::new()).is_err());
    assert!(pair.dialler.close().is_empty());
    let agreed = pair.acceptor.established();
    pair.acceptor.feed(&last).unwrap();
    assert_eq!(pair.acceptor.take_plain(), b"the tail");
    assert_eq!(pair.acceptor.session.state(), State::PeerClosed(agreed.clone()));
    let mut answer = pair.acceptor.seal(&[b"all of it"]);
    answer.extend(pair.acceptor.close());
    pair.dialler.feed(&answer).unwrap();
    assert_eq!(pair.dialler.take_plain(), b"all of it");
    assert_eq!(pair.dialler.session.state(), State::PeerClosed(agreed));
}

fn foreign_bytes_are_called_foreign(make: fn() -> Pair) {
    for foreign in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-2.0-x\r\n", &[0; 64]] {
        let Pair { mut dialler, mut acceptor } = make();
        dialler.feed(&[]).unwrap();
        assert_eq!(dialler.feed(foreign), Err(TlsError::NotTls));
        assert_eq!(dialler.feed(&[]), Err(TlsError::NotTls), "an error is final");
        assert_eq!(acceptor.feed(foreign), Err(TlsError::NotTls));
    }
}

fn a_signal_in_clear_is_a_refusal(make: fn() -> Pair) {
    let mut dialler = make().dialler;
    dialler.feed(&[]).unwrap();
    dialler.feed(&[0xff, 0xff]).unwrap();
    assert_eq!(dialler.feed(&[0xff, 0xfc]), Err(TlsError::RefusedInClear));
}

fn a_truncated_record_waits_for_its_end(make: fn() -> Pair) {
    let mut pair = make().ready();
    let sealed = pair.dialler.seal(&[&[5; 10_000]]);
    let (start, end) = sealed.split_at(sealed.len() - 1);
    for byte in start {
        pair.acceptor.feed(&[*byte]).unwrap();
        assert!(pair.acceptor.plain.is_empty());
    }
    pair.acceptor.feed(end).unwrap();
    assert_eq!(pair.acceptor.take_plain(), [5; 10_000]);
}

fn a_record_larger_than_the_buffer_finds_room(make: fn() -> Pair) {
    let mut pair = make().ready();
    let sealed = pair.dialler.seal(&[&[6; 16_384]]);
    let acceptor = &mut pair.acceptor;
    acceptor.cipher = crate::buf::Buf::with_capacity(4096);
    let mut rest = &sealed[..];
    while !rest.is_empty() {
        let space = acceptor.cipher.space();
        assert!(!space.is_empty(), "nobody could read on");
        let n = space.len().min(rest.len());
        space[..n].copy_from_slice(&rest[..n]);
        acceptor.cipher.commit(n);
        rest = &rest[n..];
        acceptor.feed(&[]).unwrap();
    }
    assert_eq!(acceptor.take_plain(), [6; 16_384]);
}

fn a_small_message_leaves_a_small_buffer_small_and_a_whole_record_makes_it_grow(make: fn() -> Pair) {
    let mut pair = make().ready();
    let sealed = pair.dialler.seal(&[&[7; 200]]);
    let acceptor = &mut pair.acceptor;
    acceptor.plain = crate::buf::Buf::with_capacity(4096);
    acceptor.feed(&sealed).unwrap();
    assert_eq!((acceptor.take_plain(), acceptor.plain.capacity()), (vec![7; 200], 4096));
    let sealed = pair.dialler.seal(&[&[8; 16_384]]);
    pair.acceptor.limit = 4096;
    pair.acceptor.feed(&sealed).unwrap();
    assert!(pair.acceptor.cipher.is_empty(), "nothing is kept back in the engine");
    assert_eq!(pair.acceptor.take_plain(), [8; 16_384]);
}

fn a_flipped_bit_is_a_damaged_record(make: fn() -> Pair) {
    let mut pair = make().ready();
    let mut sealed = pair.dialler.seal(&[b"some data"]);
    sealed[9] ^= 1;
    assert_eq!(pair.acceptor.feed(&sealed), Err(TlsError::DamagedRecord));
    assert!(pair.acceptor.plain.is_empty());
    let alert = std::mem::take(&mut pair.acceptor.out);
    let told = pair.dialler.feed(&alert);
    assert!(alert.is_empty() || told == Err(TlsError::DamagedRecord), "{told:?}");
}

fn a_changed_handshake_is_never_finished_by_both(make: fn() -> Pair) {
    for back in [false, true] {
        for at in (0..700).step_by(5) {
            let mut pair = make();
            pair.dialler.feed(&[]).unwrap();
            if back {
                let hello = std::mem::take(&mut pair.dialler.out);
                pair.acceptor.feed(&hello).unwrap();
            }
            let flight = if back { &mut pair.acceptor.out } else { &mut pair.dialler.out };
            if at >= flight.len() || is_version(flight, at) {
                continue;
            }
            flight[at] ^= 0x55;
            let outcome = pair.shake(usize::MAX);
            let ends = [&pair.dialler, &pair.acceptor].map(|end| end.session.state() != State::Handshaking);
            assert!(outcome != (Ok(()), Ok(())) || ends != [true, true], "byte {at}, back: {back}");
        }
    }
}

/// Whether a byte is the version in the head of a record: it means nothing and is not protected.
fn is_version(records: &[u8], at: usize) -> bool {
    let mut start = 0;
    while let Some(len) = record_len(&records[start..]).filter(|len| start + len <= at) {
        start += len;
    }
    at == start + 1 || at == start + 2
}

fn nothing_is_sealed_before_the_handshake(make: fn() -> Pair) {
    let mut pair = make();
    pair.dialler.feed(&[]).unwrap();
    let flight = pair.dialler.out.len();
    let early = pair.dialler.session.seal(&[b"x"], &mut pair.dialler.out);
    assert!(matches!(early, Err(TlsError::Engine(_))));
    assert_eq!(pair.dialler.out.len(), flight);
}

fn neither_side_writes_after_the_handshake_unasked(make: fn() -> Pair) {
    let mut pair = make();
    let mut flights = 0;
    pair.dialler.feed(&[]).unwrap();
    loop {
        let there = std::mem::take(&mut pair.dialler.out);
        pair.acceptor.feed(&there).unwrap();
        let back = std::mem::take(&mut pair.acceptor.out);
        flights += usize::from(!there.is_empty()) + usize::from(!back.is_empty());
        if there.is_empty() && back.is_empty() {
            break;
        }
        pair.dialler.feed(&back).unwrap();
    }
    // TLS 1.3 without tickets takes three flights, 1.2 four.
    assert_eq!(flights, if pair.dialler.established().version == "TLSv1.2" { 4 } else { 3 });
}

macro_rules! engines {
    ($($(#[$when:meta])* $engine:ident = $make:expr;)*) => {$(
        $(#[$when])*
        mod $engine {
            #[allow(unused_imports, reason = "only some makers are in this file")]
            use super::*;
            engines!(@ $make;
                handshake_survives_a_split_at_every_byte
                data_goes_both_ways_in_order
                a_mebibyte_passes_in_pieces_no_larger_than_the_limit_and_a_record
                close_notify_is_seen_and_the_other_direction_stays_open
                foreign_bytes_are_called_foreign
                a_signal_in_clear_is_a_refusal
                a_truncated_record_waits_for_its_end
                a_record_larger_than_the_buffer_finds_room
                a_small_message_leaves_a_small_buffer_small_and_a_whole_record_makes_it_grow
                a_flipped_bit_is_a_damaged_record
                a_changed_handshake_is_never_finished_by_both
                nothing_is_sealed_before_the_handshake
                neither_side_writes_after_the_handshake_unasked
            );
        }
    )*};
    (@ $make:expr; $($body:ident)*) => {$(
        #[test]
        fn $body() {
            super::$body($make);
        }
    )*};
}

engines! {
    certificate_13 = || certificates(Versions::Only13);
    certificate_12 = || certificates(Versions::Only12);
    #[cfg(feature = "psk")]
    key_13 = || super::super::keys::psk(Versions::Only13);
    #[cfg(feature = "psk")]
    key_12 = || super::super::keys::psk(Versions::Only12);
    #[cfg(feature = "psk")]
    certificate_13_with_openssl = || super::super::keys::mixed(Versions::Only13);
    #[cfg(feature = "psk")]
    certificate_12_with_openssl = || super::super::keys::mixed(Versions::Only12);
    #[cfg(feature = "sim")]
    toy = super::super::keys::toys;
}

#[test]
fn sealing_between_the_records_of_a_ticket_is_harmless() {
    let own = config(Some(&Authority::new().sign("one", &[])), None, &[]);
    let acceptor = CertificateAcceptor::new(&own, Versions::Only13, &wall()).unwrap().with_tickets_in_pieces();
    let dialler = CertificateDialler::new(&config(None, None, &[]), Versions::Only13, &wall()).unwrap();
    let mut pair = Pair::new(dialler.start("peer.example").unwrap(), acceptor.start().unwrap());
    pair.dialler.feed(&[]).unwrap();
    for _ in 0..2 {
        let there = std::mem::take(&mut pair.dialler.out);
        pair.acceptor.feed(&there).unwrap();
        let back = std::mem::take(&mut pair.acceptor.out);
        if !there.is_empty() && pair.dialler.session.state() == State::Handshaking {
            pair.dialler.feed(&back).unwrap();
        } else {
            pair.acceptor.out = back;
        }
    }
    let tickets = std::mem::take(&mut pair.acceptor.out);
    assert!(tickets.len() > 100, "a ticket in several records");
    for byte in &tickets {
        pair.dialler.feed(&[*byte]).unwrap();
        let sealed = pair.dialler.seal(&[b"data"]);
        pair.acceptor.feed(&sealed).unwrap();
        assert_eq!(pair.acceptor.take_plain(), b"data");
    }
    assert!(pair.dialler.cipher.is_empty());
    let last = pair.acceptor.seal(&[b"done"]);
    pair.dialler.feed(&last).unwrap();
    assert_eq!(pair.dialler.take_plain(), b"done");
}

/// Two ends in rustls that verify nothing, as is Bareos's default.
fn certificates(versions: Versions) -> Pair {
    let own = Authority::new().sign("one", &[]);
    let dialler = CertificateDialler::new(&config(None, None, &[]), versions, &wall()).unwrap();
    let acceptor = CertificateAcceptor::new(&config(Some(&own), None, &[]), versions, &wall()).unwrap();
    Pair::new(dialler.start("peer.example").unwrap(), acceptor.start().unwrap())
}

#[test]
fn aes_with_128_bits_is_chosen() {
    let pair = certificates(Versions::All).ready();
    let agreed = pair.acceptor.established();
    assert_eq!((agreed.kind, agreed.version.as_str()), (Kind::Certificate, "TLSv1.3"));
    assert_eq!(agreed.cipher, "TLS_AES_128_GCM_SHA256");
    assert_eq!(agreed.identity, None);
}

#[test]
fn the_plain_engine_moves_bytes_up_to_the_limit() {
    let mut end = End::new(Box::<crate::tls::plain::Plain>::default());
    assert_eq!(end.established().kind, Kind::Clear);
    end.limit = 4;
    end.feed(b"abcdef").unwrap();
    assert_eq!(end.take_plain(), b"abcd");
    end.limit = NO_LIMIT;
    end.feed(b"gh").unwrap();
    assert_eq!(end.take_plain(), b"efgh");
    assert_eq!(end.seal(&[b"a", b"bc"]), b"abc");
    assert!(end.close().is_empty());
    assert!(end.session.seal(&[b"x"], &mut Vec::new()).is_err());
}
