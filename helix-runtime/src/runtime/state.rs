//! A module's state outside of it: what `on_save` gave and `on_restore` takes back.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::context::Context;
use crate::descriptor::{Entry, EntryKind, SaveFn, Status};
use crate::error::{IpcError, ModuleError, ModuleResult};
use crate::runtime::Runtime;
use crate::runtime::health::Panicked;
use crate::runtime::inner::Inner;
use crate::runtime::instance::Instance;
use crate::runtime::patience::Patience;
use crate::schema::Shape;

/// What a module has saved. The version and the schema say which `on_restore` can take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedState {
    /// The module that saved it.
    pub module: String,
    /// The version that its `on_save` names.
    pub version: u32,
    /// The hash of the saved type's schema.
    pub schema: u64,
    /// The state, in postcard.
    pub bytes: Vec<u8>,
}

/// How a module gives its state.
pub(super) struct Saving {
    pub(super) handler: &'static Entry,
    pub(super) version: u32,
    shape: Shape,
    call: SaveFn,
}

impl Saving {
    pub(super) fn of(instance: &Instance) -> Option<Self> {
        instance.entries.iter().find_map(|handler| match handler.kind {
            EntryKind::Save { version, shape, call } => Some(Self { handler, version, shape, call }),
            _ => None,
        })
    }

    /// The state, for whoever has the instance to itself or has entered for this handler.
    pub(super) fn save(&self, instance: &Instance, cx: &Context) -> Result<ModuleResult<SavedState>, Panicked> {
        let mut bytes = Vec::new();
        let module = instance.name().to_string();
        match instance.save(self.call, &mut bytes, cx) {
            Status::Handled => Ok(Ok(SavedState { module, version: self.version, schema: self.shape.hash(), bytes })),
            Status::Panicked => Err(Panicked),
            _ => Ok(Err(cx.take_fault())),
        }
    }
}

impl Runtime {
    /// Asks a running module for its state; `None` when it has no `on_save`.
    ///
    /// A later runtime takes it back; see [`Builder::state`](crate::Builder::state).
    pub fn save(&self, module: &str) -> ModuleResult<Option<SavedState>> {
        let inner = &*self.inner;
        let registry = inner.registry();
        let found = registry.index_of(module).map(|at| registry.members[at].instance.clone());
        drop(registry);
        let instance = found.ok_or_else(|| IpcError::ModuleNotFound { name: module.to_string() })?;
        inner.ask(&instance, |instance| {
            let Some(saving) = Saving::of(instance) else { return Ok(None) };
            if !instance.is_running() {
                return Err(IpcError::NotRunning { module: module.to_string(), state: instance.state() }.into());
            }
            inner.inside(instance, Some(saving.handler), Patience::ENDLESS, |cx| saving.save(instance, cx)).map(Some)
        })
    }
}

impl Inner {
    /// Gives a module that does not run yet a state back, by the `on_restore` of that version.
    pub(super) fn restore(&self, instance: &Instance, state: &SavedState, cx: &Context) -> ModuleResult<()> {
        let refused = |reason: String| ModuleError::State { found: state.version, reason: reason.into() };
        for entry in &instance.entries {
            let EntryKind::Restore { version, shape, call } = entry.kind else { continue };
            if version != state.version {
                continue;
            }
            if shape.hash() != state.schema {
                return Err(refused(format!(
                    "`#[on_restore(version = {version})]` takes {shape}, and what was saved is of another schema; \
                     raise the version, and keep a handler for the old one"
                )));
            }
            return instance
                .restore(call, &state.bytes, cx)
                .unwrap_or_else(|| Err(refused(format!("its {} bytes are not {shape}", state.bytes.len()))));
        }
        Err(refused(format!(
            "`{}` has no handler for it; add `#[on_restore(version = {})]`",
            instance.name(),
            state.version
        )))
    }
}
