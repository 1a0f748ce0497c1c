//! Schedules: `Run = Level=Full 1st sat at 21:00` and its other forms.
//!
//! A line has pairs `keyword = value` first, then days and times. Days of the week, of the month, months and weeks narrow it
//! down, each list by itself; `at` names an hour, and the last one the minute of all. Without a time it is every full hour.

use towline_core::calendar::MONTHS;
use towline_core::config::{TimeOfDay, Week, Weekday};
use towline_core::explain::codes;

use super::super::lex::{Kind as Of, Token};
use super::super::map::{Mapped, Mapper};
use super::super::parse::{Item, Wrong, plain};
use super::super::read::{boolean, seconds};
use super::super::value::{Node, Value};
use super::list;

pub(super) fn build(mapper: &mut Mapper, mut schedule: Mapped) -> Mapped {
    mapper.require(&schedule, &[("name", "Name")]);
    let items: Vec<Item> = schedule.given("Run").map(|given| given.item.clone()).collect();
    let mut runs = Vec::new();
    for item in &items {
        match Line::default().read(item) {
            Ok(node) => runs.push(node),
            Err(Wrong { place, message, help }) => {
                mapper.error(codes::REFUSED_RUN, &place, format!("this `Run` cannot be kept: {message}"), help);
            }
        }
    }
    schedule.set("runs", list(runs));
    schedule
}

const DAYS: [(Weekday, &str, &str); 7] = [
    (Weekday::Sun, "sun", "sunday"),
    (Weekday::Mon, "mon", "monday"),
    (Weekday::Tue, "tue", "tuesday"),
    (Weekday::Wed, "wed", "wednesday"),
    (Weekday::Thu, "thu", "thursday"),
    (Weekday::Fri, "fri", "friday"),
    (Weekday::Sat, "sat", "saturday"),
];
const WEEKS: [(Week, &str, &str, &str); 5] = [
    (Week::First, "1st", "first", "first"),
    (Week::Second, "2nd", "second", "second"),
    (Week::Third, "3rd", "third", "third"),
    (Week::Fourth, "4th", "fourth", "fourth"),
    (Week::Fifth, "5th", "fifth", "fifth"),
];

/// The last week that a year can have.
const LAST_WEEK: usize = 53;
/// Keywords whose value is a name, and the field it is.
const NAMES: [(&str, &str); 8] = [
    ("pool", "pool"),
    ("fullpool", "full_pool"),
    ("differentialpool", "differential_pool"),
    ("incrementalpool", "incremental_pool"),
    ("virtualfullpool", "virtual_full_pool"),
    ("nextpool", "next_pool"),
    ("storage", "storage"),
    ("messages", "messages"),
];

/// What a word of a line means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Day(usize),
    Month(usize),
    Week(usize),
    Last,
    At,
    Hourly,
    /// `on`, `daily`: they say what is so anyway.
    Nothing,
}

fn word(text: &str) -> Option<Word> {
    let text = text.to_ascii_lowercase();
    let found = match text.as_str() {
        "at" => Word::At,
        "last" => Word::Last,
        "hourly" => Word::Hourly,
        "on" | "daily" | "weekly" | "monthly" => Word::Nothing,
        text => {
            let day = DAYS.iter().position(|(_, short, long)| *short == text || *long == text).map(Word::Day);
            let of_month = |name: &&str| {
                let short = name.get(..3).unwrap_or(name);
                name.eq_ignore_ascii_case(text) || short.eq_ignore_ascii_case(text)
            };
            let month = || MONTHS.iter().position(of_month).map(Word::Month);
            let week = || WEEKS.iter().position(|(_, a, b, _)| *a == text || *b == text).map(Word::Week);
            return day.or_else(month).or_else(week);
        }
    };
    Some(found)
}

/// A line while it is read: which days, and which hours.
#[derive(Default)]
struct Line {
    level: Option<Node>,
    /// What the job has beside that: fields of the line.
    keywords: Vec<(&'static str, Node)>,
    days: Vec<usize>,
    months: Vec<usize>,
    weeks: Vec<usize>,
    of_year: Vec<usize>,
    is_last: bool,
    of_month: Vec<usize>,
    hours: Vec<u16>,
    minute: Option<u16>,
    is_hourly: bool,
    has_at: bool,
}

impl Line {
    fn read(mut self, item: &Item) -> Result<Node, Wrong> {
        let mut tokens = item.value.as_slice();
        let place =
            tokens.first().zip(tokens.last()).map_or_else(|| item.name.place.clone(), |(a, b)| a.place.to(&b.place));
        while let [token, rest @ ..] = tokens {
            tokens = match rest {
                [equals, value, rest @ ..] if equals.kind == Of::Equals => {
                    self.keyword(token, value)?;
                    rest
                }
                _ if token.kind == Of::Comma => rest,
                _ if self.is_level(token) => rest,
                _ => {
                    self.part(token)?;
                    rest
                }
            };
        }
        self.node(place)
    }

