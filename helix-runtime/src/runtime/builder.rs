//! From a list of modules and settings to a runtime.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::channel::Consumer;
use crate::config::Config;
use crate::descriptor::Descriptor;
use crate::event::Publish;
use crate::handwritten::{self, ModuleTrait};
use crate::irq::IrqLine;
use crate::runtime::faults::{BuildError, BuildFault, check_keys, joined};
use crate::runtime::inner::{Inner, Settings};
use crate::runtime::plan::Plan;
use crate::runtime::poll::{self, Clock, Source};
use crate::runtime::registry::Registry;
use crate::runtime::supervise::Supervision;
use crate::runtime::{Runtime, SavedState};
use crate::set::ModuleSet;

/// What became of a name that nobody has; see [`Builder::on_missing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nobody will have it.
    Nobody,
    /// Somebody has it now.
    Added,
    /// Somebody would have it, and cannot be added at the moment.
    Waits,
}

/// Gathers what a runtime is made of.
///
/// ```
/// use helix_runtime::{Runtime, modules};
/// static CONFIG: &[(&str, &str)] = &[];
/// let runtime = Runtime::builder().config(CONFIG).modules(modules![]).build()?;
/// runtime.start()?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use = "nothing is built until `build` is called"]
pub struct Builder {
    config: Box<dyn Config>,
    members: Vec<Member>,
    /// Whether others may come later.
    open: bool,
    states: Vec<SavedState>,
    settings: Settings,
    sources: Vec<Box<dyn Source>>,
}

