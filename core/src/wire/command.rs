//! The words of a command, and what `%` stands for in them (`wire/2 §1.9`).

/// Splits a command at blanks. A word that begins with `"` or `'` goes on to the next of these, blanks or not.
#[must_use]
pub fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => {
                let inside = rest.get(1..).unwrap_or_default();
                inside.split_once(first).unwrap_or((inside, ""))
            }
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Puts what `%` and a letter stand for in their place. `%%` is a per cent sign; what has no meaning stays as it is.
pub fn expand(text: &str, meaning: impl Fn(char) -> Option<String>) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('%') => out.push('%'),
            Some(code) => match meaning(code) {
                Some(value) => out.push_str(&value),
                None => out.extend(['%', code]),
            },
            None => out.push('%'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_at_blanks_outside_of_quotes() {
        for (command, expected) in [
            ("/bin/echo hello  %j", &["/bin/echo", "hello", "%j"][..]),
            ("  /a 'one two' \"three'\"", &["/a", "one two", "three'"]),
            ("/a 'open end", &["/a", "open end"]),
            ("/a don't", &["/a", "don't"]),
            ("/a '' x", &["/a", "", "x"]),
            ("", &[]),
            ("  ", &[]),
        ] {
            assert_eq!(split(command), expected, "{command}");
        }
    }

    #[test]
    fn codes_are_replaced_once() {
        let meaning = |code| {
            Some(match code {
                'j' => "%i".to_owned(),
                'i' => "7".to_owned(),
                _ => return None,
            })
        };
        for (text, expected) in [("%j-%i", "%i-7"), ("100%%", "100%"), ("%x%", "%x%"), ("", "")] {
            assert_eq!(expand(text, meaning), expected, "{text}");
        }
    }
}
