//! Events that wait for a process: a lane for those of the host's own, and one for all others, which can never fill the first.
//!
//! Each is bounded. Events stand in them as they go over the wire, so that many go at once; what finds no room is counted, and
//! its reader is told.

use alloc::vec::Vec;

use crate::lock::Lock;

/// How many events a lane holds at most, and how many bytes they have together.
const MOST_CONTROL: usize = 1024;
/// Both lanes go in one message.
const MOST_BYTES: usize = super::wire::LONGEST / 2 - (64 << 10);

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits.
    Waits,
    /// There is no room for it.
    Full,
    /// The module takes no events at the moment.
    Shut,
    /// It could not be encoded.
    Refused,
}

/// Events that wait for one instance.
#[derive(Debug)]
pub(crate) struct Lanes {
    waiting: Lock<Waiting>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    control: Lane,
    data: Lane,
    /// How many were put here in all.
    put: u64,
    /// How many found no room since that was last told.
    lost: u64,
    /// Whether those that come first are not here yet: nothing leaves before them.
    is_held: bool,
    /// Whether another one has taken over: nothing is put here any more.
    is_shut: bool,
}

/// Events one after the other, each with its length before it.
#[derive(Debug, Default)]
struct Lane {
    bytes: Vec<u8>,
    /// How many of the bytes have gone.
    gone: usize,
    events: usize,
}

/// Events that go together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Each with its length before it, a little-endian `u32`.
    pub(crate) bytes: Vec<u8>,
    pub(crate) events: usize,
    /// How many were lost before them.
    pub(crate) lost: u64,
}

impl Lane {
    fn push(&mut self, event: &[&[u8]], length: usize) {
        self.bytes.extend_from_slice(&(length as u32).to_le_bytes());
        event.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.events += 1;
    }

    /// Puts its own after those.
    fn follow(&mut self, mut first: Self) {
        first.bytes.extend_from_slice(&self.bytes[self.gone..]);
        first.events += self.events;
        *self = first;
    }

    fn has_room(&self, length: usize, capacity: usize) -> bool {
        self.events < capacity && self.bytes.len() - self.gone + length <= MOST_BYTES
    }

    /// Moves the first events into a batch.
    fn pop(&mut self, most: usize, into: &mut Batch) {
        if self.events <= most && into.bytes.is_empty() && self.gone == 0 && self.bytes.len() <= MOST_BYTES {
            core::mem::swap(&mut self.bytes, &mut into.bytes);
            into.events += core::mem::take(&mut self.events);
            return;
        }
        let waiting = &self.bytes[self.gone..];
        let (mut end, mut taken) = (0, 0);
        while taken < most
            && let Some(length) = waiting[end..].first_chunk()
        {
            let next = end + 4 + u32::from_le_bytes(*length) as usize;
            // Who has taken over may have twice as many.
            if end > 0 && next > MOST_BYTES {
                break;
            }
            end = next;
            taken += 1;
        }
        into.bytes.extend_from_slice(&waiting[..end]);
        into.events += taken;
        self.events -= taken;
        self.gone += end;
        // So that what has gone is moved away now and then, and not each time.
        if self.gone > self.bytes.len() / 2 {
            self.bytes.drain(..self.gone);
            self.gone = 0;
        }
    }
}

impl Lanes {
    pub(super) fn new(capacity: usize) -> Self {
        Self { waiting: Lock::default(), capacity }
    }

    /// Puts an event, in parts, to those that wait. `is_open` is asked while nobody else is: what has come before a gate was closed is
    /// there when that is done. Tells too whether it is the first one.
    pub(super) fn put(&self, event: &[&[u8]], is_control: bool, is_open: &dyn Fn() -> bool) -> (Put, bool) {
        let length = event.iter().map(|part| part.len()).sum();
        let mut waiting = self.waiting.lock();
        if waiting.is_shut || !is_open() {
            return (Put::Shut, false);
        }
        let is_first = waiting.control.events + waiting.data.events == 0;
        let (lane, capacity) = match is_control {
            true => (&mut waiting.control, MOST_CONTROL),
            false => (&mut waiting.data, self.capacity),
        };
        if !lane.has_room(length, capacity) {
            waiting.lost += 1;
            return (Put::Full, is_first);
        }
        lane.push(event, length);
        waiting.put += 1;
        (Put::Waits, is_first)
    }

    /// Takes those out that go next, the host's own first; of the others so many at most. `into` lends its room.
    pub(super) fn take(&self, most: usize, into: &mut Batch) {
        into.bytes.clear();
        into.events = 0;
        let mut waiting = self.waiting.lock();
        into.lost = core::mem::take(&mut waiting.lost);
        waiting.control.pop(usize::MAX, into);
        if waiting.data.events > 0 {
            waiting.data.pop(most, into);
        }
    }

    /// Lets nothing leave before `inherit`.
    pub(super) fn hold(&self) {
        self.waiting.lock().is_held = true;
    }