struct Member {
    descriptor: Descriptor,
    /// A hand-written module, whose config keys are not listed.
    written: Option<Box<dyn ModuleTrait>>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members.iter().map(|member| member.descriptor.info.name)).finish()
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        static NOTHING: &[(&str, &str)] = &[];
        Self {
            config: Box::new(NOTHING),
            members: Vec::new(),
            open: false,
            states: Vec::new(),
            settings: Settings::default(),
            sources: Vec::new(),
        }
    }

    /// Where configured values come from; nothing is configured unless this is called.
    pub fn config(mut self, config: impl Config + 'static) -> Self {
        self.config = Box::new(config);
        self
    }

    /// Adds modules. If their list ends in `..`, what is missing may come later, by [`Runtime::add`] or
    /// [`Runtime::add_descriptor`].
    pub fn modules(mut self, set: ModuleSet) -> Self {
        self.open |= set.open;
        self.members
            .extend(set.descriptors().iter().map(|descriptor| Member { descriptor: **descriptor, written: None }));
        self
    }

    /// Adds one module by its descriptor, which is what a loader has; see [`Runtime::add_descriptor`].
    pub fn add_descriptor(mut self, descriptor: &'static Descriptor) -> Self {
        self.members.push(Member { descriptor: *descriptor, written: None });
        self
    }

    /// Adds a hand-written module.
    #[expect(clippy::should_implement_trait, reason = "a builder adds modules, not numbers")]
    pub fn add(mut self, module: Box<dyn ModuleTrait>) -> Self {
        self.members.push(Member { descriptor: handwritten::descriptor(module.info()), written: Some(module) });
        self
    }

    /// How deeply calls may be nested: 32 unless set, at least 1 and at most 64.
    pub fn depth_limit(mut self, limit: u32) -> Self {
        self.settings.depth_limit = limit.clamp(1, 64);
        self
    }

    /// The clock by which deadlines are kept and handlers are timed; [`SystemClock`](crate::SystemClock) with `std`. Unless
    /// set, it is always the time that [`Runtime::poll`] was last told.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.settings.clock = Some(Box::new(clock));
        self
    }

    /// Counts and times each listener's calls; see [`EventBus::stats`](crate::EventBus::stats). Publishing is slower.
    pub fn statistics(mut self) -> Self {
        self.settings.statistics = true;
        self
    }

    /// How many events are kept for one module that is busy, and as many for one that puts them off: 32 unless set.
    /// Room for those of a busy module is made at once, up to 1024 of them.
    pub fn ring_capacity(mut self, events: usize) -> Self {
        self.settings.ring = events;
        self
    }

    /// How many messages are kept in one module's mailbox: 64 unless set.
    pub fn mailbox_capacity(mut self, messages: usize) -> Self {
        self.settings.mailbox = messages;
        self
    }

    /// How long a transition waits for the handlers of the modules that it concerns: 5 seconds unless set.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.settings.drain_timeout = timeout;
        self
    }

    /// How failed modules are started again; see [`Supervision`].
    pub fn supervision(mut self, supervision: Supervision) -> Self {
        self.settings.supervision = supervision;
        self
    }

    /// The directory under which each module finds one of its own, by its name. Nobody makes it.
    pub fn data_dir(mut self, root: impl Into<String>) -> Self {
        self.settings.data_dir = Some(root.into());
        self
    }

    /// Is told of a name that is called and that nobody has, before the call fails: it may add the module, and then says
    /// so. What it is told by a call of one module's is on behalf of that call, and holds up nobody else.
    pub fn on_missing(mut self, told: impl Fn(&str) -> Missing + Send + Sync + 'static) -> Self {
        self.settings.on_missing = Some(Box::new(told));
        self
    }

    /// Is given what each module with an `on_save` saves when it stops: after the last call of it, before its `on_stop`.
    /// Nothing is given for one that fails, or that is replaced.
    pub fn on_saved(mut self, given: impl Fn(SavedState) + Send + Sync + 'static) -> Self {
        self.settings.on_saved = Some(Box::new(given));
        self
    }

    /// Turns what an interrupt raises into an event, whenever [`Runtime::poll`] finds that it did. Raised several times,
    /// it is one event with the count.
    ///
    /// ```
    /// use core::time::Duration;
    /// use helix_runtime::{Interrupt, Runtime, irq::IrqLine};
    ///
    /// static SERIAL: IrqLine = IrqLine::new();
    /// let runtime = Runtime::builder().line(&SERIAL, |count, _| Interrupt { line: 4, count }).build()?;
    /// SERIAL.raise();
    /// SERIAL.raise();
    /// assert_eq!(runtime.poll(Duration::ZERO).raised, 2);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn line<P: Publish>(
        mut self,
        line: &'static IrqLine,
        event: impl FnMut(u32, Duration) -> P + Send + 'static,
    ) -> Self {
        self.sources.push(Box::new(poll::Line { line, event }));
        self
    }

    /// Turns what an interrupt has pushed into events, whenever [`Runtime::poll`] comes by.
    pub fn payloads<T: Send + 'static, P: Publish>(
        mut self,
        payloads: Consumer<T>,
        event: impl FnMut(T, Duration) -> P + Send + 'static,
    ) -> Self {
        self.sources.push(Box::new(poll::Payloads { payloads, event }));
        self
    }

    /// What a module has saved earlier, for it to take back between `on_init` and `on_start`.
    pub fn state(mut self, state: SavedState) -> Self {
        self.states.push(state);
        self
    }

    /// Checks the modules and their configuration against each other and finds the order in which they start.
    ///
    /// # Errors
    /// Every [`BuildFault`] there is.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let set: Vec<&Descriptor> = self.members.iter().map(|member| &member.descriptor).collect();
        let (plan, mut faults) = Plan::new(&set, &*self.config, self.open);
        let known = self.members.iter().map(|member| (member.descriptor, member.written.is_some()));
        check_keys(&*self.config, &known.collect::<Vec<_>>(), self.open, &mut faults);
        self.check_states(&mut faults);
        if !faults.is_empty() {
            return Err(BuildError { faults });
        }
        let Self { config, members, open, states, settings, sources } = self;
        let mut registry = Registry::new(open);
        for Member { descriptor, written } in members {
            registry.add(descriptor, written, &settings);
        }
        registry.follow(plan);
        Ok(Runtime { inner: Inner::new(registry, config, states, settings, sources) })
    }

    fn check_states(&self, faults: &mut Vec<BuildFault>) {
        for (at, state) in self.states.iter().enumerate() {
            if self.states[..at].iter().any(|before| before.module == state.module) {
                faults.push(BuildFault::StateTwice { module: state.module.clone() });
            }
            if !self.open && !self.members.iter().any(|member| member.descriptor.info.name == state.module) {
                faults.push(BuildFault::UnknownState {
                    module: state.module.clone(),
                    known: joined(self.members.iter().map(|member| member.descriptor.info.name)),
                });
            }
        }
    }
}
