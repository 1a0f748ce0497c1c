//! The tasks of connections: a pump, its socket and its mailbox.

use towline_core::conn::Conn;
use towline_core::drive::{Mail, Mailbox, Pump, Wait};

use crate::clock::Ticket;
use crate::host::{Life, TaskId};
use crate::net::{Happening, NetState, Owner, SocketId};

/// One of them.
#[derive(Debug)]
pub(crate) struct Task {
    /// Away while it is being driven.
    pub(crate) pump: Option<Box<Pump>>,
    pub(crate) socket: SocketId,
    pub(crate) mail: Mailbox,
    pub(crate) is_cut: bool,
    wait: Wait,
    wake: Option<Ticket>,
    timer: Option<Ticket>,
}

impl NetState {
    pub(crate) fn start_task(&mut self, id: TaskId, conn: Conn, socket: SocketId) {
        self.set_owner(socket, Owner::Task(id));
        let task = Task {
            pump: Some(Box::new(Pump::new(conn).with_budget(self.budget))),
            socket,
            mail: Mailbox::default(),
            is_cut: false,
            wait: Wait::default(),
            wake: None,
            timer: None,
        };
        self.tasks.insert(id, task);
        self.wake_task(id);
    }

    /// Puts something into a task's mailbox; false if that does not take it, or the task has ended.
    pub(crate) fn tell_task(&mut self, id: TaskId, mail: Mail) -> bool {
        let fits = self.tasks.get_mut(&id).is_some_and(|task| task.mail.post(mail));
        if fits {
            self.wake_task(id);
        }
        fits
    }

    /// The line to its node is gone.
    pub(crate) fn cut_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.is_cut = true;
            self.wake_task(id);
        }
    }

    pub(crate) fn wake_task(&mut self, id: TaskId) {
        let pause = self.jitter();
        let awake = self.wakes(id.0.0);
        if let Some(task) = self.tasks.get_mut(&id).filter(|task| task.wake.is_none()) {
            task.wake = Some(self.clock.at(awake + pause, Happening::Task(id)));
        }
    }

    /// Its socket has changed: wakes it if it waits for that.
    pub(crate) fn wake_if_ready(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(&id) else { return };
        let Some(end) = self.end(task.socket) else { return };
        if task.wait.read && end.can_read() || task.wait.write && end.can_write() {
            self.wake_task(id);
        }
    }

    /// Takes a task's pump to drive it, and all its mail.
    pub(crate) fn take_pump(&mut self, id: TaskId) -> Option<(Box<Pump>, Mailbox, bool, SocketId)> {
        let task = self.tasks.get_mut(&id)?;
        for ticket in [task.wake.take(), task.timer.take()].into_iter().flatten() {
            self.clock.cancel(ticket);
        }
        task.wait = Wait::default();
        Some((task.pump.take()?, std::mem::take(&mut task.mail), task.is_cut, task.socket))
    }

    /// Returns the pump, and what it waits for.
    pub(crate) fn put_pump(&mut self, id: TaskId, pump: Box<Pump>, wait: Wait) {
        let due = wait.until.map(|at| self.world_time(id.0.0, at));
        let Some(task) = self.tasks.get_mut(&id) else { return };
        task.pump = Some(pump);
        task.wait = wait;
        task.timer = due.map(|at| self.clock.at(at, Happening::Task(id)));
        if wait.again || !task.mail.is_empty() || task.is_cut {
            self.wake_task(id);
        }
        self.wake_if_ready(id);
    }

    pub(crate) fn end_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.remove(&id) {
            for ticket in [task.wake, task.timer].into_iter().flatten() {
                self.clock.cancel(ticket);
            }
            self.close(task.socket);
        }
    }

    /// A daemon dies silently: its tasks are gone.
    pub(crate) fn forget_tasks(&mut self, life: Life) {
        let ids: Vec<TaskId> = self.tasks.keys().filter(|id| id.0 == life).copied().collect();
        for id in ids {
            self.end_task(id);
        }
    }
}
