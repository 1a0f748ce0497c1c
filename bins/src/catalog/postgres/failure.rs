//! What an error of the server, or of the way to it, means.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};
use towline_core::catalog::{CatalogError, CatalogErrorKind};

use super::link::Trouble;
use super::secure::fault_of;

/// What can go wrong between the director and the server.
pub(super) trait Meaning {
    fn meaning(&self) -> CatalogError;
}

/// What an error means.
pub(super) fn failure(error: &impl Meaning) -> CatalogError {
    error.meaning()
}

impl Meaning for Error {
    fn meaning(&self) -> CatalogError {
        match self.as_db_error() {
            Some(said) => CatalogError::new(kind_of(said.code()), text_of(said)),
            None => CatalogError::new(without_answer(self), chain(self)),
        }
    }
}

impl Meaning for Trouble {
    fn meaning(&self) -> CatalogError {
        match self {
            Self::Said(error) => error.meaning(),
            Self::Hangs => CatalogError::new(CatalogErrorKind::Unreachable, self.to_string()),
            Self::System(_) => CatalogError::new(CatalogErrorKind::Unavailable, self.to_string()),
        }
    }
}

/// By the code of the server.
fn kind_of(code: &SqlState) -> CatalogErrorKind {
    use CatalogErrorKind as Kind;
    let text = code.code();
    match text.get(..2).unwrap_or_default() {
        // Connections, and a server that stops, starts or has no more room for connections.
        "08" => Kind::Unreachable,
        "57" if text != "57014" => Kind::Unreachable,
        "53" if text == "53100" => Kind::Full,
        "53" if text == "53300" => Kind::Unreachable,
        // Idle too long in a transaction, locks, standby servers, no memory: another time it works.
        "25" | "40" | "53" | "55" | "57" => Kind::Unavailable,
        "23" | "54" => Kind::Constraint,
        "28" | "3D" => Kind::Denied,
        _ if text == "42501" || text == "3F000" => Kind::Denied,
        "58" => Kind::Unavailable,
        "XX" if text != "XX000" => Kind::Corrupt,
        _ => Kind::Bug,
    }
}

fn text_of(said: &DbError) -> String {
    let detail = said.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{}{detail}, SQLSTATE {}", said.message(), said.code().code())
}

/// The server has said nothing.
fn without_answer(error: &Error) -> CatalogErrorKind {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<std::io::Error>() {
            return fault_of(error).unwrap_or(CatalogErrorKind::Unreachable);
        }
        cause = inner.source();
    }
    let text = chain(error);
    if text.contains("server does not support TLS") {
        CatalogErrorKind::Plain
    } else if error.is_closed() || text.contains("timeout") {
        CatalogErrorKind::Unreachable
    } else if text.contains("authentication") || text.contains("configuration") {
        CatalogErrorKind::Denied
    } else {
        CatalogErrorKind::Bug
    }
}

/// An error with all its causes; a cause that its own effect already tells is not told twice.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_server_tell_whom_to_ask() {
        use CatalogErrorKind as Kind;
        for (code, kind) in [
            ("57P01", Kind::Unreachable),
            ("57P03", Kind::Unreachable),
            ("08006", Kind::Unreachable),
            ("53300", Kind::Unreachable),
            ("53100", Kind::Full),
            ("53200", Kind::Unavailable),
            ("57014", Kind::Unavailable),
            ("55P03", Kind::Unavailable),
            ("40P01", Kind::Unavailable),
            ("25006", Kind::Unavailable),
            ("25P03", Kind::Unavailable),
            ("23505", Kind::Constraint),
            ("28P01", Kind::Denied),
            ("28000", Kind::Denied),
            ("3D000", Kind::Denied),
            ("42501", Kind::Denied),
            ("XX001", Kind::Corrupt),
            ("XX000", Kind::Bug),
            ("42601", Kind::Bug),
        ] {
            assert_eq!(kind_of(&SqlState::from_code(code)), kind, "{code}");
        }
    }
}