    fn keyword(&mut self, keyword: &Token, value: &Token) -> Result<(), Wrong> {
        let name = plain(&keyword.text);
        match name.as_str() {
            "level" => {
                if !self.is_level(value) {
                    let help = "write `Full`, `Differential`, `Incremental` or `VirtualFull`";
                    return Err(wrong(value, format!("`{}` is no level that a job can have", value.text), help));
                }
            }
            "accurate" | "spooldata" => {
                let is = boolean(&value.text).map(Value::Bool);
                let field = if name == "accurate" { "accurate" } else { "spool_data" };
                self.set(field, value, is, "`yes` or `no`")?;
            }
            "priority" => {
                let number = value.text.parse().ok().filter(|number| (1..=u64::from(u32::MAX)).contains(number));
                self.set("priority", value, number.map(Value::Number), "a whole number from 1")?;
            }
            "maxrunschedtime" => {
                let time = seconds(&value.text).map(Value::Number);
                self.set("max_run_sched_time", value, time, "a time such as `\"5 hours\"`")?;
            }
            name if NAMES.iter().any(|(known, _)| *known == name) => {
                let field = NAMES.iter().find(|(known, _)| *known == name).map_or("", |(_, field)| *field);
                self.set(field, value, Some(Value::Text(value.text.clone())), "a name")?;
            }
            _ => return Err(wrong(keyword, format!("it has no `{}`", keyword.text), "write `Level = Full`")),
        }
        Ok(())
    }

    /// What a keyword says; the last one counts.
    fn set(&mut self, field: &'static str, token: &Token, value: Option<Value>, what: &str) -> Result<(), Wrong> {
        let value =
            value.ok_or_else(|| wrong(token, format!("`{}` is not {what}", token.text), &format!("write {what}")))?;
        self.keywords.retain(|(known, _)| *known != field);
        self.keywords.push((field, Node::new(token.place.clone(), value)));
        Ok(())
    }

    /// Takes a level, with or without its keyword.
    fn is_level(&mut self, token: &Token) -> bool {
        let level = plain(&token.text);
        let known = [
            ("full", "full"),
            ("differential", "differential"),
            ("incremental", "incremental"),
            ("virtualfull", "virtual_full"),
        ];
        let found = known.iter().find(|(word, _)| *word == level);
        if let Some((_, ours)) = found {
            self.level = Some(Node::text(token.place.clone(), *ours));
        }
        found.is_some()
    }

    /// A day, a time, or a range of days.
    fn part(&mut self, token: &Token) -> Result<(), Wrong> {
        let text = token.text.as_str();
        let unknown = || wrong(token, format!("`{text}` is no day and no time"), "write as in `1st sat at 21:00`");
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.of_month.push(day_of_month(token, text)?);
        } else if text.contains(':') {
            self.time(token)?;
        } else if let Some((first, every)) = text.split_once('/') {
            self.modulo(token, first, every)?;
        } else if let Some((from, to)) = text.split_once('-') {
            self.range(token, from, to)?;
        } else if let Some(week) = week_of_year(text) {
            self.of_year.push(of_year(token, week)?);
        } else {
            match word(text).ok_or_else(unknown)? {
                Word::Day(day) => self.days.push(day),
                Word::Month(month) => self.months.push(month),
                Word::Week(week) => self.weeks.push(week),
                Word::Last => self.is_last = true,
                Word::At => self.has_at = true,
                Word::Hourly => self.is_hourly = true,
                Word::Nothing => {}
            }
        }
        Ok(())
    }

    /// `21:00`, `9:05pm`.
    fn time(&mut self, token: &Token) -> Result<(), Wrong> {
        let bad =
            || wrong(token, format!("`{}` is no time of day", token.text), "write as in `at 21:00` or `at 9:00pm`");
        if !self.has_at {
            return Err(wrong(token, "a time needs `at` before it".to_owned(), "write `at` and the time"));
        }
        let text = token.text.to_ascii_lowercase();
        let (digits, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
            (Some(digits), _) => (digits, Some(0)),
            (_, Some(digits)) => (digits, Some(12)),
            _ => (text.as_str(), None),
        };
        let minutes = TimeOfDay::parse(digits).ok_or_else(bad)?.minutes;
        let hour = match (minutes / 60, half) {
            (hour, None) => hour,
            (hour @ 0..=12, Some(half)) => hour % 12 + half,
            _ => return Err(bad()),
        };
        if self.minute.is_some_and(|minute| minute != minutes % 60) {
            let help = "write a `Run` of its own for each time";
            return Err(wrong(token, "all times of a line have the same minute".to_owned(), help));
        }
        self.minute = Some(minutes % 60);
        self.hours.push(hour);
        Ok(())
    }

