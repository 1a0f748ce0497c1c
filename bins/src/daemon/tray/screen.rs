//! What the terminal shows: a line a daemon, below it what jobs do, and on Enter all that a daemon says. Draws, and moves
//! with keys; knows no terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListItem, ListState, Paragraph, Wrap};
use towline_core::notice::{DaemonView, Health};
use towline_core::printable;

use super::plain;

/// What a person pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// Open the details of the daemon, or close them.
    Enter,
    /// Close the details, or leave.
    Back,
    /// Ask all daemons now.
    Refresh,
    /// Leave.
    Quit,
}

/// What a key asks of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Refresh,
    Quit,
}

/// What is known, and what of it is shown.
#[derive(Debug, Default)]
pub(super) struct Screen {
    daemons: Vec<DaemonView>,
    chosen: usize,
    /// The details are open, scrolled so far.
    open: Option<u16>,
    /// The newest line of the log.
    log: String,
}

impl Screen {
    /// Takes what is known of a daemon.
    pub(super) fn watch(&mut self, view: DaemonView) {
        match self.daemons.iter_mut().find(|known| known.place == view.place) {
            Some(known) => *known = view,
            None => self.daemons.push(view),
        }
        self.daemons.sort_by_key(|view| view.place);
    }

    /// Shows a line of the log below.
    pub(super) fn say(&mut self, line: &str) {
        self.log = printable::line(line).into_owned();
    }

    /// Moves with a key, and says what the program must do.
    pub(super) fn press(&mut self, key: Key) -> Wish {
        match (key, &mut self.open) {
            (Key::Quit, _) | (Key::Back, None) => return Wish::Quit,
            (Key::Refresh, _) => return Wish::Refresh,
            (Key::Up, Some(scrolled)) => *scrolled = scrolled.saturating_sub(1),
            (Key::Down, Some(scrolled)) => *scrolled = scrolled.saturating_add(1),
            (Key::Up, None) => self.chosen = self.chosen.saturating_sub(1),
            (Key::Down, None) => self.chosen = (self.chosen + 1).min(self.daemons.len().saturating_sub(1)),
            (Key::Enter, None) => self.open = Some(0),
            (Key::Enter | Key::Back, Some(_)) => self.open = None,
        }
        Wish::Nothing
    }

    /// Draws all of it.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let rows = [Constraint::Length(1), Constraint::Min(1), Constraint::Length(1)];
        let [head, body, foot] = Layout::vertical(rows).areas(frame.area());
        let up = self.daemons.iter().filter(|view| view.health == Health::Reachable).count();
        let title = format!("Towline: {up} of {} daemons reachable", self.daemons.len());
        frame.render_widget(Line::styled(title, Style::new().add_modifier(Modifier::BOLD)), head);
        let keys = if self.log.is_empty() { "Enter details  r ask now  q quit" } else { self.log.as_str() };
        frame.render_widget(Line::styled(keys.to_owned(), Style::new().add_modifier(Modifier::DIM)), foot);
        match self.open {
            Some(scrolled) => self.draw_details(frame, body, scrolled),
            None => self.draw_list(frame, body),
        }
    }

    fn draw_list(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = self.daemons.iter().map(|view| view.name.chars().count()).max().unwrap_or_default();
        let items = self.daemons.iter().map(|view| {
            let mut lines = vec![daemon_line(view, width)];
            let running = view.status.running.iter().filter(|_| view.health == Health::Reachable);
            lines.extend(running.map(|job| Line::raw(format!("      {}", plain::running(job)))));
            ListItem::new(lines)
        });
        let list = List::new(items).highlight_symbol("> ").highlight_style(Style::new().add_modifier(Modifier::BOLD));
        let mut state = ListState::default().with_selected(Some(self.chosen));
        frame.render_stateful_widget(list, area, &mut state);
    }

    fn draw_details(&mut self, frame: &mut Frame<'_>, area: Rect, scrolled: u16) {
        let Some(view) = self.daemons.get(self.chosen) else { return };
        let lines = details(view);
        let most = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height.saturating_sub(2).max(1));
        let scrolled = scrolled.min(most);
        self.open = Some(scrolled);
        let block = Block::bordered().title(format!(" {} {} ", view.who, view.name));
        let text = Paragraph::new(lines).block(block).wrap(Wrap { trim: false }).scroll((scrolled, 0));
        frame.render_widget(text, area);
    }
}

/// `● file daemon    web-fd  reachable, no job runs`
fn daemon_line(view: &DaemonView, width: usize) -> Line<'static> {
    let (mark, colour) = match view.health {
        Health::Unknown => ("?", Color::Yellow),
        Health::Reachable => ("+", Color::Green),
        Health::Unreachable(_) => ("-", Color::Red),
    };
    let mut words = plain::health(view);
    if view.health == Health::Reachable {
        words = plain::jobs(view);
    }
    let name = &view.name;
    let who = view.who.to_string();
    Line::from(vec![
        Span::styled(format!("{mark} "), Style::new().fg(colour)),
        Span::raw(format!("{who:<14} {name:<width$}  {words}")),
    ])
}

