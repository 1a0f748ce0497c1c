//! Our console in the recorded conversations with Bareos's director.

use towline_core::event::Event;
use towline_core::notice::{ExitReason, Notice};
use towline_core::role::console::Console;

use crate::recording;
use crate::support::conv::{Frame, Side, parse};
use crate::support::password;
use crate::support::peer::Script;
use crate::support::roles::{DIRECTOR_PORT, console};
use crate::support::world::World;

/// The director of a recording, at which our console names itself so.
fn director(conv: &str, name: &str, secret: &str) -> Script {
    let hello = format!("text Hello {name} calling version 26.0.0 Version=\"26.0.0\"\\n");
    let recorded = format!("text Hello {name} ");
    Script::new(conv, Side::Dialler, password(secret)).differs("our version has no suffix", &[&recorded], &[&hello])
}

/// What the operator typed in a recording: the texts after the greeting.
fn typed(conv: &str) -> Vec<String> {
    let texts = parse(conv).into_iter().filter(|line| line.from == Side::Dialler).filter_map(|line| match line.frame {
        Frame::Data(data) => Some(String::from_utf8(data).expect("text")),
        _ => None,
    });
    texts.skip_while(|text| *text != "1000 OK auth\n").skip(1).collect()
}

/// What the director said in a recording, from the line after the greeting.
fn said(conv: &str) -> String {
    let texts =
        parse(conv).into_iter().filter(|line| line.from == Side::Acceptor).filter_map(|line| match line.frame {
            Frame::Data(data) => Some(String::from_utf8(data).expect("text")),
            _ => None,
        });
    texts.skip_while(|text| !text.starts_with("1002\x1e")).skip(1).collect()
}

fn printed(world: &World<Console>) -> String {
    let text = |notice: &Notice| match notice {
        Notice::Print(text) => text.clone(),
        _ => String::new(),
    };
    world.notices.iter().map(text).collect()
}

/// How often the console has asked for a line.
fn permits(world: &World<Console>) -> usize {
    world.notices.iter().filter(|notice| matches!(notice, Notice::Ready { .. })).count()
}

/// Types the recorded lines, each when the console asks for one, and checks that all of the answers were printed.
fn converse(mut world: World<Console>, conv: &str, greeting: &str) {
    let start = printed(&world);
    assert!(start.starts_with("1000 OK: bareos-dir Version: 26.0.0~pre1 (21 August 2026)\n"), "{start}");
    assert!(start.ends_with(greeting), "{start}");
    let lines = typed(conv);
    assert_eq!(lines.last().map(String::as_str), Some("quit"));
    for (at, line) in lines.iter().enumerate() {
        assert_eq!(permits(&world), at + 1, "a line is asked for before {line:?}");
        world.event(Event::Typed(Some(line.clone())));
        world.run();
    }
    assert_eq!(printed(&world)[start.len()..], said(conv));
    world.assert_done();
    assert_eq!(world.exit, Some(ExitReason::Done));
}

#[test]
fn a_default_console_is_led_as_recorded() {
    let conv = recording!("03-console/00-CON-to-DIR");
    let world =
        console(None, &mut |world| world.await_dial(DIRECTOR_PORT, director(conv, "*UserAgent*", "dir-secret")));
    converse(world, conv, "You are connected using the default console\n");
}

#[test]
fn a_named_console_is_led_as_recorded_through_answers_in_json() {
    let conv = recording!("03b-console-named/00-CON-to-DIR");
    let named = Some(("admin", "admin-secret"));
    let world = console(named, &mut |world| world.await_dial(DIRECTOR_PORT, director(conv, "admin", "admin-secret")));
    converse(world, conv, "You are logged in as: admin\n");
}
