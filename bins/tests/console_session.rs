//! A session of Bareos' own console with a director of ours, said again: volumes are labelled by hand, a job is run from its
//! menu, files are restored by the tree, and a volume is pruned. Nothing is refused. And a person's session with our console.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/session.rs"]
#[allow(dead_code, reason = "its other user writes sessions")]
mod session;
mod support;

use std::collections::VecDeque;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use session::{Heard, Talk, Words, network, recorded};
use support::daemon::run;
use support::network::{Network, Plan};
use support::terminal::in_terminal;
use support::{noise, plant, tree};

const CONSOLE: &str = env!("CARGO_BIN_EXE_towline-console");

#[test]
fn what_bareos_console_says_in_a_session_is_answered_as_it_was() {
    let network = network();
    let words = Words::of(network.folder.path());
    let mut talk = Talk::log_in(network.director.address.port(), "console");
    for turn in recorded() {
        if let Some(after) = turn.after {
            after.wait(&network);
        }
        let heard = words.clean(&talk.say(&words.fill(&turn.said)));
        let differ = heard.iter().zip(&turn.heard).find(|(heard, recorded)| heard != recorded);
        assert!(differ.is_none() && heard.len() == turn.heard.len(), "{}: {differ:?}:\n{heard:#?}", turn.said);
        let refusals = [-13, -14, -21].map(Heard::Signal);
        assert!(!heard.iter().any(|one| refusals.contains(one)), "{} is refused: {heard:?}", turn.said);
    }
    let restored = network.place("restored").join(network.source.join("a").strip_prefix("/").unwrap());
    assert_eq!(tree(&restored), tree(&network.source.join("a")));
}

/// A line of a shell that runs the console, with its state in the network's folder.
fn console(network: &Network, before: &str, words: &str) -> String {
    let at = network.folder.path().display();
    format!("{before} XDG_STATE_HOME={at}/state {CONSOLE} -c {at}/console.ron {words}")
}

/// What is typed once the terminal shows something: `*` at the end of that means a prompt after it, `_` before it that it stands in
/// the last line.
type Step<'a> = (&'a str, &'a str);

/// Plays the steps. Returns the exit code and everything that was written.
fn play(network: &Network, line: &str, steps: &[Step<'_>]) -> (Option<i32>, String) {
    let mut left: VecDeque<_> = steps.iter().collect();
    let (code, seen) = in_terminal(network, line, &mut |screen, input| {
        let Some((shown, typed)) = left.front() else { return };
        let is_shown = match (shown.strip_suffix('*'), shown.strip_prefix('_')) {
            (Some(text), _) => screen.trim_end().ends_with("\n*") && screen.contains(text),
            (None, Some(text)) => screen.trim_end().lines().next_back().is_some_and(|line| line.contains(text)),
            (None, None) => screen.contains(shown),
        };
        if is_shown {
            input.write_all(typed.as_bytes()).unwrap();
            left.pop_front();
        }
    });
    assert!(left.is_empty(), "never shown: {left:?} in {seen}");
    (code, seen)
}

fn history(network: &Network) -> Vec<String> {
    let file = network.place("state/towline/console_history");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn at_a_terminal_lines_are_completed_and_remembered_and_answers_have_pages_and_colours() {
    let network = Network::start(&Plan::default());
    plant(&network.source, 5, 10_000);
    assert!(network.backup().is_ok());
    let (code, seen) = play(
        &network,
        &console(&network, "", ""),
        &[
            ("You are connected*", "whoa\t\r"),
            ("\nroot*", "run job=b level=f\tyes wait\r"),
            ("JobStatus=OK (T)*", "list joblog jobid=\t\t"),
            // The numbers of jobs stand beside what they are.
            ("2  b  F", "\x15help\r"),
            ("-- space: more", "q"),
            ("  automount*", "rum\r"),
            ("Do you mean \"run\"?*", "\x04"),
        ],
    );
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("\x1b[32mJobStatus=OK (T)\x1b[0m"), "{seen}");
    let kept = ["whoami ", "run job=b level=full yes wait", "help", "rum"];
    assert_eq!(history(&network), kept);

    // Without colours and pages; what may be secret is not kept.
    let (code, seen) = play(
        &network,
        &console(&network, "NO_COLOR=1", "--no-pager"),
        &[
            ("You are connected*", "\x1b[A\x1b[A\r"),
            ("the states of volumes*", "list jobs password=x\r"),
            ("password*", "\x04"),
        ],
    );
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("  .api 0|1|2") && !seen.contains("-- space: more") && !seen.contains("\x1b[31m"), "{seen}");
    assert_eq!(history(&network), [&kept[..], &["help"]].concat());
}

#[test]
fn an_interrupt_ends_the_wait_and_not_the_job() {
    let network = Network::start(&Plan::default());
    std::fs::write(network.source.join("large"), noise(3, 24 << 20)).unwrap();
    network.ask(&["setbandwidth client=f limit=1m/s"]);
    let steps = [
        ("You are connected*", "run job=b yes wait\r"),
        ("_job 1 b", "\x03"),
        ("Job 1 goes on.*", "wait\r"),
        ("_job 1 b", "\x03"),
        ("The jobs go on.*", "quit\r"),
    ];
    let (code, seen) = play(&network, &console(&network, "", ""), &steps);
    assert_eq!(code, Some(0), "{seen}");
    assert!(network.ask(&["status dir"]).contains("JobId 1 Job b."));
    network.ask(&["setbandwidth client=f limit=0", "setbandwidth jobid=1 limit=0"]);
    let ended = network.end_of(1);
    assert!(ended.is_ok(), "{}", ended.report);
}

#[test]
fn a_line_of_the_command_line_ends_with_a_code_that_says_how_it_went() {
    let network = Network::start(&Plan::default());
    plant(&network.source, 5, 10_000);
    let say = |file: &Path, lines: &[&str]| {
        let words = lines.iter().flat_map(|line| ["-e", line]);
        run(Command::new(CONSOLE).arg("-c").arg(file).args(words), "")
    };
    let file = network.place("console.ron");
    let (code, output, _) = say(&file, &["whoami"]);
    assert_eq!((code, output.as_str()), (Some(0), "root"), "without a greeting");
    let (code, output, _) = say(&file, &["run job=b yes wait", "whoami"]);
    assert_eq!(code, Some(0), "{output}");
    assert!(output.contains("JobId=1\nJobStatus=OK (T)\n") && output.ends_with("\nroot"), "{output}");
    let (code, output, _) = say(&file, &["rum", "whoami"]);
    assert_eq!(code, Some(2), "{output}");
    assert!(output.contains("Do you mean \"run\"?") && output.ends_with("\nroot"), "{output}");
    assert_eq!(say(&file, &["run job=b"]).0, Some(2), "a question without an answer");
    let gone = network.place("gone.ron");
    let port = network.director.address.port().to_string();
    let text = std::fs::read_to_string(&file).unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    std::fs::write(&gone, text.replace(&port, &closed)).unwrap();
    assert_eq!(say(&gone, &["whoami"]).0, Some(3));
}