/// All that is known of a daemon, and what it said as it said it.
fn details(view: &DaemonView) -> Vec<Line<'static>> {
    let status = &view.status;
    let mut lines = vec![Line::raw(format!("{}: {}", view.address, plain::health(view)))];
    if !view.encryption.is_empty() {
        lines.push(Line::raw(format!("encryption: {}", view.encryption)));
    }
    if status.is_status() && view.health != Health::Reachable {
        lines.push(Line::raw("What follows is what it said the last time it answered."));
    }
    for job in status.terminated.iter().rev().take(5) {
        lines.push(Line::raw(format!("ended: job {}", plain::ended(job))));
    }
    for client in &status.waiting {
        lines
            .push(Line::raw(format!("waiting since {}: {} (protocol {})", client.since, client.name, client.protocol)));
    }
    lines.push(Line::raw(""));
    lines.extend(view.text.lines().map(|line| Line::raw(printable::line(&line.replace('\t', " ")).into_owned())));
    lines
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use towline_core::conn::DialFailure;
    use towline_core::ids::Who;
    use towline_core::notice::TrayFailure;
    use towline_core::socket::IoKind;
    use towline_core::time::Wall;
    use towline_core::wire::status_reply::StatusReply;

    use super::*;

    const STATUS: &str = "web-fd Version: 26.0.0 (today) Debian\nDaemon started 23-Nov-26 13:03. Jobs: run=2 running=1\n\
        \nRunning Jobs:\nJobId 7 Job web.2026-11-23_13.07.50_03 is running.\n    Files=12 Bytes=1,500,000 Bytes/sec=500,000\n\
        ====\n\nTerminated Jobs:\n     6  Full          6    1.043 K  OK       23-Nov-26 13:03 web\n====\n";

    fn view(place: usize, who: Who, name: &str, health: Health) -> DaemonView {
        let answers = health == Health::Reachable;
        let text = if answers { STATUS } else { "" };
        DaemonView {
            place,
            who,
            name: name.to_owned(),
            address: format!("{name}:9102"),
            health,
            asked: Wall(1),
            encryption: String::new(),
            status: StatusReply::parse(text),
            text: text.to_owned(),
        }
    }

    fn refused() -> Health {
        let to = ([192, 0, 2, 1], 9103).into();
        Health::Unreachable(TrayFailure::Dial(DialFailure::Connect { to, error: IoKind::Refused }))
    }

    fn screen() -> Screen {
        let mut screen = Screen::default();
        screen.watch(view(2, Who::Storage, "sd", refused()));
        screen.watch(view(0, Who::Director, "dir", Health::Unknown));
        screen.watch(view(1, Who::File, "web-fd", Health::Reachable));
        screen
    }

    fn drawn(screen: &mut Screen, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..height).map(row).collect()
    }

    #[test]
    fn each_daemon_has_a_line_and_its_running_jobs_are_below() {
        let rows = drawn(&mut screen(), 110, 8);
        let expected = [
            "Towline: 1 of 3 daemons reachable",
            "> ? director       dir     being asked",
            "  + file daemon    web-fd  1 job runs, last job 6 web: OK, 23-Nov-26 13:03",
            "        job 7 web.2026-11-23_13.07.50_03: running, 12 files, 1.5 MB, 500.0 kB/s",
        ];
        assert_eq!(rows[..4], expected);
        assert!(
            rows[4].starts_with("  - storage daemon sd      unreachable: cannot connect to 192.0.2.1:9103"),
            "{}",
            rows[4]
        );
        assert_eq!(rows[7], "Enter details  r ask now  q quit");
    }

    #[test]
    fn enter_opens_what_a_daemon_says_and_closes_it_again() {
        let mut screen = screen();
        assert_eq!(screen.press(Key::Down), Wish::Nothing);
        assert_eq!(screen.press(Key::Enter), Wish::Nothing);
        let rows = drawn(&mut screen, 100, 20).join("\n");
        assert!(rows.contains(" file daemon web-fd ") && rows.contains("Terminated Jobs:"), "{rows}");
        (0..200).for_each(|_| assert_eq!(screen.press(Key::Down), Wish::Nothing));
        let rows = drawn(&mut screen, 100, 10).join("\n");
        assert!(rows.contains("====") && !rows.contains("web-fd:9102"), "the end of the text: {rows}");
        assert_eq!(screen.press(Key::Back), Wish::Nothing);
        assert!(drawn(&mut screen, 100, 10)[2].starts_with("> +"));
        assert_eq!(screen.press(Key::Back), Wish::Quit);
    }

    #[test]
    fn keys_never_leave_the_list_and_others_ask_the_program() {
        let mut screen = screen();
        (0..9).for_each(|_| assert_eq!(screen.press(Key::Down), Wish::Nothing));
        assert!(drawn(&mut screen, 100, 10)[4].starts_with("> -"));
        (0..9).for_each(|_| assert_eq!(screen.press(Key::Up), Wish::Nothing));
        assert!(drawn(&mut screen, 100, 10)[1].starts_with("> ?"));
        assert_eq!((screen.press(Key::Refresh), screen.press(Key::Quit)), (Wish::Refresh, Wish::Quit));
    }

    #[test]
    fn the_smallest_terminals_are_drawn_too() {
        for (width, height) in [(1, 1), (3, 2), (20, 3)] {
            let mut screen = screen();
            drawn(&mut screen, width, height);
            screen.press(Key::Enter);
            drawn(&mut screen, width, height);
            let mut empty = Screen::default();
            empty.press(Key::Down);
            empty.press(Key::Enter);
            drawn(&mut empty, width, height);
        }
    }

    #[test]
    fn a_line_of_the_log_stands_at_the_foot() {
        let mut screen = screen();
        screen.say("something\x1b[2Jodd");
        assert_eq!(drawn(&mut screen, 60, 8)[7], "something\\x1b[2Jodd");
    }
}
