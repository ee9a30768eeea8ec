//! What a runtime publishes of its modules by itself.

use crate::context::Context;
use crate::error::ModuleError;
use crate::event::{EventType, ModuleCrashed, ModuleName, Publish, cause_of, in_event};
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
#[cfg(feature = "std")]
use crate::runtime::patience::Backoff;
use crate::runtime::patience::Patience;
use crate::runtime::way::Entered;
#[cfg(feature = "std")]
use crate::runtime::word::{Access, Refused};

impl Inner {
    /// A handler has panicked: its module has failed, and the others hear of it.
    #[cold]
    pub(super) fn crashed(&self, entered: Entered<'_>, cx: &Context) -> ModuleError {
        let instance = entered.instance();
        let error = cx.take_fault();
        let is_first = entered.crash();
        // A process that many were inside of has ended once.
        if !is_first && matches!(error, ModuleError::Crashed { .. }) {
            return error;
        }
        // While their owner does not run nobody enters its closures.
        for closure in self.closures_of(instance) {
            closure.word.close();
        }
        log::error!(target: instance.name(), "{error}");
        let crashed = |name| ModuleCrashed { name, cause: cause_of(&error) };
        self.announce(Some(cx), crashed, instance, Patience::ENDLESS);
        error
    }

    /// The process of an instance has ended, outside of any call of it.
    #[cfg(feature = "std")]
    pub(super) fn ended_by_itself(&self, instance: &Instance, error: &ModuleError) {
        if !instance.is_running() || !close_alone(instance) || !instance.crash() {
            return;
        }
        for closure in self.closures_of(instance) {
            closure.word.close();
        }
        log::error!(target: instance.name(), "{error}");
        let crashed = |name| ModuleCrashed { name, cause: cause_of(error) };
        self.announce(None, crashed, instance, Patience::ENDLESS);
    }

    /// Publishes something about a module.
    pub(super) fn announce<E: EventType>(
        &self,
        from: Option<&Context>,
        event: impl Fn(ModuleName) -> E,
        about: &Instance,
        patience: Patience,
    ) {
        let name = in_event(about.name());
        let result = event(name).deliver(|delivery| self.publish_to(from, delivery, &|_| true, patience));
        if !result.is_clean() {
            log::warn!(target: about.name(), "not everyone heard of it: {result:?}");
        }
    }
}

/// Closes an instance as whoever has it to himself: who is inside leaves the word as he thinks that it was. Not if it was closed by
/// then, by whoever has found out first.
#[cfg(feature = "std")]
fn close_alone(instance: &Instance) -> bool {
    if instance.is_lockless() {
        instance.word.close();
        return true;
    }
    let mut backoff = Backoff::new();
    loop {
        match instance.word.enter(Access::Exclusive, true) {
            Ok(()) => {
                instance.word.leave_closed(Access::Exclusive);
                return true;
            }
            Err(Refused::NotRunning) => return false,
            Err(_) => backoff.wait(),
        }
    }
}
