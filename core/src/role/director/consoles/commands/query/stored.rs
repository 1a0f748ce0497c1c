//! A file of stored queries, as Bareos writes them: `:` begins a query with its title, `*` a line with what to ask a person
//! for (`%1` to `%9` in the text), `#` a comment; all else is SQL, of which `;` ends a statement.

/// Values that a query may ask for.
pub(super) const MOST_PROMPTS: usize = 9;

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super::super) struct Stored {
    pub(super) title: String,
    /// What is asked for, `%1` first.
    pub(super) prompts: Vec<String>,
    pub(super) statements: Vec<String>,
}

/// The queries of a file; what stands before the first title is none.
pub(super) fn read(lines: &[Vec<u8>]) -> Vec<Stored> {
    let mut all: Vec<Stored> = Vec::new();
    let mut ended = true;
    for line in lines.iter().map(|line| String::from_utf8_lossy(line)) {
        if let Some(title) = line.strip_prefix(':') {
            all.push(Stored { title: title.to_owned(), ..Stored::default() });
            ended = true;
            continue;
        }
        let Some(stored) = all.last_mut().filter(|_| !line.starts_with('#')) else { continue };
        if let Some(prompt) = line.strip_prefix('*') {
            stored.prompts.push(prompt.to_owned());
            continue;
        }
        let text = line.strip_suffix(';').unwrap_or(&line);
        match stored.statements.last_mut().filter(|_| !ended) {
            Some(statement) => *statement = format!("{statement} {text}"),
            None => stored.statements.push(text.to_owned()),
        }
        ended = line.ends_with(';');
    }
    for stored in &mut all {
        stored.statements.retain(|text| !text.trim().is_empty());
    }
    all
}

impl Stored {
    /// What has to be asked for, by its place and in the order in which the text needs it, each once.
    pub(super) fn wanted(&self) -> Vec<usize> {
        let mut wanted = Vec::new();
        for text in &self.statements {
            pieces(text, |piece| match piece {
                Piece::Value(at) if at < self.prompts.len() && !wanted.contains(&at) => wanted.push(at),
                _ => {}
            });
        }
        wanted
    }

    /// What the catalog is asked. Without a prompt a percent sign means nothing.
    pub(super) fn filled(&self, answers: &[Option<String>; MOST_PROMPTS]) -> Vec<String> {
        let each = |text: &String| if self.prompts.is_empty() { text.clone() } else { filled(text, answers) };
        self.statements.iter().map(each).collect()
    }
}

/// A part of a statement.
enum Piece<'a> {
    Text(&'a str),
    /// `%1` and so on, counted from 0.
    Value(usize),
    Percent,
}

fn pieces(text: &str, mut each: impl FnMut(Piece<'_>)) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        each(Piece::Text(before));
        let first = after.chars().next();
        rest = match first {
            Some(digit @ '1'..='9') => {
                each(Piece::Value(usize::from(digit as u8 - b'1')));
                &after[1..]
            }
            Some('%') => {
                each(Piece::Percent);
                &after[1..]
            }
            _ => {
                each(Piece::Percent);
                after
            }
        };
    }
    each(Piece::Text(rest));
}

/// A statement with the values in their places, so written that none ends a quotation.
fn filled(text: &str, answers: &[Option<String>; MOST_PROMPTS]) -> String {
    let mut filled = String::new();
    pieces(text, |piece| match piece {
        Piece::Text(text) => filled.push_str(text),
        Piece::Percent => filled.push('%'),
        Piece::Value(at) => filled.push_str(&answers[at].as_deref().unwrap_or_default().replace('\'', "''")),
    });
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Stored> {
        // As the hands read a file: without line ends and empty lines.
        read(
            &text.lines().map(|line| line.trim_end().as_bytes().to_vec()).filter(|l| !l.is_empty()).collect::<Vec<_>>(),
        )
    }

    fn answers<const N: usize>(values: [&str; N]) -> [Option<String>; MOST_PROMPTS] {
        let mut answers: [Option<String>; MOST_PROMPTS] = Default::default();
        answers.iter_mut().zip(values).for_each(|(place, value)| *place = Some(value.to_owned()));
        answers
    }

    const FILE: &str = "SELECT 'before the first';\n# a comment\n:List Jobs of a Client \n*Enter Client name:\n\
                        # SELECT nothing\nSELECT a\n  FROM Job\nWHERE Client='%1';\n!SELECT 2;\n:No prompt\n\
                        SELECT '%1%%' LIKE 'x;y'\n";

    #[test]
    fn a_query_has_a_title_prompts_and_statements() {
        let all = of(FILE);
        let titles: Vec<&str> = all.iter().map(|stored| stored.title.as_str()).collect();
        assert_eq!(titles, ["List Jobs of a Client", "No prompt"]);
        assert_eq!(all[0].prompts, ["Enter Client name:"]);
        assert_eq!(all[0].statements, ["SELECT a   FROM Job WHERE Client='%1'", "!SELECT 2"]);
        assert_eq!(all[1].statements, ["SELECT '%1%%' LIKE 'x;y'"], "no line ends with a semicolon");
        assert_eq!(of(""), []);
        assert_eq!(of(":only a title\n;\n")[0].statements, [""; 0]);
    }

    #[test]
    fn values_stand_where_the_text_wants_them_and_end_no_quotation() {
        let all = of(":t\n*a\n*b\n*c\nSELECT '%2', '%1', '%2', 100%%, '%z', %9");
        assert_eq!(all[0].wanted(), [1, 0], "each once, as the text needs them");
        let filled = all[0].filled(&answers(["x", "it's"]));
        assert_eq!(filled, ["SELECT 'it''s', 'x', 'it''s', 100%, '%z', "]);
        let plain = &of(FILE)[1];
        assert_eq!(plain.wanted(), [0_usize; 0]);
        assert_eq!(plain.filled(&answers(["x"])), plain.statements, "without a prompt a percent sign means nothing");
    }
}
