//! The tasks that wait for one CPU, in the order in which they are served.

use alloc::collections::VecDeque;

use super::task::{LEVELS, Pid};

/// A task's place: higher levels first, then earlier turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its level of priority.
    pub level: usize,
    /// Its place in line within the level.
    pub turn: u64,
}

impl Place {
    /// Whether a task here is served before one there.
    pub fn before(self, other: Self) -> bool {
        (other.level, self.turn) < (self.level, other.turn)
    }
}

/// One line for each level.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    lines: [VecDeque<(u64, Pid)>; LEVELS],
}

impl Queue {
    /// The place of the task that is served next.
    pub fn first(&self) -> Option<Place> {
        let line = |level: usize| self.lines[level].front().map(|&(turn, _)| Place { level, turn });
        (0..LEVELS).rev().find_map(line)
    }

    /// Takes out the task that is served next.
    pub fn pop(&mut self) -> Option<Pid> {
        self.lines.iter_mut().rev().find_map(VecDeque::pop_front).map(|(_, pid)| pid)
    }

    /// Puts a task at its place: at the end, unless it comes back from a turn that it had not finished.
    pub fn insert(&mut self, place: Place, pid: Pid) {
        let line = &mut self.lines[place.level];
        let at = line.partition_point(|&(turn, _)| turn < place.turn);
        line.insert(at, (place.turn, pid));
    }

    /// Takes out a task.
    pub fn remove(&mut self, place: Place) {
        let line = &mut self.lines[place.level];
        if let Ok(at) = line.binary_search_by_key(&place.turn, |&(turn, _)| turn) {
            line.remove(at);
        }
    }

    /// How many tasks wait.
    pub fn len(&self) -> usize {
        self.lines.iter().map(VecDeque::len).sum()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(VecDeque::is_empty)
    }

    /// Those who wait, in the order in which they are served.
    pub fn iter(&self) -> impl Iterator<Item = Pid> + '_ {
        self.lines.iter().rev().flatten().map(|&(_, pid)| pid)
    }
}
