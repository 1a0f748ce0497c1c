//! The terminal: one thread draws and reads keys; whatever ends the program, the terminal is as it was before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};
use towline_core::error::Code;
use towline_core::explain::complaint;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use towline_core::drive::Injector;
use towline_core::event::Event;
use towline_core::notice::Notice;

use super::screen::{Key, Screen, Wish};
use crate::hands::Log;

/// How often the screen is looked at again when nobody presses a key.
const TICK: Duration = Duration::from_millis(100);

/// The screen, shared by the thread that draws it and the log that feeds it.
#[derive(Clone, Debug, Default)]
pub(super) struct Terminal(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    screen: Screen,
    /// Whether there is something new to draw.
    changed: bool,
    /// Whether the terminal is ours.
    taken: bool,
    /// Whether the program ends: the terminal is not touched any more.
    over: bool,
}

impl Terminal {
    /// What the monitor tells goes to the screen.
    pub(super) fn log(&self) -> Log {
        let shown = self.clone();
        Box::new(move |notice| {
            let mut shown = shown.lock();
            match notice {
                Notice::Watched(view) => shown.screen.watch(*view),
                Notice::Log { text, .. } => shown.screen.say(&text),
                Notice::Print(_)
                | Notice::Ready { .. }
                | Notice::Listening(_)
                | Notice::Waiting(_)
                | Notice::Alive
                | Notice::Detail(_) => {
                    return;
                }
            }
            shown.changed = true;
        })
    }

    /// Takes the terminal over, on a thread of its own, until the operator leaves or the node has ended.
    pub(super) fn begin(self, injector: Injector) {
        let asking = injector.clone();
        let body = move || {
            // However this thread ends, a panic included, the node ends too: no program is left without its screen.
            let _stop = Stop(injector.clone());
            if let Err(error) = self.show(&injector) {
                self.end();
                let text = format!("the terminal cannot be used: {error}");
                tracing::error!("{}", complaint(Code(919), &text));
            }
        };
        if let Err(error) = thread::Builder::new().name("screen".to_owned()).spawn(body) {
            let text = format!("cannot start a thread for the screen: {error}");
            tracing::error!("{}", complaint(Code(918), &text));
            asking.post(Event::StopRequested);
        }
    }

    /// Gives the terminal back as it was, once and for all.
    pub(super) fn end(&self) {
        let mut shown = self.lock();
        shown.over = true;
        if std::mem::take(&mut shown.taken) {
            // There is nobody left to tell.
            let _failed = ratatui::try_restore();
        }
    }

    fn show(&self, injector: &Injector) -> io::Result<()> {
        let Some(mut terminal) = self.take()? else { return Ok(()) };
        loop {
            if !self.draw(&mut terminal)? {
                return Ok(());
            }
            if !event::poll(TICK)? {
                continue;
            }
            let wish = match event::read()? {
                Input::Key(pressed) => match key(pressed) {
                    Some(key) => self.lock().screen.press(key),
                    None => continue,
                },
                Input::Resize(..) => Wish::Nothing,
                _ => continue,
            };
            self.lock().changed = true;
            match wish {
                Wish::Nothing => {}
                Wish::Refresh => {
                    injector.post(Event::Typed(Some(String::new())));
                }
                Wish::Quit => return Ok(()),
            }
        }
    }

    /// Takes the terminal over, unless the program is over already. A panic of any thread gives it back.
    fn take(&self) -> io::Result<Option<DefaultTerminal>> {
        let mut shown = self.lock();
        if shown.over {
            return Ok(None);
        }
        (shown.taken, shown.changed) = (true, true);
        ratatui::try_init().map(Some)
    }

    /// Draws what is new; false if the program is over.
    fn draw(&self, terminal: &mut DefaultTerminal) -> io::Result<bool> {
        let mut shown = self.lock();
        if !shown.over && std::mem::take(&mut shown.changed) {
            terminal.draw(|frame| shown.screen.draw(frame))?;
        }
        Ok(!shown.over)
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stops the node when the thread of the screen ends.
struct Stop(Injector);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.post(Event::StopRequested);
    }
}

fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    match pressed.code {
        KeyCode::Char('c' | 'd') if pressed.modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Quit),
        KeyCode::Char('q') => Some(Key::Quit),
        KeyCode::Char('r') => Some(Key::Refresh),
        KeyCode::Char('k') | KeyCode::Up => Some(Key::Up),
        KeyCode::Char('j') | KeyCode::Down => Some(Key::Down),
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Esc => Some(Key::Back),
        _ => None,
    }
}
