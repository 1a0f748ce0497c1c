//! The tasks of connections: a pump, its socket and its mailbox.

use towline_core::conn::Conn;
use towline_core::drive::{Mail, Mailbox, Pump, Wait};

use crate::clock::Ticket;
use crate::host::{Life, TaskId};
use crate::net::{Happening, NetState, Owner};

/// One of them.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// Away while it is being driven.
    pub(crate) pump: Option<Box<Pump>>,
    pub(crate) mail: Mailbox,
    pub(crate) is_cut: bool,
    wait: Wait,
    wake: Option<Ticket>,
    timer: Option<Ticket>,
}

impl NetState {
    pub(crate) fn start_task(&mut self, id: TaskId, conn: Conn) {
        self.set_owner(id.socket, Owner::Task(id));
        let task = Task {
            id,
            pump: Some(Box::new(Pump::new(conn).with_budget(self.budget))),
            mail: Mailbox::default(),
            is_cut: false,
            wait: Wait::default(),
            wake: None,
            timer: None,
        };
        self.tasks.insert(id.socket.0, task);
        self.wake_task(id);
    }

    /// Puts something into a task's mailbox; false if that does not take it, or the task has ended.
    pub(crate) fn tell_task(&mut self, id: TaskId, mail: Mail) -> bool {
        let fits = self.tasks.get_mut(id.socket.0).is_some_and(|task| task.mail.post(mail));
        if fits {
            self.wake_task(id);
        }
        fits
    }

    /// The line to its node is gone.
    pub(crate) fn cut_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id.socket.0) {
            task.is_cut = true;
            self.wake_task(id);
        }
    }

    pub(crate) fn wake_task(&mut self, id: TaskId) {
        let pause = self.jitter();
        let awake = self.wakes(id.life.0);
        if let Some(task) = self.tasks.get_mut(id.socket.0).filter(|task| task.wake.is_none()) {
            task.wake = Some(self.clock.at(awake + pause, Happening::Task(id)));
        }
    }

    /// Its socket has changed: wakes it if it waits for that.
    pub(crate) fn wake_if_ready(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(id.socket.0) else { return };
        let Some(end) = self.end(id.socket) else { return };
        if task.wait.read && end.can_read() || task.wait.write && end.can_write() {
            self.wake_task(id);
        }
    }

    /// Takes a task's pump to drive it, and all its mail.
    pub(crate) fn take_pump(&mut self, id: TaskId) -> Option<(Box<Pump>, Mailbox, bool)> {
        let task = self.tasks.get_mut(id.socket.0)?;
        if let Some(ticket) = task.wake.take() {
            self.clock.cancel(ticket);
        }
        task.wait = Wait::default();
        Some((task.pump.take()?, std::mem::take(&mut task.mail), task.is_cut))
    }

    /// Returns the pump, and what it waits for.
    pub(crate) fn put_pump(&mut self, id: TaskId, pump: Box<Pump>, wait: Wait) {
        let due = wait.until.map(|at| self.world_time(id.life.0, at));
        let Some(task) = self.tasks.get_mut(id.socket.0) else { return };
        task.pump = Some(pump);
        task.wait = wait;
        let old = task.timer.take();
        task.timer = match due {
            Some(at) => Some(self.clock.again_at(old, at, || Happening::Task(id))),
            None => {
                old.into_iter().for_each(|ticket| self.clock.cancel(ticket));
                None
            }
        };
        if wait.again || !task.mail.is_empty() || task.is_cut {
            self.wake_task(id);
        }
        self.wake_if_ready(id);
    }

    pub(crate) fn end_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.remove(id.socket.0) {
            for ticket in [task.wake, task.timer].into_iter().flatten() {
                self.clock.cancel(ticket);
            }
            self.close(id.socket);
        }
    }

    /// A daemon dies silently: its tasks are gone.
    pub(crate) fn forget_tasks(&mut self, life: Life) {
        let mut ids: Vec<TaskId> = self.tasks.iter().map(|(_, task)| task.id).filter(|id| id.life == life).collect();
        ids.sort_by_key(|id| id.conn);
        for id in ids {
            self.end_task(id);
        }
    }
}
