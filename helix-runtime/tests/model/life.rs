//! Who must come and who must go, and who is told.

use helix_runtime::ModuleState::{self, Failed, Registered, Running, Stopped};

use crate::beings::{Being, Heard, Hearing, Kept, Published, Share};
use crate::real::Who;
use crate::right::Right;
use crate::step::Step;

pub const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];
const LOADED: Published = Published("module", "module.loaded", true);
const UNLOADED: Published = Published("module", "module.unloaded", true);
const RELOADED: Published = Published("module", "module.reloaded", true);
pub const SHUTDOWN: Published = Published("shutdown", "shutdown", true);

fn hearings(module: usize) -> Vec<Hearing> {
    let hearing = |heard, priority, how, share| Hearing { heard, priority, how, share };
    let (packet, freely) = (Heard::Type("net.packet"), Share::Freely);
    match module {
        0 => vec![
            hearing(Heard::Type("tick"), 100, "tick", Share::Alone),
            hearing(Heard::Named("net"), 0, "net", Share::Alone),
        ],
        1 => vec![
            hearing(Heard::Type("tick"), 0, "tick", freely),
            hearing(Heard::Named("process"), 0, "process", freely),
            hearing(packet, -100, "net.packet", freely),
            hearing(Heard::Type("module.loaded"), 0, "module", freely),
        ],
        _ => vec![
            hearing(packet, 200, "net.packet", Share::Looking),
            hearing(Heard::Named("net.link"), 0, "net.link", Share::Alone),
            hearing(Heard::All, -200, "all", Share::Looking),
        ],
    }
}

impl Right {
    pub fn begun() -> Self {
        let mut right = Self::default();
        (0..3).for_each(|module| right.register(module));
        right.step(&Step::StartAll);
        right
    }

    pub fn appear(&mut self, who: Who, name: &'static str, hearings: Vec<Hearing>) -> &mut Being {
        let (uid, slot) = self.next;
        self.next = (uid + 1, slot + 1);
        let counts = vec![(0, 0); hearings.len()];
        let state = if matches!(who, Who::Module(_)) { Registered } else { Running };
        let being = Being {
            uid,
            slot,
            who,
            name,
            state,
            hearings,
            counts,
            number: None,
            open: true,
            owner: None,
            paused: false,
            kept: 0,
            waits: false,
        };
        self.live.push(being);
        self.names_changed();
        self.live.last_mut().unwrap()
    }

    pub fn register(&mut self, module: usize) {
        self.appear(Who::Module(module), NAMES[module], hearings(module));
    }

    pub fn module(&mut self, module: usize) -> Option<&mut Being> {
        self.live.iter_mut().find(|being| being.who == Who::Module(module))
    }

    pub fn state(&mut self, module: usize) -> Option<ModuleState> {
        self.module(module).map(|being| being.state)
    }

    /// Those that are there, in the order in which they start.
    pub fn order(&self) -> Vec<usize> {
        let there: Vec<usize> = self
            .live
            .iter()
            .filter_map(|being| match being.who {
                Who::Module(module) => Some(module),
                _ => None,
            })
            .collect();
        let first = |module: &usize| there.iter().position(|other| other == module);
        let (alpha, gamma) = (first(&0), first(&2));
        match (alpha, gamma) {
            // Among those that are ready the first in the list comes next; `gamma` is not before `alpha` has come.
            (Some(alpha), Some(gamma)) if gamma < alpha => {
                let mut order = there;
                order.remove(gamma);
                order.insert(alpha, 2);
                order
            }
            _ => there,
        }
    }

    pub fn is_orphaned(&mut self) -> bool {
        self.state(2).is_some() && self.state(0).is_none()
    }

    pub fn set_closures(&mut self, owner: usize, open: bool) {
        self.live.iter_mut().filter(|being| being.owner == Some(owner)).for_each(|being| being.open = open);
    }

    pub fn start_one(&mut self, module: usize) -> Result<(), String> {
        let being = self.module(module).unwrap();
        let (uid, state) = (being.uid, being.state);
        if !matches!(state, Registered | Stopped) {
            return Err(format!("start: {} is {state}", NAMES[module]));
        }
        for step in ["init", "start"].into_iter().skip(usize::from(state == Stopped)) {
            if self.is_too_deep() {
                self.module(module).unwrap().state = Failed;
                return Err(format!("on_{step}: TooDeep"));
            }
            self.note(format!("{} {step}", NAMES[module]));
        }
        let being = self.module(module).unwrap();
        (being.state, being.waits) = (Running, false);
        self.set_closures(uid, true);
        for other in self.order() {
            if other != module && self.state(other) == Some(Running) {
                self.publish_to(LOADED, Some(uid));
            }
        }
        self.publish_to(LOADED, None);
        Ok(())
    }

    pub fn stop_one(&mut self, module: usize) -> Result<(), String> {
        let Some(being) = self.module(module).filter(|being| being.state == Running) else { return Ok(()) };
        let (uid, kept) = (being.uid, being.kept);
        if self.is_inside(uid) {
            return Err("on_stop: Busy".into());
        }
        let deep = self.is_too_deep();
        self.module(module).unwrap().state = if deep { Failed } else { Stopped };
        if !deep {
            self.note(match module {
                1 => "beta stop".into(),
                _ => format!("{} stop after {kept}", NAMES[module]),
            });
        }
        self.set_closures(uid, false);
        self.publish_to(UNLOADED, None);
        if deep { Err("on_stop: TooDeep".into()) } else { Ok(()) }
    }

