//! The nearest known word to a mistyped one.

/// The candidate that `word` most likely means: the same but for case, `-`, `_` and spaces, or the one with the
/// fewest inserted, dropped, changed or swapped letters, at most a third of them. The first of equals wins.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = simplified(word);
    // A longer word is a mistake of another kind, and the cost grows with the square.
    if wanted.is_empty() || wanted.len() > 128 {
        return None;
    }
    let limit = (wanted.len() / 3).max(1);
    let distances = candidates.into_iter().map(|candidate| (distance(&wanted, &simplified(candidate)), candidate));
    distances.filter(|(distance, _)| *distance <= limit).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

fn simplified(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["address", "password", "port", "maximum_volumes"];
        assert_eq!(nearest("adress", known), Some("address"));
        assert_eq!(nearest("pasword", known), Some("password"));
        assert_eq!(nearest("prot", known), Some("port"));
        assert_eq!(nearest("Maximum Volumes", known), Some("maximum_volumes"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("", known), None);
    }
}
