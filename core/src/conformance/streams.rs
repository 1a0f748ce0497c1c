//! Bytes in both directions.

use xxhash_rust::xxh3::Xxh3;

use super::arm::Arm;
use super::stage::Stage;
use crate::socket::SocketOptions;

/// Frames that come a byte at a time are whole frames in the end, and bytes read one at a time too.
pub fn frames_arrive_byte_by_byte(arm: &impl Arm) {
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.guest(SocketOptions::default());
    mate.chunk = 1;
    mate.sip = 1;
    for length in [1, 2, 3, 4, 5, 100, 1000] {
        let text = noise(length, length as u64);
        mate.send(&text);
        assert_eq!(stage.text(conn), text);
        let back = text.clone();
        stage.order(move |net| net.send_text(conn, back));
        assert_eq!(mate.text(), text);
    }
    stage.finish();
}

/// With small buffers every write is partial; nothing is lost, doubled or swapped.
pub fn partial_writes_keep_the_order(arm: &impl Arm) {
    const FRAMES: u64 = 48;
    let tiny = SocketOptions { buffer: Some(4096), ..SocketOptions::default() };
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.host(tiny, tiny);
    mate.sip = 1500;
    stage.order(move |net| {
        for n in 0..FRAMES {
            net.send_text(conn, noise(20_000, n));
        }
    });
    for n in 0..FRAMES {
        assert!(mate.text() == noise(20_000, n), "frame {n} differs");
    }
    stage.finish();
}

/// 64 MiB in each direction come out as they went in.
pub fn bulk_arrives_with_an_equal_hash(arm: &impl Arm) {
    const FRAME: usize = 64 * 1024;
    const FRAMES: u64 = 1024;
    /// Frames on the way; below what a mailbox holds.
    const WINDOW: u64 = 16;
    let stage = Stage::new(arm);
    let (mut mate, conn) = stage.guest(SocketOptions::default());
    let (mut sent, mut came) = (Xxh3::new(), Xxh3::new());
    let began = arm.now();
    for window in 0..FRAMES / WINDOW {
        for n in 0..WINDOW {
            let text = noise(FRAME, window * WINDOW + n);
            sent.update(&text);
            mate.send(&text);
        }
        for _ in 0..WINDOW {
            came.update(&stage.text(conn));
        }
    }
    assert_eq!(came.digest(), sent.digest());
    let received = arm.now();
    let mut back = Xxh3::new();
    for window in 0..FRAMES / WINDOW {
        stage.order(move |net| {
            for n in 0..WINDOW {
                net.send_text(conn, noise(FRAME, window * WINDOW + n));
            }
        });
        for _ in 0..WINDOW {
            back.update(&mate.text());
        }
    }
    assert_eq!(back.digest(), sent.digest());
    let rate = |span: std::time::Duration| (FRAMES as f64 * FRAME as f64 / 1e6) / span.as_secs_f64();
    let (to, from) = (received.since(began), arm.now().since(received));
    println!("{}: {:.0} MB/s to the node, {:.0} MB/s from it, in lock step", arm.name(), rate(to), rate(from));
    stage.finish();
}

/// Bytes that differ everywhere; none of them trailing NULs, which a text frame may lose.
pub(super) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 32) as u8 | 1
    };
    (0..length).map(|_| step(&mut state)).collect()
}
