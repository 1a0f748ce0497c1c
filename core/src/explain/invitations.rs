//! `T0643` to `T0646`: tokens by which machines join.

use super::{Page, entry};
use crate::error::{Fault, Retry};

pub(super) const PAGES: &[Page] = &[
    entry(
        643,
        "a console that was not invited asks to join",
        (Fault::Config, Retry::Never),
        "`join` is said by `towline join`, with the token of an invitation. This console has come with a name and a password of \
         the configuration, so that nothing is kept for it.",
        "Make a token with `towline client add` on the director's machine, and give it to `towline join` on the client.",
    ),
    entry(
        644,
        "a token was used before",
        (Fault::Config, Retry::Never),
        "A token hands the configuration of a client out once. The line says when that was and from which address: if that was \
         nobody you know, somebody else has seen the token and can pass for the client.",
        "If it was nobody you know, give the client another password in the director's `clients`. Then make another token with \
         `towline client token`.",
    ),
    entry(
        645,
        "a token is over",
        (Fault::Config, Retry::Never),
        "A token is good for an hour unless it was made for another time, by the director's clock.",
        "Make another token with `towline client token`, for a longer time if the way to the client takes long.",
    ),
    entry(
        646,
        "too many clients are invited",
        (Fault::Config, Retry::Backoff),
        "The director keeps 64 invitations that were not used and are not over.",
        "Let the clients that are invited join, or wait until their tokens are over.",
    ),
];
