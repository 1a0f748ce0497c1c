//! A mail, by the command of its destination, the mail server, or what there is.

use crate::config::{Destination, MailServer};
use crate::wire::command;
use crate::work::delivery::Mail;

use super::{Piece, Target};

/// The program that sends mail where nothing else is configured, as in Bareos.
const SENDMAIL: &str = "/usr/lib/sendmail";

/// A mail to the addresses of a destination. `meaning` is what `%` and a letter stand for in its command.
pub(crate) fn letter(
    to: &Destination,
    server: Option<MailServer>,
    meaning: impl Fn(char) -> Option<String>,
    subject: String,
    body: String,
) -> (Target, Piece) {
    match (&to.command, server) {
        (Some(command), _) => (Target::Command(command.clone()), Piece::Run(words(command, &to.to, meaning), body)),
        (None, Some(server)) => {
            (Target::Server, Piece::Mail(Box::new(Mail { server, to: to.to.clone(), subject, body })))
        }
        (None, None) => {
            let words = [SENDMAIL, "-F", "Towline"].map(str::to_owned).into_iter().chain(to.to.iter().cloned());
            let head = format!("To: {}\nSubject: {subject}\n\n", to.to.join(", "));
            (Target::Command(SENDMAIL.to_owned()), Piece::Run(words.collect(), head + &body))
        }
    }
}

/// The words of a command. A word that is `%r` alone becomes a word for each address.
fn words(command: &str, to: &[String], meaning: impl Fn(char) -> Option<String>) -> Vec<String> {
    let each = |word: String| match word.as_str() {
        "%r" => to.to_vec(),
        word => vec![command::expand(word, &meaning)],
    };
    command::split(command).into_iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_a_word_of_its_own_where_nothing_stands_beside_them() {
        let to = ["a@x".to_owned(), "b@y".to_owned()];
        let meaning = |code| (code == 'r').then(|| to.join(" "));
        assert_eq!(
            words("/bin/send -s \"to %r\" %r end%r", &to, meaning),
            ["/bin/send", "-s", "to a@x b@y", "a@x", "b@y", "enda@x b@y"]
        );
    }
}
