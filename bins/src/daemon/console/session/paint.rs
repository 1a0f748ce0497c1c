//! Colours for what a person looks for first: how jobs ended, refusals, headings.

use towline_core::wire::console::parse_end;
use towline_core::wire::status::JobStatus;

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";
const BOLD: &str = "1";
const DIM: &str = "2";

/// Words for the end of a job, in lists of jobs that have ended and in reports.
const ENDS: [(&str, &str); 9] = [
    ("OK -- with warnings", YELLOW),
    ("OK", GREEN),
    ("Warning", YELLOW),
    ("Canceled", RED),
    ("Cancel", RED),
    ("Error", RED),
    ("Fatal", RED),
    ("Incomplete", YELLOW),
    ("Diffs", YELLOW),
];

/// A line with its colours, and nothing else changed.
pub(super) fn line(text: &str) -> String {
    match whole(text) {
        Some(colour) => painted(text, colour),
        None => ends(text).unwrap_or_else(|| text.to_owned()),
    }
}

/// A row of a table of jobs, given the heading of each of its cells.
pub(super) fn row(text: &str, headings: &[String]) -> String {
    let Some(at) = headings.iter().position(|name| name == "jobstatus") else { return text.to_owned() };
    let mut cells: Vec<String> = text.split('|').map(str::to_owned).collect();
    if let Some(cell) = cells.get_mut(at + 1)
        && let [letter] = cell.trim().as_bytes()
    {
        *cell = painted(cell, colour_of(*letter));
    }
    cells.join("|")
}

/// The text in a colour.
pub(super) fn painted(text: &str, colour: &str) -> String {
    format!("\x1b[{colour}m{text}\x1b[0m")
}

/// The prompt: it is bold.
pub(super) fn prompt(text: &str) -> String {
    painted(text, BOLD)
}

fn colour_of(letter: u8) -> &'static str {
    match JobStatus::from_letter(letter).exit_code() {
        0 => GREEN,
        1 => YELLOW,
        _ if has_ended(letter) => RED,
        _ => BOLD,
    }
}

/// Whether a job with this status runs no more.
pub(super) const fn has_ended(letter: u8) -> bool {
    matches!(letter, b'T' | b'W' | b'E' | b'f' | b'e' | b'A' | b'D' | b'I')
}

/// The colour of a line that has one as a whole.
fn whole(text: &str) -> Option<&'static str> {
    if let Some(letter) = parse_end(text) {
        return Some(colour_of(letter));
    }
    if !text.is_empty() && text.chars().all(|c| c == '=') {
        return Some(DIM);
    }
    if text.starts_with("Error: ") || text.contains(": is an invalid command.") {
        return Some(RED);
    }
    let is_heading = text.ends_with(':') && text.starts_with(|c: char| c.is_ascii_uppercase());
    is_heading.then_some(BOLD)
}

/// A line of a list of ended jobs (`   12  Full  …  OK  …`) or the last one of a report (`  Termination:  Backup OK`).
fn ends(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    let is_row = text.starts_with(' ') && first.bytes().all(|byte| byte.is_ascii_digit());
    if !is_row && first != "Termination:" {
        return None;
    }
    let (at, (word, colour)) = ENDS.iter().find_map(|end| text.find(end.0).map(|at| (at, end)))?;
    Some(format!("{}{}{}", &text[..at], painted(word, colour), &text[at + word.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_jobs_have_their_colours_and_other_lines_none() {
        assert_eq!(line("JobStatus=OK (T)"), "\x1b[32mJobStatus=OK (T)\x1b[0m");
        assert_eq!(
            line("   266  Full     1,033    16.03 M  OK       29-Nov-26 05:36 restore"),
            "   266  Full     1,033    16.03 M  \x1b[32mOK\x1b[0m       29-Nov-26 05:36 restore"
        );
        assert_eq!(
            line("     3  Full          0         0   Cancel   30-Nov-26 18:39 slow"),
            "     3  Full          0         0   \x1b[31mCancel\x1b[0m   30-Nov-26 18:39 slow"
        );
        assert_eq!(
            line("  Termination:  Backup OK -- with warnings"),
            "  Termination:  Backup \x1b[33mOK -- with warnings\x1b[0m"
        );
        assert_eq!(line("rum: is an invalid command."), "\x1b[31mrum: is an invalid command.\x1b[0m");
        for plain in ["", "Using Catalog \"MyCatalog\"", "/home/a/OK", "12 OK", "  Error"] {
            assert_eq!(line(plain), plain);
        }
    }

    #[test]
    fn the_status_in_a_table_is_painted_without_moving_its_lines() {
        let headings = ["jobid", "jobstatus"].map(str::to_owned);
        assert_eq!(row("|     1 | T         |", &headings), "|     1 |\x1b[32m T         \x1b[0m|");
        assert_eq!(row("|     1 | f         |", &headings), "|     1 |\x1b[31m f         \x1b[0m|");
        assert_eq!(row("|     1 | T         |", &headings[..1]), "|     1 | T         |");
    }
}
