//! The rules that one module must keep, checked by the compiler in the module's own crate.

use crate::descriptor::{Entry, EntryKind, Step};
use crate::erase::Handler;
use crate::info::{ModuleFlags, check_name};
use crate::module::Module;
use crate::schema::{Shape, hash_name};
use crate::text::Text;

/// Checks what only the whole module shows. Called from the module's own crate, so that the compiler points there.
#[doc(hidden)]
#[track_caller]
pub const fn check_module<M: Module>() {
    assert!(check_name(M::INFO.name), "a module's name must match [a-z0-9]+([._/-][a-z0-9]+)*");
    if M::SOUND {
        check_requests::<M>(0);
        check_steps::<M>();
        check_restores::<M>();
    }
}

/// Checks that the requests of a module's contract of that index have names of their own.
#[doc(hidden)]
#[track_caller]
pub const fn check_contract<M: Module>(index: usize) {
    if M::SOUND {
        check_requests::<M>(index + 1);
    }
}

/// Checks that a hot-reloadable module says what becomes of its state.
#[doc(hidden)]
#[track_caller]
pub const fn check_reloadable<M: Module>() {
    if !M::INFO.flags.contains(ModuleFlags::HOT_RELOADABLE) || M::STATELESS || !M::SOUND {
        return;
    }
    let mut at = 0;
    let (mut saves, mut restores) = (false, false);
    while at < M::HANDLERS.len() {
        match M::HANDLERS[at].entry().kind {
            EntryKind::Save { .. } => saves = true,
            EntryKind::Restore { .. } => restores = true,
            _ => {}
        }
        at += 1;
    }
    if !(saves && restores) {
        let mut text = Text::new();
        text.push("module `");
        text.push(M::INFO.name);
        text.push("` is HOT_RELOADABLE but has no ");
        text.push(if saves {
            "`#[on_restore]`"
        } else if restores {
            "`#[on_save]`"
        } else {
            "`#[on_save]` and no `#[on_restore]`"
        });
        text.push(if saves || restores { ": add it" } else { ": add them" });
        text.push(", or say `stateless` if there is nothing to keep");
        panic!("{}", text.as_str());
    }
}

/// Slots of the table of names; a module has fewer requests.
const NAMES: usize = 4096;

/// Checks the names in one list of requests, against each other and those of the lists before it.
#[track_caller]
const fn check_requests<M: Module>(last: usize) {
    let mut table: [(u16, u16); NAMES] = [(u16::MAX, 0); NAMES];
    let mut list = 0;
    while list <= last {
        let handlers = handlers::<M>(list);
        let mut at = 0;
        while at < handlers.len() {
            if let Some(name) = request_name(handlers[at].entry()) {
                let mut slot = hash_name(name) as usize % NAMES;
                while table[slot].0 != u16::MAX {
                    let (other_list, other) = table[slot];
                    let other = self::handlers::<M>(other_list as usize)[other as usize].entry();
                    if let Some(other) = request_name(other)
                        && same(name, other)
                        && list == last
                    {
                        twice::<M>(name, other_list as usize, list);
                    }
                    slot = (slot + 1) % NAMES;
                }
                table[slot] = (list as u16, at as u16);
            }
            at += 1;
        }
        list += 1;
    }
}

const fn handlers<M: Module>(list: usize) -> &'static [Handler<M>] {
    if list == 0 { M::HANDLERS } else { M::CONTRACTS[list - 1] }
}

const fn request_name(entry: &Entry) -> Option<&'static str> {
    match &entry.kind {
        EntryKind::Request(request) => Some(request.name),
        _ => None,
    }
}

#[track_caller]
const fn twice<M: Module>(name: &str, first: usize, second: usize) -> ! {
    let mut text = Text::new();
    text.push("module `");
    text.push(M::INFO.name);
    text.push("` has two requests called `");
    text.push(name);
    text.push("`, one from ");
    push_source::<M>(&mut text, first);
    text.push(", one from ");
    push_source::<M>(&mut text, second);
    text.push(": rename one with `#[on_request(\"..\")]`");
    panic!("{}", text.as_str());
}

const fn push_source<M: Module>(text: &mut Text, list: usize) {
    if list == 0 {
        text.push("its handlers block");
    } else {
        // The contracts come first in `provides`, in the same order.
        text.push("the contract `");
        text.push(M::INFO.provides[list - 1]);
        text.push("`");
    }
}

#[track_caller]
const fn check_steps<M: Module>() {
    let mut seen = [false; 5];
    let mut at = 0;
    while at < M::HANDLERS.len() {
        let (slot, attribute) = match M::HANDLERS[at].entry().kind {
            EntryKind::Step(step, _) => (step as usize, step.attribute()),
            EntryKind::Save { .. } => (Step::Health as usize + 1, "on_save"),
            _ => (usize::MAX, ""),
        };
        if slot != usize::MAX {
            if seen[slot] {
                let mut text = Text::new();
                text.push("module `");
                text.push(M::INFO.name);
                text.push("` has two handlers under `#[");
                text.push(attribute);
                text.push("]`: keep one");
                panic!("{}", text.as_str());
            }
            seen[slot] = true;
        }
        at += 1;
    }
}

#[track_caller]
const fn check_restores<M: Module>() {
    let mut at = 0;
    while at < M::HANDLERS.len() {
        if let EntryKind::Save { version, shape, .. } = M::HANDLERS[at].entry().kind {
            let mut text = Text::new();
            text.push("module `");
            text.push(M::INFO.name);
            text.push("` saves state of version ");
            text.number(version as u64);
            match restored::<M>(version) {
                None => {
                    text.push(", which nothing restores: add `#[on_restore(version = ");
                    text.number(version as u64);
                    text.push(")]`");
                    panic!("{}", text.as_str());
                }
                Some(restored) if restored.hash() != shape.hash() => {
                    text.push(" as one type and restores it as another: give the new type a new version");
                    panic!("{}", text.as_str());
                }
                Some(_) => {}
            }
        }
        at += 1;
    }
}

/// The shape in which a version is restored.
const fn restored<M: Module>(wanted: u32) -> Option<Shape> {
    let mut at = 0;
    while at < M::HANDLERS.len() {
        if let EntryKind::Restore { version, shape, .. } = M::HANDLERS[at].entry().kind
            && version == wanted
        {
            return Some(shape);
        }
        at += 1;
    }
    None
}

pub(crate) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}
