//! What went over the wire as a pcap file, for Wireshark: packets of raw IP with TCP headers made for them.
//!
//! Addresses and ports are those that the sender sees. Each segment is one packet, as large as it is here.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use crate::tap::Passing;
use crate::tcp::{Data, Segment};

/// Packets without a link layer: IPv4 or IPv6 (`LINKTYPE_RAW`).
const RAW_IP: u32 = 101;
/// Bytes that are kept; what comes later is left out.
const MOST: usize = 256 * 1024 * 1024;
/// The number of TCP.
const TCP: u8 = 6;
/// Seconds since 1970 when each world begins: 2026-01-01.
const BEGINNING: u64 = 1_767_225_600;

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A capture; clones write into the same one.
#[derive(Clone, Debug)]
pub struct Capture(Rc<RefCell<Vec<u8>>>);

impl Default for Capture {
    fn default() -> Self {
        // Version 2.4, no time zone, whole packets.
        let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        file.extend([2, 0, 4, 0]);
        file.extend([0; 8]);
        file.extend(65_535_u32.to_le_bytes());
        file.extend(RAW_IP.to_le_bytes());
        Self(Rc::new(RefCell::new(file)))
    }
}

impl Capture {
    /// A segment is sent.
    pub fn see(&self, passing: &Passing<'_>) {
        let packet = packet(passing.ends.local, passing.ends.peer, passing.segment);
        let mut file = self.0.borrow_mut();
        if file.len() + packet.len() > MOST {
            return;
        }
        let micros = passing.at.0 / 1_000;
        let seconds = BEGINNING + micros / 1_000_000;
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        for word in [low(seconds), low(micros % 1_000_000), length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(packet);
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.0.borrow().clone()
    }
}

/// The lower half of a number, as sequence numbers wrap.
const fn low(number: u64) -> u32 {
    (number & 0xffff_ffff) as u32
}

/// A segment as a packet.
fn packet(from: SocketAddr, to: SocketAddr, segment: &Segment) -> Vec<u8> {
    let tcp = tcp(from, to, segment);
    let length = u16::try_from(tcp.len()).unwrap_or(u16::MAX);
    let mut packet = match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let mut head = vec![0x45, 0];
            head.extend(length.saturating_add(20).to_be_bytes());
            // Not to be fragmented, 64 hops.
            head.extend([0, 0, 0x40, 0, 64, TCP, 0, 0]);
            head.extend(source.octets());
            head.extend(target.octets());
            let sum = checksum(&head, 0);
            head[10..12].copy_from_slice(&sum.to_be_bytes());
            head
        }
        _ => {
            let mut head = vec![0x60, 0, 0, 0];
            head.extend(length.to_be_bytes());
            head.extend([TCP, 64]);
            head.extend(octets(from.ip()));
            head.extend(octets(to.ip()));
            head
        }
    };
    packet.extend(tcp);
    packet
}

fn tcp(from: SocketAddr, to: SocketAddr, segment: &Segment) -> Vec<u8> {
    let (sequence, acknowledged, flags, window, bytes): (u32, u32, u8, u64, &[u8]) = match segment {
        Segment::Syn { isn, .. } => (*isn, 0, SYN, 65_535, &[]),
        Segment::SynAck { isns, limit, .. } => (isns.from, isns.to.wrapping_add(1), SYN | ACK, *limit, &[]),
        Segment::Rst { .. } => (0, 0, RST, 0, &[]),
        Segment::Data(Data { isns, at, bytes, fin, ack, limit, .. }) => {
            let end = if *fin { FIN } else { 0 };
            let push = if bytes.is_empty() { 0 } else { PSH };
            (
                isns.from.wrapping_add(low(at + 1)),
                isns.to.wrapping_add(low(ack + 1)),
                ACK | end | push,
                limit.saturating_sub(*ack),
                bytes,
            )
        }
    };
    let mut tcp = from.port().to_be_bytes().to_vec();
    tcp.extend(to.port().to_be_bytes());
    tcp.extend(sequence.to_be_bytes());
    tcp.extend(acknowledged.to_be_bytes());
    // The head has five words and no options, so a larger window cannot be told.
    tcp.extend([0x50, flags]);
    tcp.extend(u16::try_from(window).unwrap_or(u16::MAX).to_be_bytes());
    tcp.extend([0; 4]);
    tcp.extend(bytes);
    let pseudo = [octets(from.ip()), octets(to.ip())].concat();
    let sum = checksum(&pseudo, u64::from(TCP) + tcp.len() as u64);
    let sum = checksum(&tcp, u64::from(!sum));
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    tcp
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// The sum of RFC 1071, complemented.
fn checksum(bytes: &[u8], begin: u64) -> u16 {
    let word = |pair: &[u8]| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    let mut sum = begin + bytes.chunks(2).map(word).sum::<u64>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::Isns;

    #[test]
    fn a_packet_has_its_lengths_and_sums() {
        let end = |last: u8, port: u16| SocketAddr::from(([192, 0, 2, last], port));
        let data = Data {
            isns: Isns { from: 0, to: u32::MAX },
            at: 5,
            bytes: b"abc".to_vec(),
            fin: true,
            ack: 7,
            limit: 100,
            probe: false,
        };
        let packet = packet(end(1, 9101), end(2, 40_000), &Segment::Data(data));
        assert_eq!(packet.len(), 43);
        assert_eq!(u16::from_be_bytes([packet[2], packet[3]]), 43);
        assert_eq!(checksum(&packet[..20], 0), 0, "the sum over a head with its sum");
        let pseudo = [&packet[12..20], &[0, TCP, 0, 23]].concat();
        assert_eq!(checksum(&[&pseudo[..], &packet[20..]].concat(), 0), 0);
        assert_eq!(packet[24..28], 6_u32.to_be_bytes());
        assert_eq!(packet[28..32], 7_u32.to_be_bytes());
        assert_eq!(packet[33], ACK | PSH | FIN);
    }
}
