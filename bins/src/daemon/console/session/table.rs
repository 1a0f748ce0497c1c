//! The tables that directors draw: read, and drawn again where they are wider than the terminal.

use std::iter;

/// Characters that a column keeps at least; in a terminal that is narrower still a row becomes a list.
const MIN_WIDTH: usize = 6;
/// The longest word that is not cut, if the first row has it: a date.
const MAX_WORD: usize = 10;

/// The rows of the tables in a text, each with its headings: `| jobid | name |`.
pub(super) fn rows(text: &str) -> Vec<Vec<(&str, &str)>> {
    let (mut headings, mut rows, mut borders) = (Vec::new(), Vec::new(), 0);
    for line in text.lines() {
        if is_border(line) {
            borders += 1;
            continue;
        }
        let Some(cells) = cells(line) else {
            borders = 0;
            continue;
        };
        let cells: Vec<&str> = cells.map(str::trim).collect();
        if borders == 1 {
            headings = cells;
        } else {
            rows.push(headings.iter().copied().zip(cells).collect());
        }
    }
    rows
}

/// The cell of a row under this heading.
pub(super) fn cell<'a>(row: &[(&str, &'a str)], heading: &str) -> Option<&'a str> {
    row.iter().find(|(name, _)| *name == heading).map(|(_, cell)| *cell)
}

/// Whether a line can be a part of a table.
pub(super) fn is_part(line: &str) -> bool {
    line.starts_with(['+', '|'])
}

/// A table that is drawn as it comes. Its head waits for the first row, which shows in which columns numbers stand.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    head: Vec<String>,
    plan: Option<Plan>,
}

/// How the rows of a table are drawn.
#[derive(Debug)]
enum Plan {
    /// As the director has drawn them.
    AsTheyAre,
    /// With these widths.
    Narrower(Vec<usize>),
    /// As a list each, with these headings: the columns find no room beside each other.
    Lists(Vec<String>),
}

impl Drawing {
    /// The lines that a line of the director becomes in a terminal of so many columns.
    pub(super) fn draw(&mut self, line: &str, columns: usize) -> Vec<String> {
        if let Some(plan) = &self.plan {
            return plan.draw(line);
        }
        self.head.push(line.to_owned());
        // A border, the headings, a border, and then the first row, or the end.
        if self.head.len() < 4 { Vec::new() } else { self.begin(columns) }
    }

    /// What still waits: the table has ended without a row.
    pub(super) fn end(&mut self) -> Vec<String> {
        std::mem::take(&mut self.head)
    }

    fn begin(&mut self, columns: usize) -> Vec<String> {
        let head = std::mem::take(&mut self.head);
        let plan = self.plan.insert(Plan::of(&head, columns));
        head.iter().flat_map(|line| plan.draw(line)).collect()
    }
}

impl Plan {
    fn of(head: &[String], columns: usize) -> Self {
        let [border, headings, .., row] = head else { return Self::AsTheyAre };
        let (Some(headings), true) = (cells(headings), is_border(border)) else { return Self::AsTheyAre };
        let headings: Vec<String> = headings.map(|name| name.trim().to_owned()).collect();
        let mut widths: Vec<usize> =
            border.trim_matches('+').split('+').map(|dashes| dashes.len().max(2) - 2).collect();
        // Each column has a line and two blanks beside its text.
        let around = 3 * widths.len() + 1;
        if widths.iter().sum::<usize>() + around <= columns {
            return Self::AsTheyAre;
        }
        let row: Vec<&str> = cells(row).map(Iterator::collect).unwrap_or_default();
        while widths.iter().sum::<usize>() + around > columns {
            let least = |at: usize, width: usize| row.get(at).map_or(MIN_WIDTH, |cell| least(cell.trim(), width));
            let may_shrink = widths.iter_mut().enumerate().filter(|(at, width)| **width > least(*at, **width));
            match may_shrink.map(|(_, width)| width).max() {
                Some(widest) => *widest -= 1,
                None => return Self::Lists(headings),
            }
        }
        Self::Narrower(widths)
    }

    fn draw(&self, line: &str) -> Vec<String> {
        let cells = |count: usize| cells(line).map(Iterator::collect).filter(|cells: &Vec<&str>| cells.len() == count);
        match self {
            Self::AsTheyAre => vec![line.to_owned()],
            Self::Narrower(widths) if is_border(line) => vec![border(widths)],
            Self::Narrower(widths) => match cells(widths.len()) {
                Some(cells) => row(&cells, widths),
                None => vec![line.to_owned()],
            },
            Self::Lists(_) if is_border(line) => Vec::new(),
            Self::Lists(headings) => match cells(headings.len()) {
                Some(cells) if cells.iter().zip(headings).all(|(cell, name)| cell.trim() == name) => Vec::new(),
                Some(cells) => list(&cells, headings),
                None => vec![line.to_owned()],
            },
        }
    }
}