    /// `1/2`: the first day, and every how many days from then on.
    fn modulo(&mut self, token: &Token, first: &str, every: &str) -> Result<(), Wrong> {
        if let (Some(first), Some(every)) = (week_of_year(first), week_of_year(every)) {
            let (first, every) = (of_year(token, first)?, of_year(token, every)?);
            if every == 0 || first > every {
                let help = "write the first week, which is at most the number behind the slash";
                return Err(wrong(token, format!("`{}` begins after its first turn", token.text), help));
            }
            self.of_year.extend((first..=LAST_WEEK).step_by(every));
            return Ok(());
        }
        let first = day_of_month(token, first)?;
        let every = day_of_month(token, every)?;
        if first > every {
            let help = "write the first day, which is at most the number behind the slash";
            return Err(wrong(token, format!("`{}` begins after its first turn", token.text), help));
        }
        self.of_month.extend((first..=31).step_by(every));
        Ok(())
    }

    /// `mon-fri`, `2nd-5th`, `1-7`, `jun-aug`; one that ends before it begins goes over the end of the week, month or year.
    fn range(&mut self, token: &Token, from: &str, to: &str) -> Result<(), Wrong> {
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if all_digits(from) && all_digits(to) {
            let (from, to) = (day_of_month(token, from)?, day_of_month(token, to)?);
            self.of_month.extend(around(from - 1, to - 1, 31).map(|day| day + 1));
            return Ok(());
        }
        if let (Some(from), Some(to)) = (week_of_year(from), week_of_year(to)) {
            let (from, to) = (of_year(token, from)?, of_year(token, to)?);
            self.of_year.extend(around(from, to, LAST_WEEK + 1));
            return Ok(());
        }
        match (word(from), word(to)) {
            (Some(Word::Day(from)), Some(Word::Day(to))) => self.days.extend(around(from, to, 7)),
            (Some(Word::Month(from)), Some(Word::Month(to))) => self.months.extend(around(from, to, 12)),
            (Some(Word::Week(from)), Some(Word::Week(to))) => self.weeks.extend(around(from, to, 5)),
            _ => return Err(wrong(token, format!("`{}` is no range of days", token.text), "write as in `mon-fri`")),
        }
        Ok(())
    }

    fn node(self, place: super::Place) -> Result<Node, Wrong> {
        let mut hours = self.hours;
        if hours.is_empty() || self.is_hourly {
            hours = (0..24).collect();
        }
        hours.sort_unstable();
        hours.dedup();
        let minute = self.minute.unwrap_or(0);
        let text = |text: String| Node::text(place.clone(), text);
        let numbers = |mut numbers: Vec<usize>| {
            numbers.sort_unstable();
            numbers.dedup();
            let nodes = numbers.into_iter().map(|number| Node::new(place.clone(), Value::Number(number as u64)));
            Node::new(place.clone(), Value::List(nodes.collect()))
        };
        let at = hours.into_iter().map(|hour| text(TimeOfDay { minutes: hour * 60 + minute }.to_string())).collect();
        let mut fields = vec![("at", Node::new(place.clone(), Value::List(at)))];
        fields.extend(self.level.map(|level| ("level", level)));
        fields.extend(self.keywords);
        if !self.of_year.is_empty() {
            fields.push(("weeks_of_year", numbers(self.of_year)));
        }
        let mut words =
            |field: &'static str, mut from: Vec<usize>, name: &dyn Fn(usize) -> &'static str, more: Option<&str>| {
                from.sort_unstable();
                from.dedup();
                let mut nodes: Vec<_> = from.into_iter().map(|index| text(name(index).to_owned())).collect();
                nodes.extend(more.map(|more| text(more.to_owned())));
                if !nodes.is_empty() {
                    fields.push((field, Node::new(place.clone(), Value::List(nodes))));
                }
            };
        words("days", self.days, &|day| DAYS.get(day).map_or("", |day| day.1), None);
        words("weeks", self.weeks, &|week| WEEKS.get(week).map_or("", |week| week.3), self.is_last.then_some("last"));
        if !self.of_month.is_empty() {
            fields.push(("days_of_month", numbers(self.of_month)));
        }
        if !self.months.is_empty() {
            fields.push(("months", numbers(self.months.into_iter().map(|month| month + 1).collect())));
        }
        Ok(Node::new(place.clone(), Value::Fields(fields)))
    }
}

fn wrong(token: &Token, message: String, help: &str) -> Wrong {
    Wrong { place: token.place.clone(), message, help: help.to_owned() }
}

fn day_of_month(token: &Token, text: &str) -> Result<usize, Wrong> {
    let day = text.parse().ok().filter(|day| (1..=31).contains(day));
    day.ok_or_else(|| wrong(token, format!("`{text}` is no day of a month"), "write a number from 1 to 31"))
}

/// From one to the other, over the end if need be.
fn around(from: usize, to: usize, length: usize) -> impl Iterator<Item = usize> {
    let count = (to + length - from) % length + 1;
    (0..count).map(move |step| (from + step) % length)
}

/// The number of `w05`.
fn week_of_year(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [b'w' | b'W', a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(usize::from(a - b'0') * 10 + usize::from(b - b'0')),
        _ => None,
    }
}

fn of_year(token: &Token, week: usize) -> Result<usize, Wrong> {
    let help = "write `w00` to `w53`";
    let none = || wrong(token, format!("`{}` has no week of a year", token.text), help);
    Some(week).filter(|week| *week <= LAST_WEEK).ok_or_else(none)
}
