//! The tray monitor against real daemons, and real tray monitors against our daemons.

mod monitored;
mod recorded;