/// A row as lines, with an empty one at its end.
fn list(cells: &[&str], headings: &[String]) -> Vec<String> {
    let longest = headings.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let pairs = headings.iter().zip(cells);
    pairs.map(|(name, cell)| format!("{name:>longest$}: {}", cell.trim())).chain([String::new()]).collect()
}

/// The characters that a column with this cell keeps: all, if it is a number.
fn least(cell: &str, width: usize) -> usize {
    let word = cell.split_whitespace().map(|word| word.chars().count()).max().unwrap_or_default();
    if is_number(cell) { width } else { word.clamp(MIN_WIDTH, MAX_WORD) }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}

fn is_border(line: &str) -> bool {
    line.starts_with("+-") && line.ends_with("-+") && line.bytes().all(|byte| matches!(byte, b'+' | b'-'))
}

fn cells(line: &str) -> Option<impl Iterator<Item = &str>> {
    line.strip_prefix("| ")?.strip_suffix(" |").map(|inner| inner.split(" | "))
}

fn border(widths: &[usize]) -> String {
    widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).chain(iter::once("+".to_owned())).collect()
}

/// A row whose cells take as many lines as the longest needs.
fn row(cells: &[&str], widths: &[usize]) -> Vec<String> {
    let pieces: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| wrapped(cell.trim(), *width)).collect();
    let lines = pieces.iter().map(Vec::len).max().unwrap_or_default();
    let mut out = Vec::new();
    for index in 0..lines {
        let mut line = String::from("|");
        for ((cell, width), pieces) in cells.iter().zip(widths).zip(&pieces) {
            let piece = pieces.get(index).map_or("", String::as_str);
            // What stands on the right is a number.
            let text =
                if cell.starts_with(' ') { format!(" {piece:>width$} |") } else { format!(" {piece:<width$} |") };
            line += &text;
        }
        out.push(line);
    }
    out
}

/// Cuts a text at blanks where there is one in the second half of a line, else where the line ends.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut rest: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    while rest.len() > width {
        let blank = rest[..=width].iter().rposition(|c| *c == ' ').filter(|at| *at > width / 2);
        let left = rest.split_off(blank.unwrap_or(width));
        lines.push(rest.into_iter().collect());
        rest = left.into_iter().skip(usize::from(blank.is_some())).collect();
    }
    lines.push(rest.into_iter().collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
+-------+---------+---------------------+-----------+
| jobid | name    | starttime           | jobbytes  |
+-------+---------+---------------------+-----------+
|     1 | laptop  | 2026-11-29 04:44:04 |     1,043 |
|    12 | restore | 2026-11-29 04:44:08 | 1,234,567 |
+-------+---------+---------------------+-----------+";

    fn drawn(columns: usize) -> String {
        let mut drawing = Drawing::default();
        let mut lines: Vec<String> = TABLE.lines().flat_map(|line| drawing.draw(line, columns)).collect();
        lines.extend(drawing.end());
        lines.join("\n")
    }

    #[test]
    fn rows_are_read_with_their_headings_whatever_stands_around_them() {
        let text = format!("Using Catalog \"c\"\n{TABLE}\nYou have messages.\n");
        let rows = rows(&text);
        assert_eq!(rows.len(), 2);
        assert_eq!(cell(&rows[1], "jobbytes"), Some("1,234,567"));
        assert_eq!(cell(&rows[0], "name"), Some("laptop"));
        assert_eq!(cell(&rows[0], "pool"), None);
    }

    #[test]
    fn a_table_that_fits_is_left_as_it_is() {
        assert_eq!(drawn(53), TABLE);
    }

    #[test]
    fn a_wider_one_has_its_widest_columns_in_several_lines() {
        let expected = "\
+-------+---------+------------+-----------+
| jobid | name    | starttime  | jobbytes  |
+-------+---------+------------+-----------+
|     1 | laptop  | 2026-11-29 |     1,043 |
|       |         | 04:44:04   |           |
|    12 | restore | 2026-11-29 | 1,234,567 |
|       |         | 04:44:08   |           |
+-------+---------+------------+-----------+";
        assert_eq!(drawn(44), expected);
        for columns in 30..53 {
            let text = drawn(columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}:\n{text}");
        }
    }

    #[test]
    fn in_a_narrow_terminal_rows_are_lists() {
        let text = drawn(25);
        assert!(text.contains("    jobid: 12\n     name: restore\n"), "{text}");
        assert!(!text.contains('+') && !text.contains('|'), "{text}");
    }

    #[test]
    fn lines_that_only_look_like_a_table_are_left_alone() {
        let mut drawing = Drawing::default();
        let odd = ["| a | b", "+", "+-x-+", "||", "| x |"];
        let drawn: Vec<String> = odd.iter().flat_map(|line| drawing.draw(line, 3)).collect();
        assert_eq!(drawn, odd);
        let mut short = Drawing::default();
        assert!(short.draw("+---+", 3).is_empty());
        assert_eq!(short.end(), ["+---+"]);
    }
}
