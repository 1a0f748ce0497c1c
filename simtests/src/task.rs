//! The tasks of connections: a pump, its socket and its mailbox.

use towline_core::conn::Conn;
use towline_core::drive::{Mail, Mailbox, Pump, Wait};
use towline_core::time::Instant;

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
    /// When by the host's clock.
    timer: Option<(Instant, Ticket)>,
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

    /// The same with mail that took its time already; whether the task is to look at once.
    pub(crate) fn tell_task_now(&mut self, id: TaskId, mail: Mail) -> bool {
        let is_awake = self.wakes(id.life.0) == self.now();
        let Some(task) = self.tasks.get_mut(id.socket.0) else { return false };
        let is_idle = task.mail.post(mail) && task.wake.is_none();
        if is_idle && !is_awake {
            self.wake_task(id);
        }
        is_idle && is_awake
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

    /// Returns the pump, its mailbox, which is empty, and what it waits for.
    pub(crate) fn put_pump(&mut self, id: TaskId, pump: Box<Pump>, mail: Mailbox, wait: Wait) {
        let Some(task) = self.tasks.get_mut(id.socket.0) else { return };
        task.pump = Some(pump);
        if task.mail.is_empty() {
            task.mail = mail;
        }
        task.wait = wait;
        let is_woken = wait.again || !task.mail.is_empty() || task.is_cut;
        self.arm_task(id);
        if is_woken {
            self.wake_task(id);
        }
        self.wake_if_ready(id);
    }

    /// Whether what a task waits for is due. If it is not yet, its timer is armed for that.
    pub(crate) fn is_task_due(&mut self, id: TaskId) -> bool {
        let now = self.time_of(id.life.0);
        let Some(task) = self.tasks.get_mut(id.socket.0) else { return false };
        task.timer = None;
        if task.wait.until.is_some_and(|at| at <= now) {
            return true;
        }
        self.arm_task(id);
        false
    }

    fn arm_task(&mut self, id: TaskId) {
        let until = self.tasks.get(id.socket.0).and_then(|task| task.wait.until);
        let due = until.map(|at| (at, self.world_time(id.life.0, at)));
        let Some(task) = self.tasks.get_mut(id.socket.0) else { return };
        match (due, task.timer) {
            (Some((until, _)), Some((armed, _))) if armed <= until => {}
            (Some((until, at)), old) => {
                let old = old.map(|(_, ticket)| ticket);
                task.timer = Some((until, self.clock.again_at(old, at, || Happening::TaskTimer(id))));
            }
            (None, old) => {
                task.timer = None;
                old.into_iter().for_each(|(_, ticket)| self.clock.cancel(ticket));
            }
        }
    }

    pub(crate) fn end_task(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.remove(id.socket.0) {
            for ticket in task.wake.into_iter().chain(task.timer.map(|(_, ticket)| ticket)) {
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
