//! `time`: what the director's clock shows.

use crate::calendar::Civil;
use crate::wire::json::Json;

use super::super::answer::Shown;
use super::super::grammar::{Command, Form, Rights};
use super::super::reply::Reply;

pub(super) const COMMAND: Command = Command {
    rights: Rights::All,
    ..Command::new(
        "time",
        &[Form { help: &[("time", "the date and time of the director")], ..Form::PLAIN }],
        |view, _| Ok(Reply::found(Now(view.zone().local(view.now())))),
    )
};

#[derive(Debug)]
struct Now(Civil);

impl Now {
    /// Year, month, day, hour, minute and second as texts with all their digits.
    fn parts(&self) -> [String; 6] {
        let stamp = self.0.stamp();
        let mut parts = stamp.split(['-', '_', '.']).map(str::to_owned);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    fn full(&self) -> String {
        self.0.format("%a %d-%b-%Y %H:%M:%S").unwrap_or_default()
    }
}

impl Shown for Now {
    fn text(&self) -> String {
        format!("{}\n", self.full())
    }

    fn json(&self) -> Option<Json> {
        let heads = ["year", "month", "day", "hour", "minute", "second"];
        let parts = heads.into_iter().zip(self.parts()).map(|(head, part)| (head.to_owned(), part.into()));
        let members = [("full".to_owned(), self.full().into())].into_iter().chain(parts).collect();
        Some(Json::object([("time", Json::Object(members))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_as_a_real_director_shows_it() {
        let now = Now(Civil::parse("2026-11-29 05:52:07").unwrap());
        assert_eq!(now.text(), "Sun 29-Nov-2026 05:52:07\n");
        assert_eq!(now.parts(), ["2026", "11", "29", "05", "52", "07"]);
        assert_eq!(Now(Civil::parse("1970-01-01 00:00:00").unwrap()).text(), "Thu 01-Jan-1970 00:00:00\n");
    }
}