    /// Nobody needs it who runs.
    pub fn may_go(&mut self, module: usize, step: &str) -> Result<(), String> {
        match module == 0 && self.state(2) == Some(Running) {
            true => Err(format!("{step}: Needed by gamma")),
            false => Ok(()),
        }
    }

    pub fn vanish(&mut self, module: usize) {
        let being = self.module(module).unwrap();
        let (uid, slot) = (being.uid, being.slot);
        self.live.retain(|being| being.uid != uid && being.owner != Some(uid));
        self.close(slot);
    }

    /// Tells those whose letters wait for one who has gone.
    pub fn close(&mut self, slot: usize) {
        self.moving = false;
        let letters = std::mem::take(&mut self.box_of(slot).letters);
        letters.into_iter().for_each(|letter| self.reply(letter.serial, "Closed".into()));
    }

    /// One transition at a time.
    pub fn moved(&mut self, step: &str, run: impl FnOnce(&mut Self) -> Result<&'static str, String>) -> String {
        if self.moving {
            return format!("{step}: Moving");
        }
        self.moving = true;
        let result = run(self);
        self.moving = false;
        result.map_or_else(|error| error, Into::into)
    }

    pub fn start(&mut self, module: usize) -> Result<&'static str, String> {
        if module == 2 && self.is_orphaned() {
            return Err("start: Unfit".into());
        }
        if module == 2
            && let Some(state) = self.state(0).filter(|state| *state != Running)
        {
            return Err(format!("start: alpha is {state}"));
        }
        self.start_one(module).map(|()| "()")
    }

    pub fn stop(&mut self, module: usize) -> Result<&'static str, String> {
        self.may_go(module, "stop")?;
        self.module(module).unwrap().waits = false;
        self.stop_one(module).map(|()| "()")
    }

    pub fn remove(&mut self, module: usize) -> Result<&'static str, String> {
        self.may_go(module, "remove")?;
        let being = self.module(module).unwrap();
        let (uid, slot) = (being.uid, being.slot);
        if self.is_inside(uid) {
            self.postponed.push_back((true, slot));
            return Ok("Postponed");
        }
        let stopped = self.stop_one(module);
        self.vanish(module);
        stopped.map(|()| "Done")
    }

    pub fn replace(&mut self, module: usize) -> Result<&'static str, String> {
        let being = self.module(module).unwrap();
        let (slot, state) = (being.slot, being.state);
        if !matches!(state, Running | Failed) {
            return Err(format!("replace: {} is {state}", NAMES[module]));
        }
        if self.is_orphaned() {
            return Err("replace: Unfit".into());
        }
        let mut turns = vec![module];
        turns.extend((module == 0 && self.state(2) == Some(Running)).then_some(2));
        let uids: Vec<usize> = turns.iter().map(|module| self.module(*module).unwrap().uid).collect();
        if uids.iter().any(|uid| self.is_inside(*uid)) {
            self.postponed.push_back((false, slot));
            return Ok("Postponed");
        }
        if self.is_too_deep() {
            return Err("on_init: TooDeep".into());
        }
        turns.iter().for_each(|module| self.note(format!("{} init", NAMES[*module])));
        for module in turns.iter().rev() {
            let being = self.module(*module).unwrap();
            let (ran, kept) = (being.state == Running, being.kept);
            if ran {
                self.note(match module {
                    1 => "beta stop".into(),
                    _ => format!("{} stop after {kept}", NAMES[*module]),
                });
            }
        }
        turns.iter().for_each(|module| self.note(format!("{} start", NAMES[*module])));
        for (module, uid) in turns.iter().zip(&uids) {
            self.live.retain(|being| being.owner != Some(*uid));
            let next = self.next.0;
            self.next.0 += 1;
            let being = self.module(*module).unwrap();
            // Only `alpha` keeps something.
            being.kept = if *module == 0 && being.state == Running { being.kept } else { 0 };
            (being.uid, being.state, being.waits) = (next, Running, false);
            being.counts.fill((0, 0));
        }
        for module in &turns {
            let slot = self.module(*module).unwrap().slot;
            self.drain(slot, Kept::Busy);
        }
        self.moving = false;
        turns.iter().for_each(|_| {
            self.publish_to(RELOADED, None);
        });
        Ok("Done")
    }

    pub fn add(&mut self, module: usize) -> Result<&'static str, String> {
        if self.live.iter().any(|being| matches!(being.who, Who::Endpoint(_)) && being.name == NAMES[module]) {
            return Err("add: Taken".into());
        }
        let missing = matches!(module, 2) || (module == 1 && self.state(2).is_some());
        if self.state(module).is_some() || (missing && self.state(0).is_none()) {
            return Err("add: Unfit".into());
        }
        self.register(module);
        if !self.started {
            return Ok("()");
        }
        let started = self.start(module);
        if started.is_err() {
            self.vanish(module);
        }
        started
    }
}