    /// Takes over from whoever came before. What waits there leaves first; it is lost unless `is_alike` says that it can be heard.
    pub(super) fn inherit(&self, from: &Self, is_alike: bool) {
        let before = {
            let mut from = from.waiting.lock();
            from.is_shut = true;
            let rest = Waiting { put: from.put, is_shut: true, ..Waiting::default() };
            let lost = from.lost + if is_alike { 0 } else { (from.control.events + from.data.events) as u64 };
            let before = core::mem::replace(&mut *from, rest);
            if is_alike { before } else { Waiting { lost, ..Waiting::default() } }
        };
        let mut waiting = self.waiting.lock();
        waiting.put += (before.control.events + before.data.events) as u64;
        waiting.lost += before.lost;
        waiting.control.follow(before.control);
        waiting.data.follow(before.data);
        waiting.is_held = false;
    }

    /// How many have ever waited.
    pub(super) fn put_so_far(&self) -> u64 {
        self.waiting.lock().put
    }

    /// Whether something may leave.
    pub(super) fn is_ready(&self) -> bool {
        let waiting = self.waiting.lock();
        !waiting.is_held && (waiting.control.events + waiting.data.events > 0 || waiting.lost > 0)
    }

    /// How many wait, and whether some are lost that nobody was told of.
    pub(crate) fn len(&self) -> (usize, bool) {
        let waiting = self.waiting.lock();
        (waiting.control.events + waiting.data.events, waiting.lost > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn open() -> bool {
        true
    }

    fn texts(batch: &Batch) -> Vec<String> {
        let mut rest = &batch.bytes[..];
        let mut texts = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk() {
            let (event, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            texts.push(String::from_utf8_lossy(event).into_owned());
            rest = after;
        }
        texts
    }

    fn take(lanes: &Lanes, most: usize) -> (Vec<String>, u64) {
        let mut batch = Batch::default();
        lanes.take(most, &mut batch);
        assert_eq!(texts(&batch).len(), batch.events);
        (texts(&batch), batch.lost)
    }

    #[test]
    fn a_full_lane_of_data_leaves_room_for_the_hosts_own_and_counts_what_it_lost() {
        let lanes = Lanes::new(3);
        let put = |text: &str, is_control| lanes.put(&[text.as_bytes()], is_control, &open).0;
        for text in ["a", "b", "c"] {
            assert_eq!(put(text, false), Put::Waits);
        }
        assert_eq!((put("d", false), put("e", false)), (Put::Full, Put::Full));
        assert_eq!(put("end", true), Put::Waits);
        assert_eq!(lanes.len(), (4, true));
        assert_eq!(take(&lanes, 2), (["end", "a", "b"].map(Into::into).to_vec(), 2));
        assert_eq!(put("f", false), Put::Waits);
        assert_eq!(take(&lanes, 9), (["c", "f"].map(Into::into).to_vec(), 0));
        assert_eq!(lanes.len(), (0, false));
        assert_eq!(lanes.put(&[b"x"], false, &|| false).0, Put::Shut);
        assert_eq!(lanes.put(&[&[0; MOST_BYTES], &[0]], false, &open).0, Put::Full, "more bytes than a lane holds");
    }

    #[test]
    fn who_takes_over_has_what_waits_first_and_nothing_is_put_to_the_one_before() {
        let (before, after) = (Lanes::new(3), Lanes::new(3));
        let put = |lanes: &Lanes, text: &str| lanes.put(&[text.as_bytes()], false, &open).0;
        assert_eq!((put(&before, "a"), put(&before, "b")), (Put::Waits, Put::Waits));
        assert_eq!(take(&before, 1).0, ["a"]);
        after.hold();
        assert_eq!(put(&after, "c"), Put::Waits);
        assert!(!after.is_ready());
        after.inherit(&before, true);
        assert!(after.is_ready());
        assert_eq!((put(&before, "d"), before.len(), after.put_so_far()), (Put::Shut, (0, false), 2));
        assert_eq!(take(&after, 9).0, ["b", "c"]);
        let other = Lanes::new(3);
        assert_eq!(put(&after, "e"), Put::Waits);
        other.inherit(&after, false);
        assert_eq!((other.len(), after.len().0), ((0, true), 0), "what the other cannot hear is lost");
        assert_eq!(take(&other, 9), (Vec::new(), 1), "and it is told so");
    }

    #[test]
    fn events_leave_in_the_order_in_which_they_came_however_many_at_a_time() {
        let lanes = Lanes::new(1000);
        let (mut next, mut seen) = (0, 0);
        for round in 0..200 {
            for _ in 0..round % 7 {
                assert_eq!(lanes.put(&[alloc::format!("{next}").as_bytes()], false, &open).0, Put::Waits);
                next += 1;
            }
            for text in take(&lanes, round % 5).0 {
                assert_eq!(text, alloc::format!("{seen}"));
                seen += 1;
            }
        }
        while lanes.len().0 > 0 {
            seen += take(&lanes, 3).0.len();
        }
        assert_eq!(seen, next);
    }
}
