//! `invite` leaves what a new client is to have with the director; `join` hands it to whoever comes with the invitation.
//! Both are said by programs: `towline client add` and `towline join`.

use crate::config::Password;
use crate::role::director::invitations::{Invitation, LONGEST, MOST, NotHanded, PREFIX, State};
use crate::secret::Secret;

use super::super::access::Access;
use super::super::answer::Answer;
use super::super::grammar::Takes::Value;
use super::super::grammar::{Command, Form, Rights};
use super::super::refusal::{BadValue, Kind, NoSuch, Refusal, number_of};
use super::super::reply::{Instruction, Reply, View};
use super::super::words::Words;

/// Seconds for which an invitation is good at least and at most.
const SECONDS: std::ops::RangeInclusive<i64> = 1..=7 * 86_400;

pub(super) const INVITE: Command = Command::new(
    "invite",
    &[Form {
        words: &[("client", Value), ("name", Value), ("password", Value), ("seconds", Value), ("text", Value)],
        help: &[(
            "invite client=NAME name=invitation-ID password=PASSWORD seconds=N text=TEXT",
            "keep a text for that client, which a console of that name and password fetches once with join, within that time",
        )],
        ..Form::PLAIN
    }],
    invite,
);

pub(super) const JOIN: Command = Command {
    rights: Rights::All,
    ..Command::new(
        "join",
        &[Form {
            help: &[("join", "fetch what the director keeps for this console, which is an invitation")],
            ..Form::PLAIN
        }],
        join,
    )
};

/// What is kept may be a password, so this is for consoles that have all rights.
fn invite(view: &View<'_>, words: &Words) -> Result<Reply, Refusal> {
    if !view.access().is_some_and(Access::is_open) {
        return Err(Refusal::NotForSome);
    }
    let word = |word: &'static str| {
        words.value(&[word]).ok_or_else(|| {
            Refusal::usage(
                "Say all of it: invite client=NAME name=invitation-ID password=PASSWORD seconds=N text=TEXT.",
            )
        })
    };
    let (client, name, password, text) = (word("client")?, word("name")?, word("password")?, word("text")?);
    NoSuch::check(view.config(), Kind::Client, client)?;
    let is_name = |name: &str| {
        let letters = name.strip_prefix(PREFIX).unwrap_or_default();
        (8..=64).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if !is_name(name) {
        return Err(BadValue::new("name", name, "invitation- and 8 to 64 letters and digits").into());
    }
    if password.len() < 16 {
        return Err(Refusal::usage("A password of an invitation has 16 letters at least."));
    }
    if text.len() > LONGEST {
        return Err(Refusal::usage("The text for the client is too long: an invitation keeps 48 KiB."));
    }
    let seconds = word("seconds").and_then(|text| {
        let seconds = number_of::<i64>(words, "seconds")?.filter(|seconds| SECONDS.contains(seconds));
        seconds.ok_or_else(|| BadValue::new("seconds", text, "a number from 1 to 604800").into())
    })?;
    if !view.director.invitations.has_room(view.now()) {
        return Err(Refusal::TooManyInvitations);
    }
    let until = view.now() + seconds;
    let answer = format!("Client {client} is invited until {}.\n", view.zone().local(until));
    let (name, client) = (name.to_owned(), client.to_owned());
    let (password, state) = (Password::new(password), State::Open(Secret::from(text)));
    let invitation = Box::new(Invitation { name, client, password, until, state });
    Ok(Reply::Done(Instruction::Invite(invitation), Answer::said(answer)))
}

fn join(view: &View<'_>, _: &Words) -> Result<Reply, Refusal> {
    let name = view.console().and_then(|console| console.name.clone());
    let time = |at| view.zone().local(at).to_string();
    match view.director.invitations.look(name.as_deref(), view.now()) {
        Ok(left) => {
            let answer = Answer::said(format!("{}\n", left.expose_text()));
            Ok(Reply::Done(Instruction::Hand(name.unwrap_or_default()), answer))
        }
        Err(NotHanded::NotInvited) => Err(Refusal::NotInvited),
        Err(NotHanded::Over(at)) => Err(Refusal::InvitationOver(time(at))),
        Err(NotHanded::Used(at, from)) => {
            let from = from.map_or_else(|| "a console".to_owned(), |from| from.ip().to_canonical().to_string());
            Err(Refusal::InvitationUsed { at: time(at), from })
        }
    }
}

/// Said by [`Refusal::TooManyInvitations`].
pub(in super::super) const AT_MOST: usize = MOST;
