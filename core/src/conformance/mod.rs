//! The suite every adapter must pass: bodies that drive an [`Arm`], so that the same script runs on the kernel and in
//! the simulator.
//!
//! A body starts a node with a [scripted role](stage::Scripted), puts a [`Mate`] on the other end of its connections,
//! and says what each must see. The mate is a `Conn` that the body drives by hand, byte by byte where that matters.
//! Asserted: never early, order, bounds, hashes. Printed only: lateness, processor time, rates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "these are the bodies of tests")]

mod arm;
mod counts;
mod dialling;
mod ending;
mod heartbeats;
mod mate;
mod pressure;
mod stage;
mod streams;
mod timers;
mod tls;
mod trace;

pub use arm::{Arm, Counts, Door, Facts, Peer, Running};
pub use counts::nothing_leaks_and_nothing_spins;
pub use dialling::{
    a_burst_of_connections_is_accepted, a_cancelled_dial_answers_once, a_dial_nobody_answers_times_out_and_not_early,
    a_name_is_resolved, a_refused_dial_is_reported, a_taken_address_is_reported, keepalive_is_really_changed,
    keepalive_reaches_a_connection_whose_mailbox_is_full, socket_options_are_really_set,
};
pub use ending::{
    a_half_close_of_the_node_lets_the_peer_finish, a_half_close_of_the_peer_ends_the_connection,
    a_reset_in_mid_frame_is_reported, an_aborted_connection_is_closed_at_once, draining_sends_all_that_is_queued,
    exit_ends_every_connection, unread_data_at_close_does_not_lose_the_tail,
};
pub use heartbeats::heartbeats_are_sent_answered_and_missed_and_never_early;
pub use mate::Mate;
pub use pressure::{
    a_peer_that_stops_reading_is_cut_off_within_bounds, a_slow_reader_gets_everything,
    a_window_shut_for_ten_intervals_loses_nothing,
};
pub use stage::{Heard, Props, Scripted, Stage};
pub use streams::{bulk_arrives_with_an_equal_hash, frames_arrive_byte_by_byte, partial_writes_keep_the_order};
pub use timers::{a_cancelled_timer_stays_silent, timers_are_never_early_and_keep_their_order};
pub use tls::a_handshake_split_at_every_byte_succeeds;
pub use trace::the_trace_is_the_same_everywhere;

/// Makes a test of each body, on the given [`Arm`]. `nothing_leaks_and_nothing_spins` is not among them: it counts
/// what the process has, and needs a process of its own.
#[macro_export]
macro_rules! conformance_suite {
    ($arm:expr) => {
        $crate::conformance_suite! { @each $arm;
            a_refused_dial_is_reported,
            a_dial_nobody_answers_times_out_and_not_early,
            a_cancelled_dial_answers_once,
            a_name_is_resolved,
            a_taken_address_is_reported,
            a_burst_of_connections_is_accepted,
            socket_options_are_really_set,
            keepalive_is_really_changed,
            keepalive_reaches_a_connection_whose_mailbox_is_full,
            frames_arrive_byte_by_byte,
            partial_writes_keep_the_order,
            bulk_arrives_with_an_equal_hash,
            a_half_close_of_the_peer_ends_the_connection,
            a_half_close_of_the_node_lets_the_peer_finish,
            a_reset_in_mid_frame_is_reported,
            an_aborted_connection_is_closed_at_once,
            draining_sends_all_that_is_queued,
            unread_data_at_close_does_not_lose_the_tail,
            exit_ends_every_connection,
            a_slow_reader_gets_everything,
            a_peer_that_stops_reading_is_cut_off_within_bounds,
            a_window_shut_for_ten_intervals_loses_nothing,
            heartbeats_are_sent_answered_and_missed_and_never_early,
            timers_are_never_early_and_keep_their_order,
            a_cancelled_timer_stays_silent,
            a_handshake_split_at_every_byte_succeeds,
            the_trace_is_the_same_everywhere,
        }
    };
    (@each $arm:expr; $($body:ident,)*) => {
        $(
            #[test]
            fn $body() {
                $crate::conformance::$body(&$arm);
            }
        )*
    };
}
