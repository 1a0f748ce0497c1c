//! What the answer to `probe` of a console says: whether the data channel of a client and a storage can be dialled.

/// What was seen of a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was dialled, and the other side refused a job that it does not know, as it must.
    Reached,
    /// It was not: why.
    Broken(String),
    /// That cannot be said: why.
    Unmeasured(String),
}

/// What an answer shows.
pub(crate) fn judge(text: &str) -> Seen {
    let codes: Vec<u16> = text.lines().flat_map(codes).collect();
    let is = |range: std::ops::RangeInclusive<u16>| codes.iter().any(|code| range.contains(code));
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // T01xx: it cannot be dialled. T02xx: TLS. T03xx: authentication.
    if is(100..=199) || says(&["Failed to connect", "Could not connect", "has not answered within"]) {
        Seen::Broken(reason(text))
    } else if is(200..=399) || says(&["ailed to authenticate", "uthorization", "TLS negotiation failed"]) {
        Seen::Reached
    } else {
        Seen::Unmeasured(reason(text))
    }
}

/// By how many seconds the clock of whoever wrote the last message is ahead: each has the time at which it was written.
pub(crate) fn clock(text: &str, now: i64) -> Option<i64> {
    let time = |line: &str| -> Option<i64> {
        let (_, rest) = line.strip_prefix("Jmsg ")?.split_once(" level=")?;
        rest.split(' ').next()?.parse().ok()
    };
    text.lines().rev().find_map(time).map(|time| time - now)
}

/// The codes that a line names.
fn codes(line: &str) -> Vec<u16> {
    let is_code =
        |word: &&str| word.len() == 5 && word.starts_with('T') && word[1..].bytes().all(|byte| byte.is_ascii_digit());
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_code).filter_map(|word| word[1..].parse().ok()).collect()
}

/// The line that says most: the last with a code, else the last. Of a message to a director, what it says.
pub(crate) fn reason(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let with_code = lines.iter().rev().find(|line| !codes(line).is_empty());
    let Some(line) = with_code.or_else(|| lines.last()) else { return "no answer".to_owned() };
    let said = line.split_once(" JobId 0: ").map_or(*line, |(_, said)| said);
    said.strip_prefix("Fatal error: ").unwrap_or(said).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_that_the_way_is_there_and_a_failed_dial_that_it_is_not() {
        for text in ["Fatal error: the storage daemon refuses (T0311)\n", "Failed to authenticate Storage daemon.\n"] {
            assert_eq!(judge(text), Seen::Reached, "{text}");
        }
        let refused =
            "Jmsg Job=x type=6 level=1000 fd JobId 0: Fatal error: connection refused (T0103)\n2902 Bad storage\n";
        assert_eq!(judge(refused), Seen::Broken("connection refused (T0103)".to_owned()));
        assert_eq!(judge("2902 Bad storage\n"), Seen::Unmeasured("2902 Bad storage".to_owned()));
        assert_eq!((clock(refused, 990), clock("2902\n", 0)), (Some(10), None));
    }
}
